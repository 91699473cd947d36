r"""Whether the short ways to a model's scores give what its ordinary call and autograd give.

Three ways lead to the same numbers, each shorter than the next: a prompt read once for both its
responses, texts read whole in rows of a batch, and each text read alone with its gradients
written out, which is the model's ordinary call and cannot be wrong. Likewise a layer's rule is
shorter than its autograd. Which ways a model bears is seen of the model itself, as it is built
now, and not from a list of architectures.

What may be wrong with a shared or padded reading begins or ends at some length: a window, a table
of positions, frequencies that change, places counted from the cache. So it holds for all texts up
to a length if it holds at the corners: a text of two tokens and one of that length together, and
the long one with one token shared and with all but one. That length is a power of two, so that it
is seldom exceeded. Where a corner fails, the texts that are really to be read decide, each time.
Tokens that the model may take for padding are a case of their own.
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
from .kind import Kind, kind_of
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
BEGINNING, REST = 4, 4  # tokens of the short example


# Of texts that are read alone, what enters the head and the logits.
Alone = dict[Text, tuple[Tensor, Tensor]]


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


@dataclass(eq=False)
class Proof:
    """What is known of one model.

    Args:
        way: The shortest way that it may be read.
        numbered: Whether it is given the positions of its tokens, or counts them by itself.
        failing: Names of parameters whose layer's rule does not hold.
    """

    way: Way = Way.SHARED
    numbered: bool = True
    failing: set[str] = field(default_factory=set)
    _spoken: bool = False
    _lengths: dict[tuple[bool, bool], int] = field(default_factory=dict)
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
            self._lengths.clear()
            holds = self._corners_hold(model, texts, shared)
            self.numbered = not holds
        return holds

    def _corners_hold(
        self, model: Model, texts: Sequence[Text], shared: Sequence[int]
    ) -> bool | None:
        padding = getattr(model.config, "pad_token_id", None)
        padded = [text for text in texts if padding in text.ids.tolist()]
        kind = bool(shared[0]), bool(padded)
        rows = sorted(texts, key=lambda text: text.needed)
        if rows[-1].needed <= self._lengths.get(kind, 0):
            return True
        long = _repeated((padded or texts)[0].ids, _reach(model, len(rows[-1].ids)))
        pair = [Text(long.ids[:3], long.ids.new_tensor([2])), long]
        corners = [(1, pair), (long.needed - 1, pair[1:])] if shared[0] else [(0, pair)]
        alone: Alone = {}
        if all(_same_reading(model, t, s, alone, numbered=self.numbered) for s, t in corners):
            self._lengths[kind] = long.needed
            return True
        for least in {min(shared), max(shared)}:
            # The shortest of those that go on after so many tokens, and the longest.
            longer = [text for text in rows if text.needed > least]
            some = [longer[0], longer[-1], *(t for t in padded[:1] if t.needed > least)]
            holds = _same_reading(model, some, least, alone, numbered=self.numbered)
            if not holds:
                return holds
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
        theirs = _by_autograd(model, {n: wanted.parameters[n] for n in names}, example[0])
        tracer = Tracer(model, wanted, numbered=self.numbered)
        dtype = next(model.parameters()).dtype
        share = shared if self.way is Way.SHARED and not tokens else 0
        ours = _by_rules(tracer, wanted, example, share, tokens=tokens)
        wrong = _apart(ours, theirs, dtype)
        if wrong and share:
            # It may be the memory of the prompt that passes no gradient on.
            ours = _by_rules(tracer, wanted, example, 0, tokens=False)
            less = _apart(ours, theirs, dtype)
            if less < wrong:
                self.give_up(Way.WHOLE)
                wrong = less
        self.failing |= wrong
        # Where a gradient is zero, as that of a new adapter, nothing is shown yet.
        holding |= {n for n in names - self.failing if n in ours and bool(theirs[n].any())}
        return self.failing


# Of each model what it consisted of when it was seen last, and what is known of it.
_PROOFS: WeakKeyDictionary[nn.Module, tuple[int, Proof]] = WeakKeyDictionary()
OF_KIND: dict[Kind, Proof] = {}


def proof_of(model: Model) -> Proof:
    """What is known of a model, or of one of its kind, and still true of it."""
    build = _build(model)
    seen, known = _PROOFS.get(model, (None, None))
    if known is None or seen != build:
        kind = kind_of(model)
        known = None if kind is None else OF_KIND.get(kind)
        if known is None or known.way is not Way.SHARED:
            # A text alone may be why a longer way was taken: another model has others.
            known = Proof()
            if kind is not None:
                OF_KIND[kind] = known
        _PROOFS[model] = build, known
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
    model: Model, rows: Sequence[Text], shared: int, alone: Alone, *, numbered: bool
) -> bool | None:
    """Whether rows read together give what each gives alone; None if they cannot be so read.

    What each gives ``alone`` is found once.
    """
    texts = [Text(t.ids, t.counted[t.counted > shared]) for t in rows]
    head = model.get_output_embeddings()
    try:
        with recording({}, head) as recorder:
            prompt, _, reading = read_rows(
                model, recorder, texts, shared, len(texts), numbered=numbered
            )
        if shared and prompt is None:
            return None
        if reading is None:
            return True  # by no short way at all: the tracer will find that out
        for row in rows:
            if row not in alone:
                alone[row] = _alone(model, head, row)
    except Exception as error:
        # Whatever comes to grief in a short way is not read so; an ordinary call will tell why.
        if is_out_of_memory(error):
            raise
        return False
    hidden, logits = zip(
        *([part[row.counted > shared] for part in alone[row]] for row in rows), strict=True
    )
    tolerance = READING.get(reading.leaf.dtype, COARSEST)
    return _close(reading.leaf[0], torch.cat(hidden), tolerance) and _close(
        _centred(reading.logits[0]), _centred(torch.cat(logits)), tolerance
    )


def _alone(model: Model, head: nn.Module, text: Text) -> tuple[Tensor, Tensor]:
    """What enters the head and the logits where an ordinary call predicts the response."""
    entered: list[Tensor] = []
    peek = head.register_forward_pre_hook(lambda _, args: entered.append(args[0].detach()))
    try:
        logits = plain_logits(model, text)
    finally:
        peek.remove()
    place = predictions([text], 0).place
    return entered[0][0, -len(text.ids) :][place], logits[0, place]


def _reach(model: Model, length: int) -> int:
    """Tokens of a text that is not soon exceeded, and far from the end of any table."""
    limit = getattr(model.config, "max_position_embeddings", None) or 1 << 30
    return max(length, min(1 << (length - 1).bit_length(), limit // 2))


def _repeated(ids: Tensor, length: int) -> Text:
    """A text of so many tokens, of which the last few are counted."""
    whole = ids.repeat(length // len(ids) + 1)[:length]
    return Text(whole, torch.arange(max(1, length - 3), length, device=ids.device))


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
    model: Model, parameters: Mapping[str, nn.Parameter], example: Text
) -> dict[str, Tensor]:
    """A text's gradient by each parameter, in random directions."""
    seen = {name: torch.zeros(PROBES, dtype=torch.float64) for name in parameters}

    def see(name: str, gradient: Tensor) -> None:
        left, right = _directions(gradient)
        matrix = wide(gradient).reshape(left.shape[1], right.shape[0])
        seen[name] = ((left @ matrix).double() * right.T.double()).sum(1).cpu()

    each_gradient(parameters, lambda: token_logp(model, example).sum(), see)
    return seen


def _by_rules(
    tracer: Tracer, wanted: Wanted, example: tuple[Text, Text], shared: int, *, tokens: bool
) -> dict[str, Tensor]:
    """The same by the layers' rules, of an example's chosen text beside its rejected one."""
    if tokens:
        w, l = (list(range(len(text.counted))) for text in example)  # noqa: E741
        scores: Scores = tracer.tokens(example, (w, l))[0]
    else:
        scores = tracer.pairs(example[:1], example[1:], shared)[0]
    return {
        name: projected(part, *_directions(wanted.parameters[name]))
        for name, part in scores.items()
        if name not in tracer.strange
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
