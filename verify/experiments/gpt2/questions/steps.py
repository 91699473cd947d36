"""How well one step is predicted: by a pair's own Gram, by the batch's, in the optimizer's metric.

Every update of a preference training, after some that fill the optimizer's memory, is predicted
for each response of its batch and compared with what happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.lm.training.finetune import Step
from disband.lm.training.optimizers import KINDS, Kind, Rule
from disband.theory.objectives import find

from ..explained import one_step
from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import (
    LIGHT,
    Contest,
    Mix,
    Prepared,
    Protocol,
    Supervision,
    prepare,
    train,
)

Array = npt.NDArray[Any]

BATCHES = (1, 4, 16, 64)
RATES: Mapping[Kind, tuple[float, ...]] = {
    "sgd": (1e-4, 1e-3, 1e-2, 1e-1),
    "momentum": (1e-5, 1e-4, 1e-3, 1e-2),
    "adam": (1e-7, 1e-6, 1e-5, 1e-4),
    "adamw": (1e-7, 1e-6, 1e-5, 1e-4),
}


@dataclass(frozen=True)
class Steps:
    """One piece: a style, an optimizer and a batch size, at several rates.

    Args:
        style: The response style.
        kind: The optimizer.
        batch: Pairs in a batch.
        rates: Learning rates, each from the same fine-tuned model.
        mix: How batches are dealt.
        warm: Updates before the first that is explained.
        explained: Updates that are.
        supervision: The fine-tuning before.
        objective: A name of the catalogue.
    """

    style: str
    kind: Kind
    batch: int
    rates: tuple[float, ...]
    mix: Mix = "drawn"
    warm: int = 3
    explained: int = 3
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)
    objective: str = "DPO"

    def __str__(self) -> str:
        return f"{self.objective} on {self.style}, {self.kind}, batches of {self.batch}"


def run_steps(
    piece: Steps, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Explain the updates of one piece.

    Returns:
        What :func:`disband.verify.experiments.gpt2.explained.one_step` measures, each
        ``(rates, explained, 2, batch)``, and ``labels``, ``(explained, batch)``.
    """
    updates = piece.warm + piece.explained
    contest = Contest(piece.objective, steps=updates, batch=piece.batch, mix=piece.mix)
    protocol = Protocol(piece.style, piece.supervision, contest, eval_pairs=2)
    objective = find(contest.objective)
    ready = prepare(protocol, seed, items, *restore(base))
    by_rate: list[list[Arrays]] = []
    for done, rate in enumerate(piece.rates):
        prepared = ready.copy()
        explained: list[Arrays] = []

        def watch(step: Step, of: Prepared = prepared, to: list[Arrays] = explained) -> None:
            if step.number > piece.warm:
                to.append(one_step(step, of.model, objective, of.labels[step.number - 1]))

        train(prepared, replace(contest, rule=Rule(piece.kind, rate)), watch=watch)
        by_rate.append(explained)
        report((done + 1) / len(piece.rates))
    arrays = {
        name: np.array([[step[name] for step in steps] for steps in by_rate])
        for name in by_rate[0][0]
    }
    return {**arrays, "labels": ready.labels[piece.warm :]}


def _pieces(batches: tuple[int, ...]) -> tuple[Steps, ...]:
    return tuple(
        Steps("short suffix", kind, batch, RATES[kind]) for kind in KINDS for batch in batches
    )


# Batches that a step in float64 of the pretrained model has room for within 16 GiB; AdamW keeps
# more vectors.
_FITTING: Mapping[Kind, tuple[int, ...]] = {"sgd": (1, 4), "adamw": (1,)}
_PRETRAINED = tuple(
    Steps("short suffix", kind, batch, RATES[kind][:3], warm=2, explained=2, supervision=LIGHT)
    for kind, batches in _FITTING.items()
    for batch in batches
)

AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("steps", run_steps, _pieces((1, 8)), 12),
    "laptop": Inquiry("steps", run_steps, _pieces(BATCHES), 25),
    "pretrained": Inquiry("steps", run_steps, _PRETRAINED, 300),
}
