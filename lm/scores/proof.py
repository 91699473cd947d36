r"""Whether the short ways to a model's scores give what its ordinary call and autograd give.

Three ways lead to the same numbers, each shorter than the next: a prompt read once for both its
responses, texts read whole in rows of a batch, and each text read alone with its gradients
written out, which is the model's ordinary call and cannot be wrong. Likewise a layer's rule is
shorter than its autograd. Which ways a model bears is seen of the model itself, as it is built
now, and not from a list of architectures.

What may be wrong with a shared or padded reading begins or ends at some length: a window, a table
of positions, frequencies that change, places counted from the cache. So it holds for all lengths
between some if it holds at the corners: the least and the most shared tokens, each with the
shortest and the longest text. Tokens that the model may take for padding are a case of their own.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from ..model.gpt2 import Model
from .capture import recording
from .explicit import each_gradient, plain_logits, token_logp
from .layers import Wanted
from .layout import Text, common_lengths, predictions
from .products.factors import wide
from .products.terms import Scores, projected
from .reading import read_rows
from .split import is_out_of_memory
from .trace import Tracer

# Relative to the norm of what enters the head, and of the centred logits. In float64 too, for
# parts of many models compute in float32.
READING = {torch.float64: 1e-5, torch.float32: 1e-4, torch.float16: 1e-2}
# Relative to a parameter's gradient, and a hundredth of that to the gradient of all.
RULE = {torch.float64: 1e-5, torch.float32: 1e-3, torch.float16: 0.05}
COARSEST = 0.1  # of bfloat16
PROBES = 4  # random directions on either side of a gradient
WEIGHTS = (1.0, -0.7)  # of the example's chosen and rejected text
BEGINNING, REST = 4, 4  # tokens of the short example


class SeparateReading(UserWarning):
    """A model is read in a longer way than usual, for in a shorter one it gives other numbers."""


class Way(IntEnum):
    """How texts are read."""

    ALONE = 0
    WHOLE = 1
    SHARED = 2


REASONS = {
    Way.WHOLE: (
        "prompts are read with each response, not once for both: {} gives other numbers, or other "
        "gradients, where it goes on from what it has read; the results are exact"
    ),
    Way.ALONE: (
        "each text is read alone, and gradients are written out, which is slow: {} gives other "
        "numbers to a text in a padded batch than to the text alone; the results are exact"
    ),
}


@dataclass(frozen=True, eq=False)
class Corners:
    """Between what lengths a reading is known to hold.

    Args:
        shared: Least and most shared tokens.
        needed: Tokens read of the shortest and of the longest text.
        rows: The texts that were read to know it.
    """

    shared: tuple[int, int]
    needed: tuple[int, int]
    rows: tuple[Text, ...]

    def __contains__(self, other: "Corners") -> bool:
        return all(
            mine[0] <= others[0] and others[1] <= mine[1]
            for mine, others in ((self.shared, other.shared), (self.needed, other.needed))
        )


@dataclass(eq=False)
class Proof:
    """What is known of one model.

    Args:
        build: What the model consisted of when this was seen.
        way: The shortest way that it may be read.
        numbered: Whether it is given the positions of its tokens, or counts them by itself.
        failing: Names of parameters whose layer's rule does not hold.
    """

    build: int
    way: Way = Way.SHARED
    numbered: bool = True
    failing: set[str] = field(default_factory=set)
    _spoken: bool = False
    _corners: dict[tuple[bool, bool], Corners] = field(default_factory=dict)
    _holding: dict[bool, set[str]] = field(default_factory=lambda: {False: set(), True: set()})

    def settle(self, model: Model, texts: Sequence[Text], shared: Sequence[int]) -> Way:
        """The shortest way in which these texts may be read, and say so if it is a long one.

        Args:
            model: Undisturbed.
            texts: All that will be read.
            shared: With how many shared tokens; 0 among them where texts are read whole.
        """
        before = self.way, self.numbered
        if self.way is Way.SHARED and any(shared):
            holds = self._reading_holds(model, texts, [s for s in shared if s])
            if not holds:
                # A model that remembers something else than keys and values is not meant to.
                self.give_up(Way.WHOLE, speak=holds is False)
        whole = self.way is Way.WHOLE or not all(shared)
        if self.way > Way.ALONE and whole and not self._reading_holds(model, texts, [0]):
            self.give_up(Way.ALONE)
        rope = getattr(model.config, "rope_parameters", None) or {}
        if self.way is not before[0] or "dynamic" in str(rope.get("rope_type")):
            _refuse_memory(model, texts)
        if self.way > Way.ALONE and self.numbered is not before[1]:
            return self.settle(model, texts, shared)
        if self._spoken:
            warnings.warn(
                REASONS[self.way].format(type(model).__name__), SeparateReading, stacklevel=1
            )
        return self.way

    def give_up(self, way: Way, *, speak: bool = True) -> None:
        """Read in a longer way from now on."""
        self.way = way
        self._spoken |= speak

    def _reading_holds(
        self, model: Model, texts: Sequence[Text], shared: Sequence[int]
    ) -> bool | None:
        """Whether texts may be read so, with numbers or without; None if they cannot be."""
        holds = self._corners_hold(model, texts, shared)
        if holds is False and self.numbered:
            # Some models number positions from another start.
            self.numbered = False
            self._corners.clear()
            holds = self._corners_hold(model, texts, shared)
            self.numbered = not holds
        return holds

    def _corners_hold(
        self, model: Model, texts: Sequence[Text], shared: Sequence[int]
    ) -> bool | None:
        padding = getattr(model.config, "pad_token_id", None)
        padded = [t for t in texts if padding in t.ids.tolist()]
        kind = bool(shared[0]), bool(padded)
        known = self._corners.get(kind)
        lengths = [text.needed for text in texts]
        asked = Corners((min(shared), max(shared)), (min(lengths), max(lengths)), ())
        if known is not None and asked in known:
            return True
        rows = [*texts, *(() if known is None else known.rows)]
        shared = [*shared, *(() if known is None else known.shared)]
        rows.sort(key=lambda text: text.needed)
        picked = [rows[0], rows[-1], *padded[:1]]
        for least in {min(shared), max(shared)}:
            # The shortest of those that go on after so many tokens.
            longer = [*(text for text in rows if text.needed > least)][:1]
            corners = {id(t): t for t in (*longer, *picked) if t.needed > least}
            holds = _same_reading(model, list(corners.values()), least, numbered=self.numbered)
            if not holds:
                return holds
        self._corners[kind] = Corners(
            (min(shared), max(shared)), (rows[0].needed, rows[-1].needed), tuple(picked)
        )
        return True

    def failing_rules(
        self, model: Model, wanted: Wanted, pair: tuple[Text, Text], *, tokens: bool = False
    ) -> set[str]:
        """Names of the parameters whose layer's rule is seen not to hold, on a short example.

        Args:
            model: Undisturbed.
            wanted: What is measured of it.
            pair: From which the example is cut.
            tokens: Whether the rules are to hold token by token.
        """
        holding = self._holding[tokens]
        names = set(wanted.parameters) - wanted.slow - self.failing - holding
        if not names or self.way is Way.ALONE:
            return self.failing
        shared, example = _short(pair)
        theirs = _by_autograd(model, {n: wanted.parameters[n] for n in names}, example)
        ways = [shared, 0] if self.way is Way.SHARED and shared and not tokens else [0]
        wrong: list[set[str]] = []
        for share in ways:
            tracer = Tracer(model, wanted, numbered=self.numbered)
            ours = _by_rules(tracer, wanted, example, share, tokens=tokens)
            wrong.append(_apart(ours, theirs, next(model.parameters()).dtype))
        if wrong[0] > wrong[-1]:
            self.give_up(Way.WHOLE)
        self.failing |= wrong[-1]
        # Where a gradient is zero, as that of a new adapter, nothing is shown yet.
        holding |= {n for n in names - self.failing if n in ours and bool(theirs[n].any())}
        return self.failing


_PROOFS: WeakKeyDictionary[nn.Module, Proof] = WeakKeyDictionary()


def proof_of(model: Model) -> Proof:
    """What is known of a model, and still true of it."""
    build = _build(model)
    known = _PROOFS.get(model)
    if known is None or known.build != build:
        known = _PROOFS[model] = Proof(build)
    return known


def _build(model: Model) -> int:
    """A number for what a model consists of: its layers, what another put on them, its weights.

    The weights' values are not part of it, for training changes nothing of what is proved.
    """
    modules = tuple(
        (
            id(module), type(module), id(vars(module).get("forward")),
            *module._forward_hooks, *module._forward_pre_hooks,  # noqa: SLF001
        )
        for module in model.modules()
    )  # fmt: skip
    parameters = tuple((id(p), p.dtype, p.device) for p in model.parameters())
    return hash((modules, parameters, getattr(model.config, "_attn_implementation", None)))


@torch.no_grad()
def _same_reading(
    model: Model, rows: Sequence[Text], shared: int, *, numbered: bool
) -> bool | None:
    """Whether rows read together give what each gives alone; None if they cannot be so read."""
    texts = [Text(t.ids, t.counted[t.counted > shared]) for t in rows]
    head = model.get_output_embeddings()
    try:
        with recording({}, head) as recorder:
            prompt, _, reading = read_rows(
                model, recorder, texts, shared, len(texts), numbered=numbered
            )
    except Exception as error:
        # Whatever comes to grief in a short way is not read so; the ordinary call will tell.
        if is_out_of_memory(error):
            raise
        return False
    if shared and prompt is None:
        return None
    if reading is None:
        return True  # by no short way at all: the tracer will find that out
    entered: list[Tensor] = []
    peek = head.register_forward_pre_hook(lambda _, args: entered.append(args[0].detach()))
    try:
        logits = [plain_logits(model, t)[0, predictions([t], 0).place] for t in texts]
    finally:
        peek.remove()
    tolerance = READING.get(reading.leaf.dtype, COARSEST)
    hidden = [
        h[0, -len(text.ids) :][predictions([text], 0).place]
        for h, text in zip(entered, texts, strict=True)
    ]
    return _close(reading.leaf[0], torch.cat(hidden), tolerance) and _close(
        _centred(reading.logits[0]), _centred(torch.cat(logits)), tolerance
    )


@torch.no_grad()
def _refuse_memory(model: Model, texts: Sequence[Text]) -> None:
    """Refuse a model to which a text is another after a longer one than after a short one."""
    longest = max(texts, key=lambda text: len(text.ids))
    shorter = Text(longest.ids[:-1], longest.counted)
    after = []
    for before in (Text(longest.ids[:2], longest.counted), longest):
        plain_logits(model, before)
        after.append(_centred(plain_logits(model, shorter)[0]))
    tolerance = READING.get(next(model.parameters()).dtype, COARSEST)
    if bool(torch.cat(after).isfinite().all()) and not _close(after[1], after[0], tolerance):
        raise ValueError(
            "a score is that of a function of the text, but what this model says of a text depends "
            "on how long a text it has read before; cut texts to the length that it was made for, "
            "or set another rope_type than dynamic"
        )


def _centred(logits: Tensor) -> Tensor:
    return wide(logits) - wide(logits).mean(-1, keepdim=True)


def _close(ours: Tensor, expected: Tensor, tolerance: float) -> bool:
    apart = (wide(ours) - wide(expected)).norm(dim=-1)
    return bool((apart <= tolerance * wide(expected).norm(dim=-1)).all())


def _short(pair: tuple[Text, Text]) -> tuple[int, tuple[Text, Text]]:
    """A few tokens of what a pair has in common and then of each, and how many are shared."""
    (common,) = common_lengths(pair[:1], pair[1:])
    start = max(0, common - BEGINNING)
    shared = common - start
    texts = []
    for text, more in zip(pair, (REST, REST - 1), strict=True):
        ids = text.ids[start : common + more]
        texts.append(Text(ids, torch.arange(shared + 1, len(ids), device=ids.device)))
    return shared, (texts[0], texts[1])


def _by_autograd(
    model: Model, parameters: Mapping[str, nn.Parameter], example: Sequence[Text]
) -> dict[str, Tensor]:
    """The example's gradient by each parameter, in random directions."""
    seen = {name: torch.zeros(PROBES, dtype=torch.float64) for name in parameters}

    def value() -> Tensor:
        logps = [token_logp(model, text).sum() for text in example]
        return torch.stack([w * x for w, x in zip(WEIGHTS, logps, strict=True)]).sum()

    def see(name: str, gradient: Tensor) -> None:
        left, right = _directions(gradient)
        matrix = wide(gradient).reshape(left.shape[1], right.shape[0])
        seen[name] = ((left @ matrix).double() * right.T.double()).sum(1).cpu()

    each_gradient(parameters, value, see)
    return seen


def _by_rules(
    tracer: Tracer, wanted: Wanted, example: tuple[Text, Text], shared: int, *, tokens: bool
) -> dict[str, Tensor]:
    """The same by the layers' rules."""
    if tokens:
        w, l = (list(range(len(text.counted))) for text in example)  # noqa: E741
        both: Sequence[Scores] = tracer.tokens(example, (w, l))
    else:
        both = tracer.pairs(example[:1], example[1:], shared)
    return {
        name: torch.stack(
            [
                weight * projected(scores[name], *_directions(wanted.parameters[name]))
                for weight, scores in zip(WEIGHTS, both, strict=True)
            ]
        ).sum(0)
        for name in wanted.parameters
        if name not in tracer.strange and all(name in scores for scores in both)
    }


def _directions(like: Tensor) -> tuple[Tensor, Tensor]:
    """Random directions of the two sides of a gradient, ``(probes, out)`` and ``(in, probes)``."""
    out, width = like.shape[0], like.numel() // like.shape[0]
    draw = torch.Generator().manual_seed(0)
    left, right = (
        torch.randn(PROBES, out, generator=draw),
        torch.randn(width, PROBES, generator=draw),
    )
    kind = torch.promote_types(like.dtype, torch.float32)
    return left.to(like.device, kind), right.to(like.device, kind)


def _apart(
    ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor], dtype: torch.dtype
) -> set[str]:
    tolerance = RULE.get(dtype, COARSEST)
    total = torch.stack([value.norm() for value in theirs.values()]).norm()
    return {
        name
        for name, value in theirs.items()
        if name in ours
        and not (ours[name] - value).norm() <= tolerance * (value.norm() + 0.01 * total)
    }
