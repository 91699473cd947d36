"""The sentiment check of yuan2025, section 4.3, on a pretrained model, by the paper's protocol.

Fine-tuning on chosen responses, then preferences until the margin has grown, on a model that comes
with its language. A run takes long on a processor: it is kept every few updates, and goes on there.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.data.styles import STYLES
from disband.lm.data.tweets import Tweet
from disband.lm.model.gpt2 import Model, TextTokenizer, join
from disband.lm.model.load import device_name
from disband.lm.model.shared import require_shareable, shared_token_logp
from disband.lm.scores.grams import pair_gram, token_gram
from disband.lm.training.finetune import Pair, recompute
from disband.lm.training.optimizers import Rule
from disband.lm.training.slopes import slopes
from disband.lm.training.stages import Stage
from disband.sims.methods.calibrate import Incentives, batch_calibrated
from disband.theory.gram import Gram
from disband.theory.objectives import find

from .items import Given, Item, free_pairs
from .language import Arrays, Report
from .preparation import Keeping, restore
from .protocol import Contest, Dealt, Protocol, Supervision, deal, leading
from .readings import decided

Array = npt.NDArray[Any]

FREE = "free text"
# Read at once where log-probabilities are followed: so many pairs fit beside the model.
_ROWS = 32
# Updates of the fine-tuning between two times that it is kept.
_KEPT_EVERY = 16


@dataclass(frozen=True)
class Followed:
    """One piece: a style, or free text, and an objective.

    Args:
        style: The response style, or ``free text``, of
            :func:`disband.verify.experiments.gpt2.items.free_rows`.
        objective, hyper: A name of the catalogue, and what differs from its defaults.
        calibrated: Whether each batch's incentives are calibrated by its own Grams; see
            :func:`disband.sims.methods.calibrate.batch_calibrated`.
        rule: The optimizer of the preference training.
        steps, batch: Its updates at most, and pairs in one.
        gained: It ends when the mean held-out margin has grown by so many nats.
        pairs: Held-out pairs whose log-probabilities are followed; a seed draws its own.
        gram_pairs: Of these, the first so many whose Gram is.
        token_pairs: Of these, the first so many whose token Gram is taken, before and after.
        logp_every: Updates between two measurements, after which the run is kept.
        gram_every: Updates between two Grams; a multiple of it. The last state has one too.
        supervision: The fine-tuning before.
        longest_prompt: Tokens kept of a tweet.
        mixed: Train in bfloat16 where autocast does; what is measured is float32 always.
        recomputed: What layers hold for the backward pass is computed again there, which takes
            a third more time and little memory; see
            :func:`disband.lm.training.finetune.recompute`.
    """

    style: str
    objective: str = "DPO"
    hyper: tuple[tuple[str, float], ...] = ()
    calibrated: bool = False
    rule: Rule = Rule("adamw", 5e-6, 6)  # noqa: RUF009 (frozen)
    steps: int = 60
    batch: int = 32
    gained: float = 1.0
    pairs: int = 128
    gram_pairs: int = 32
    token_pairs: int = 0
    logp_every: int = 6
    gram_every: int = 12
    supervision: Supervision = Supervision("correct", 64, 16, 2e-5)  # noqa: RUF009 (frozen)
    longest_prompt: int = 24
    mixed: bool = True
    recomputed: bool = False

    def __post_init__(self) -> None:
        if self.gram_every % self.logp_every:
            raise ValueError(
                "Grams are taken where log-probabilities are: got every "
                f"{self.gram_every} and {self.logp_every} updates; make the first a multiple"
            )
        if not 0 <= self.token_pairs <= self.gram_pairs <= self.pairs or not self.gram_pairs:
            raise ValueError(
                "each group of held-out pairs is part of the next: token_pairs <= gram_pairs <= "
                f"pairs, but got {self.token_pairs}, {self.gram_pairs}, {self.pairs}; enlarge the "
                "later ones"
            )

    def __str__(self) -> str:
        given = ", ".join(f"{name} {value:g}" for name, value in self.hyper)
        return f"{self.trained_by}{f' ({given})' if given else ''} on {self.style}"

    @property
    def trained_by(self) -> str:
        """What tables and figures call it by, next to its style."""
        return f"{self.objective}, calibrated" if self.calibrated else self.objective


def run_pretrained(
    piece: Followed, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Fine-tune, then prefer, measuring on the way.

    Returns:
        ``steps``: updates at each measurement, ``(times,)``; ``logp_w``, ``logp_l``:
        ``(times, pairs)``, nats; ``untaught``: both before the fine-tuning, ``(2, pairs)``;
        ``reference``, ``lengths``: ``(2, pairs)``; ``gram_steps``, ``sq_w``, ``sq_l``, ``dot``,
        ``d_w``, ``d_l``, ``in_band``, ``case``: ``(times, gram_pairs)``, as ``run_followed``
        returns them. ``promised``, ``kept``: of the update after each measurement but the last,
        the first-order and the real change of both responses, ``(times - 1, 2, gram_pairs)``.
        With ``token_pairs`` also ``token_gram`` and ``tokens``, as ``run_followed``. ``device``:
        what it was computed on.
    """
    model, tokenizer = restore(base)
    if piece.recomputed:
        recompute(model)
    contest = Contest(piece.objective, piece.hyper, piece.rule, piece.steps, piece.batch)
    protocol = Protocol(
        piece.style, piece.supervision, contest, piece.pairs, piece.longest_prompt,
        precision="mixed" if piece.mixed else "float32",
    )  # fmt: skip
    dealt = deal(protocol, seed, _drawn(piece, seed, items), model, tokenizer)
    require_shareable(model, *dealt.held_out)
    keeping = Keeping.of(base, __name__)
    untaught = _teach(model, piece, seed, dealt, keeping, report)
    stage = _prefer(model, piece, seed, dealt, keeping, report)
    tokens = _tokens(tokenizer, dealt) if piece.token_pairs else {}
    device = np.array(device_name(model.device))
    return _arrays(stage, piece, dealt, untaught) | tokens | {"device": device}


def _drawn(piece: Followed, seed: int, items: Sequence[Item]) -> Sequence[Item]:
    """The seed's own order of the items, of which the first held out are followed."""
    order = np.random.default_rng([seed, 7]).permutation(len(items))
    drawn = [items[i] for i in order]
    tweets = [item for item in drawn if isinstance(item, Tweet)]
    if piece.style == FREE and tweets:
        return [Given(pair) for pair in free_pairs(tweets, np.random.default_rng([seed, 4]))]
    return drawn


def _teach(
    model: Model, piece: Followed, seed: int, dealt: Dealt, keeping: Keeping, report: Report
) -> Array:
    """Fine-tune on the chosen responses; return both log-probabilities as they were before."""
    stage = Stage.begin(model, Rule("adam", piece.supervision.rate))
    names = ("style", "pairs", "longest_prompt", "mixed", "recomputed")
    setting = {name: getattr(piece, name) for name in names}
    path = keeping.path("taught", seed, setting | asdict(piece.supervision))
    if not stage.resume(path):
        stage.measure(untaught=torch.from_numpy(_followed(model, dealt.held_out)))
    for batch in dealt.taught[stage.done :]:
        stage.teach(batch, mixed=piece.mixed)
        report(0.4 * stage.done / piece.supervision.steps)
        ended = stage.done == piece.supervision.steps
        if stage.done % _KEPT_EVERY == 0 or ended:
            stage.keep(path, ended=ended)
    untaught: Array = stage.measured["untaught"][0].numpy()
    return untaught


def _prefer(
    model: Model, piece: Followed, seed: int, dealt: Dealt, keeping: Keeping, report: Report
) -> Stage:
    """Train on preferences until the margin has grown, and measure on the way."""
    reference = deepcopy(model)
    stage = Stage.begin(model, piece.rule)
    path = keeping.path("preferred", seed, asdict(piece))
    objective, hyper = find(piece.objective), dict(piece.hyper)
    method = partial(_calibrated, model) if piece.calibrated else None
    if not stage.resume(path):
        _measure(stage, piece, dealt.held_out)
    while not _enough(stage, piece):
        before = None if stage.done % piece.logp_every else deepcopy(model)
        stage.prefer(
            dealt.batches[stage.done], reference, objective, shared=True, mixed=piece.mixed,
            method=method, **hyper,
        )  # fmt: skip
        if before is not None:
            _compare(stage, before, leading(dealt.held_out, piece.gram_pairs))
        if stage.done % piece.logp_every == 0 or stage.done == piece.steps:
            _measure(stage, piece, dealt.held_out)
            stage.keep(path)
        report(0.4 + 0.6 * stage.done / piece.steps)
    # What it came to is kept as the piece's result from here on.
    path.unlink(missing_ok=True)
    return stage


def _calibrated(model: Model, pair: Pair, d_w: Array, d_l: Array) -> Incentives:
    return batch_calibrated(d_w, d_l, pair_gram(model, *pair))


def _enough(stage: Stage, piece: Followed) -> bool:
    """Whether this was the last measurement: the margin has grown, or all updates are done."""
    first, last = (stage.measured["logp"][at].diff(dim=0).mean().item() for at in (0, -1))
    return first - last >= piece.gained or stage.done >= piece.steps


def _measure(stage: Stage, piece: Followed, held_out: Pair) -> None:
    step = torch.tensor(stage.done)
    stage.measure(steps=step, logp=torch.from_numpy(_followed(stage.model, held_out)))
    last = _enough(stage, piece)
    if stage.done % piece.gram_every == 0 or last:
        gram = pair_gram(stage.model, *leading(held_out, piece.gram_pairs))
        products = np.stack([gram.sq_w, gram.sq_l, gram.dot])
        stage.measure(gram_steps=step, gram=torch.from_numpy(products))
    if piece.token_pairs and (stage.done == 0 or last):
        few = leading(held_out, piece.token_pairs)
        rows = [
            token_gram(stage.model, *(side.row(i) for side in few))
            for i in range(piece.token_pairs)
        ]
        stage.measure(token_gram=torch.from_numpy(np.stack(rows)))


def _compare(stage: Stage, before: Model, few: Pair) -> None:
    """Measure what the last update promised to first order, and what it did."""
    old = dict(before.named_parameters())
    moved = {n: p.detach() - old[n].detach() for n, p in stage.model.named_parameters()}
    promised = np.stack(np.split(slopes(before, join(*few), moved).sum(-1), 2))
    kept = _followed(stage.model, few) - _followed(before, few)
    stage.measure(promised=torch.from_numpy(promised), kept=torch.from_numpy(kept))


def _followed(model: Model, pairs: Pair) -> Array:
    """Log-probabilities of chosen and rejected, ``(2, pairs)``, nats."""
    model.eval()
    with torch.no_grad():
        parts = [
            shared_token_logp(model, *some).double().sum(1).view(2, -1)
            for at in range(0, len(pairs[0]), _ROWS)
            for some in [tuple(side.rows(slice(at, at + _ROWS)) for side in pairs)]
        ]
    followed: Array = torch.cat(parts, 1).numpy(force=True)
    return followed


def _tokens(tokenizer: TextTokenizer, dealt: Dealt) -> Arrays:
    """The words of the first pair, for its token Gram."""
    sides = (side.ids[0][side.response[0]] for side in dealt.held_out)
    return {"tokens": np.array([tokenizer.decode([i]) for ids in sides for i in ids.tolist()])}


def _arrays(stage: Stage, piece: Followed, dealt: Dealt, untaught: Array) -> Arrays:
    found = {name: torch.stack(values).numpy() for name, values in stage.measured.items()}
    logp_w, logp_l = np.moveaxis(found.pop("logp"), 1, 0)
    products = dict(zip(("sq_w", "sq_l", "dot"), np.moveaxis(found.pop("gram"), 1, 0), strict=True))
    lengths = np.stack([side.lengths.numpy(force=True) for side in dealt.held_out])
    reference = np.stack([logp_w[0], logp_l[0]])
    at = np.searchsorted(found["steps"], found["gram_steps"])
    few = slice(piece.gram_pairs)
    state = (*(side[at][:, few] for side in (logp_w, logp_l)), *reference[:, few], *lengths[:, few])
    return {
        **found,
        "logp_w": logp_w,
        "logp_l": logp_l,
        "untaught": untaught,
        "reference": reference,
        "lengths": lengths,
        **products,
        **decided(find(piece.objective), dict(piece.hyper), state, Gram(**products)),
    }


STYLED = tuple(
    Followed(style, token_pairs=4 if style == "prefix+suffix" else 0) for style in STYLES
)
_RIVALS = tuple(
    Followed(style, objective, calibrated=calibrated)
    for style in ("long suffix", FREE)
    for objective, calibrated in (
        ("SimPO", False), ("IPO", False), ("CPO", False), ("DPO", True), ("DPO", False),
    )
    if (style, objective, calibrated) != ("long suffix", "DPO", False)
)  # fmt: skip
PIECES = (*STYLED, *_RIVALS)
