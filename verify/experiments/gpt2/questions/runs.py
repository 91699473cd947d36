"""A whole preference training, followed: log-probabilities, Grams, incentives, bands and cases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.lm.model.gpt2 import Model
from disband.lm.scores.grams import pair_gram, token_gram
from disband.lm.training.finetune import Pair
from disband.lm.training.optimizers import Rule
from disband.theory.gram import Gram
from disband.theory.objectives import find

from ....workers.away import written
from ..full import PIECES as FULL
from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..pretrained import PIECES, STYLED, run_pretrained
from ..protocol import (
    Contest,
    Precision,
    Prepared,
    Protocol,
    Supervision,
    leading,
    prepare,
    train,
)
from ..readings import decided

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Run:
    """One piece: a style, an objective and an optimizer.

    Args:
        style: The response style.
        objective, hyper: A name of the catalogue, and what differs from its defaults.
        rule: The optimizer.
        steps, batch: Updates, and pairs in one.
        pairs: Held-out pairs whose log-probabilities are followed.
        gram_pairs: Of these, the first so many whose Gram is.
        token_pairs: Of these, the first so many whose token Gram is, before and after.
        logp_every, gram_every: Updates between two measurements of either; the first is a divisor
            of the second.
        supervision: The fine-tuning before.
        precision: See :class:`disband.verify.experiments.gpt2.protocol.Protocol`.
        checkpoints: Folder that the models before and after the preference training are saved
            in; empty to save none.
    """

    style: str
    objective: str = "DPO"
    hyper: tuple[tuple[str, float], ...] = ()
    rule: Rule = Rule("adam", 1e-5)  # noqa: RUF009 (frozen)
    steps: int = 36
    batch: int = 32
    pairs: int = 64
    gram_pairs: int = 16
    token_pairs: int = 0
    logp_every: int = 3
    gram_every: int = 6
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)
    precision: Precision = "float64"
    checkpoints: str = ""

    def __post_init__(self) -> None:
        if self.gram_every % self.logp_every or not 0 < self.gram_pairs <= self.pairs:
            raise ValueError(
                "Grams are taken of some of the followed pairs, at some of the steps at which "
                f"log-probabilities are: got {self.gram_pairs} of {self.pairs} pairs, every "
                f"{self.gram_every} and {self.logp_every} steps; make the first of each smaller "
                "and the steps multiples"
            )

    def __str__(self) -> str:
        given = ", ".join(f"{name} {value:g}" for name, value in self.hyper)
        return f"{self.objective}{f' ({given})' if given else ''} on {self.style}"

    @property
    def trained_by(self) -> str:
        """What tables and figures call it by, next to its style."""
        return self.objective


def run_followed(
    piece: Run, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Train one piece and measure it on the way.

    Returns:
        ``steps``, ``token_logp``, ``reference``, ``lengths``: as
        :func:`disband.verify.experiments.gpt2.protocol.train` returns them; ``logp_w``, ``logp_l``:
        ``(times, pairs)``, nats; ``gram_steps``: ``(grams,)``; ``sq_w``, ``sq_l``, ``dot``,
        ``d_w``, ``d_l``, ``in_band``, ``case``: ``(grams, gram_pairs)``, the last as
        :class:`disband.theory.band.Case` numbers them. With ``token_pairs``, where all responses
        are equally long, also ``token_gram``: before and after,
        ``(2, token_pairs, len_w + len_l, len_w + len_l)``, and ``tokens``, the words of the first
        pair, ``(len_w + len_l,)``.
    """
    contest = Contest(piece.objective, piece.hyper, piece.rule, piece.steps, piece.batch)
    protocol = Protocol(
        piece.style, piece.supervision, contest, piece.pairs, precision=piece.precision
    )
    prepared = prepare(protocol, seed, items, *restore(base))
    save = _saver(prepared, piece, seed)
    save("before")
    watched = leading(prepared.held_out, piece.gram_pairs)
    by_token = piece.token_pairs and len({int(n) for side in watched for n in side.lengths}) == 1
    grams: list[Gram] = []
    token_grams: list[Array] = []

    def until(step: int, _: Array) -> bool:
        if step % piece.gram_every == 0 or step == piece.steps:
            grams.append(pair_gram(prepared.model, *watched))
        if by_token and step in (0, piece.steps):
            token_grams.append(_token_grams(prepared.model, leading(watched, piece.token_pairs)))
        report(step / piece.steps)
        return False

    measured = train(prepared, contest, until=until, every=piece.logp_every)
    save("after")
    logp_w, logp_l = np.moveaxis(measured["token_logp"].sum(-1), 1, 0)
    last = [s for s in measured["steps"] if s % piece.gram_every == 0 or s == piece.steps]
    at = np.searchsorted(measured["steps"], last)
    parts = ("sq_w", "sq_l", "dot")
    products = {part: np.stack([getattr(gram, part) for gram in grams]) for part in parts}
    gram = Gram(**products)
    few = slice(piece.gram_pairs)
    state = (
        *(side[at][:, few] for side in (logp_w, logp_l)),
        *measured["reference"][:, few],
        *measured["lengths"][:, few],
    )
    tokens = {"token_gram": np.stack(token_grams), "tokens": _words(prepared)} if by_token else {}
    return {
        **measured,
        "logp_w": logp_w,
        "logp_l": logp_l,
        "gram_steps": np.array(last),
        **products,
        **decided(find(piece.objective), dict(piece.hyper), state, gram),
        **tokens,
    }


def _token_grams(model: Model, pairs: Pair) -> Array:
    rows = range(len(pairs[0]))
    return np.stack([token_gram(model, *(side.row(i) for side in pairs)) for i in rows])


def _words(prepared: Prepared) -> Array:
    sides = (side.ids[0][side.response[0]] for side in prepared.held_out)
    return np.array([prepared.tokenizer.decode([i]) for ids in sides for i in ids.tolist()])


def _saver(prepared: Prepared, piece: Run, seed: int) -> Callable[[str], None]:
    """Saves the model as a folder that ``load_model`` reads, or does nothing."""

    def save(when: str) -> None:
        if piece.checkpoints:
            folder = written(Path(piece.checkpoints) / f"seed {seed}" / str(piece) / when)
            prepared.model.save_pretrained(folder)
            prepared.tokenizer.save_pretrained(folder)

    return save


# Those of yuan2025, section 3.3, on responses of different lengths, which set them apart.
_PAPER = ("DPO", "R-DPO", "SimPO", "IPO", "RRHF", "SLiC-HF", "CPO", "DPOP", "KTO", "SPPO")
_UNEQUAL = "unequal 2/6"


_PIECES = tuple(Run(_UNEQUAL, objective, precision="float32") for objective in _PAPER)
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("runs", run_followed, _PIECES[:5:2], 10),
    "laptop": Inquiry("runs", run_followed, _PIECES, 10),
    "pretrained": Inquiry(
        "runs", run_pretrained, PIECES, 1500, before_others=len(STYLED), threads=2
    ),
    "full": Inquiry("runs", run_pretrained, FULL, 1500, before_others=len(STYLED)),
}
