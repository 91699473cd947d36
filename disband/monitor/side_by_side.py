"""Two runs beside each other: what became of each side, as a table for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from .advice import Said
from .diagnosis import Diagnosis
from .logs import STATE, Run
from .motion import Motion

_LABEL, _COLUMN = 18, 29  # characters
_METRICS = (("accuracy at the end", "rewards/accuracies"), ("loss at the end", "loss"))


def side_by_side(runs: Sequence[tuple[Run, Diagnosis, Said]]) -> str:
    """The runs of a training, a column each, in lines of at most 80 characters."""
    columns = [dict(_column(*run)) for run in runs]
    labels = dict.fromkeys(label for column in columns for label in column)
    return "\n".join(
        line
        for label in labels
        for line in _row(label, [column.get(label, "not logged") for column in columns])
    )


def _column(run: Run, diagnosis: Diagnosis, words: Said) -> Iterator[tuple[str, str]]:
    yield "run", run.source.parent.name if run.source.name == STATE else run.source.name
    yield "verdict", words.headline
    if run.steps:
        steps = f"{run.steps[0]} to {run.steps[-1]}, " * (not run.counted)
        yield "steps", f"{steps}{len(run.steps)} lines"
    for prefix, motions in (("", diagnosis.motions), ("held-out ", diagnosis.held_out)):
        for side, motion in motions.items():
            yield f"{prefix}{side}", _moved(motion, diagnosis.unit)
    for label, metric in _METRICS:
        values = run.column(metric)[1]
        if len(values):
            yield label, f"{values[-max(1, len(values) // 10) :].mean():.3g}"
    yield "first action", words.todo[0] if words.todo else "none"


def _moved(motion: Motion, unit: str) -> str:
    moved = f"{motion.start:.3g} to {motion.end:.3g} ({motion.metric.partition('/')[0]})"
    if motion.turn is not None:
        moved += f", {motion.turn.value:.3g} at {unit} {motion.turn.step}"
    return moved


def _row(label: str, cells: Sequence[str]) -> Iterator[str]:
    wrapped = [
        textwrap.wrap(label, _LABEL),
        *(textwrap.wrap(cell, _COLUMN, break_long_words=True) for cell in cells),
    ]
    for first, *rest in zip_longest(*wrapped, fillvalue=""):
        yield "  ".join([f"{first:{_LABEL}}", *(f"{part:{_COLUMN}}" for part in rest)]).rstrip()
