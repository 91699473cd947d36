"""Measures a path: scores, log-probabilities and displacements along a few coarse runs."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

from disband.theory.horizon.path import Path, in_epochs, strength
from disband.theory.objectives import CPO, DPO

from ..model.gpt2 import Batch, Model, join
from ..training.optimizers import Rule
from .run import Descent, HeldOut, measured, strides, watched
from .sketch import Sketch

if TYPE_CHECKING:
    from disband.theory.objective import Objective

STRIDE = 2
EARLY = (0, 1, 2, 4, 8)  # where a stiff common pull relaxes
COORDINATES = 4096


def measure_path(
    model: Model,
    chosen: Batch,
    rejected: Batch,
    *,
    rule: Rule,
    steps: int,
    batch_size: int,
    held_out: HeldOut = None,
    objectives: "Sequence[Objective]" = (DPO, CPO),
    anchors: int = 13,
    coordinates: int = COORDINATES,
    stride: int = STRIDE,
    seed: int = 0,
    report: Callable[[float], None] = lambda _: None,
) -> Path:
    """Measure a model along coarse runs of a few objectives, for forecasts of any.

    The objectives span the pushes that others make: DPO's, whose two sides cancel on what a pair's
    responses share, and CPO's, whose likelihood term pulls on all. For SGD each run has the rate
    at which its incentives are, at the start, as strong as the first one's at the rule's.

    Args:
        model: It does not change.
        chosen: Of the pairs that runs will train on.
        rejected: Likewise.
        rule: The optimizer.
        steps: Updates as far as which is measured.
        batch_size: Pairs in an update.
        held_out: Chosen and rejected responses that are followed without being trained on.
        objectives: One coarse run of each.
        anchors: Places on each run, the start included; more of them lie early.
        coordinates: Of each score that are kept.
        stride: Updates that one gradient stands for.
        seed: Of the runs' batches and of the coordinates.
        report: Called with the share that is done.

    Raises:
        ValueError: As :func:`disband.lm.scores.grams.batch_gram`.
    """
    began = process_time()
    sides = [chosen, rejected]
    if held_out is not None:
        sides = [join(side, out) for side, out in zip(sides, held_out, strict=True)]
    everyone = watched(chosen, rejected, held_out)
    n, total = len(chosen), len(sides[0])
    rows = np.r_[0:n, total : total + n, n:total, total + n : 2 * total]
    places = anchor_steps(steps, anchors)
    order = in_epochs(n, batch_size, steps, seed)
    origin = deepcopy(model).eval()
    sketch = Sketch.drawn(origin, everyone, coordinates, seed)
    first = sketch.weights_of(origin)
    lengths = np.concatenate([side.lengths.numpy(force=True) for side in (chosen, rejected)])
    start = measured(origin, everyone)[: 2 * n]
    sizes = [strength(objective, start, lengths.astype(float)) for objective in objectives]
    scores, logps, moves, branches, at, spent = [], [], [], [], [], []
    for branch, objective in enumerate(objectives):
        adaptive = rule.kind in ("adam", "adamw")
        matched = rule.rate if adaptive else rule.rate * sizes[0] / sizes[branch]
        copy = deepcopy(origin)
        run = Descent(copy, chosen, rejected, objective, replace(rule, rate=matched))
        done = 0
        for index, span in enumerate([*strides(steps, stride, places), 0]):
            if done in places and (done or not branch):
                scores.append(sketch.scores(copy, *sides)[rows])
                logps.append(measured(copy, everyone))
                moves.append(sketch.weights_of(copy) - first)
                branches.append(branch)
                at.append(done)
                report((branch + done / steps) / len(objectives))
            if span:
                before = process_time()
                run.advance(order[index], span)
                spent.append(process_time() - before)
                done += span
    numbers = (rule.rate, rule.momentum, *rule.betas, rule.epsilon, batch_size, steps)
    return Path(
        np.stack(scores),
        np.stack(logps),
        np.stack(moves),
        sketch.weights,
        np.array(branches),
        np.array(at),
        lengths.astype(float),
        ";".join(objective.name for objective in objectives),
        rule.kind,
        np.array(numbers, float),
        np.array([process_time() - began, np.median(spent)]),
    )


def anchor_steps(steps: int, anchors: int) -> list[int]:
    """Where to measure: the start, the first few updates, then evenly up to the last."""
    early = [step for step in EARLY if step < steps]
    rest = np.linspace(0, steps, max(anchors - len(early), 1) + 1)[1:]
    return sorted({*early, *(round(float(step)) for step in rest)})
