"""Every objective at the same margin gained: who preserves the chosen, and what the band said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.lm.scores.grams import batch_gram
from disband.lm.training.optimizers import Rule
from disband.theory.objectives import find

from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import Contest, Protocol, Supervision, prepare, summed, train
from ..readings import GAINED

Array = npt.NDArray[Any]

# Those that follow the same incentives as another one here (equal lengths, one weight) stand
# once.
OBJECTIVES = (
    "DPO", "SimPO", "IPO", "RRHF", "SLiC-HF", "CPO", "DPOP", "KTO", "SPPO", "Hinge", "EXO", "NCA",
    "BCO", "APO-zero", "APO-down", "DDRO", "LSIF", "UKL", "DPO-FKL", "DPO-JS", "ORPO", "RPO",
    "PPO-clip",
)  # fmt: skip


@dataclass(frozen=True)
class Race:
    """One piece: an objective, trained until the mean margin has grown by ``GAINED``.

    Args:
        objective: A name of the catalogue.
        style: The response style.
        rule: The optimizer. Adam's steps do not depend on the size of the loss, so one rate
            serves every objective.
        steps, batch: Updates at most, and pairs in one.
        pairs: Held-out pairs that are followed.
        supervision: The fine-tuning before.
    """

    objective: str
    style: str = "short suffix"
    rule: Rule = Rule("adam", 2e-5)  # noqa: RUF009 (frozen)
    steps: int = 80
    batch: int = 16
    pairs: int = 32
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)

    def __str__(self) -> str:
        return f"{self.objective} on {self.style}"


def run_race(
    piece: Race, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Train one piece until its margin has grown enough.

    Returns:
        ``logp_w``, ``logp_l``: ``(updates + 1, pairs)``, nats; ``sq_w``, ``sq_l``, ``dot``: Gram
        of the held-out pairs at the start, ``(pairs,)``; ``d_w``, ``d_l``: incentives there;
        ``batch_w``, ``batch_l``: what one plain gradient step of size 1 on all these pairs as one
        batch would do to each to first order, nats.
    """
    contest = Contest(piece.objective, rule=piece.rule, steps=piece.steps, batch=piece.batch)
    protocol = Protocol(
        piece.style, piece.supervision, contest, eval_pairs=piece.pairs, precision="float32"
    )
    prepared = prepare(protocol, seed, items, *restore(base))
    products = batch_gram(prepared.model, *prepared.held_out)

    def until(_: int, logp: Array) -> bool:
        margin = (logp[:, 0] - logp[:, 1]).sum(-1).mean(-1)
        gained = float(margin[-1] - margin[0])
        report(min(1.0, max(gained / GAINED, len(margin) / (piece.steps + 1))))
        return gained >= GAINED

    run = train(prepared, contest, until=until)
    logp_w, logp_l = summed(run)
    state = (logp_w[0], logp_l[0], *run["reference"], *run["lengths"])
    objective = find(piece.objective)
    d_w, d_l = (np.broadcast_to(objective.kernel(d)(*state), piece.pairs) for d in ("d_w", "d_l"))
    push = np.concatenate([d_w, -d_l]) / piece.pairs
    batch_w, batch_l = np.split(products @ push, 2)
    squares = np.diagonal(products)
    return {
        "logp_w": logp_w,
        "logp_l": logp_l,
        "d_w": d_w,
        "d_l": d_l,
        "batch_w": batch_w,
        "batch_l": batch_l,
        "sq_w": squares[: piece.pairs],
        "sq_l": squares[piece.pairs :],
        "dot": np.diagonal(products, piece.pairs),
    }


AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("objectives", run_race, tuple(map(Race, OBJECTIVES[:9])), 12),
    "laptop": Inquiry("objectives", run_race, tuple(map(Race, OBJECTIVES)), 12),
}
