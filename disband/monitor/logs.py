"""A run's log by step: of training, and of evaluation beside it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .log_formats import EVENTS, is_broken, named, number, read_log, step_of

Array = npt.NDArray[np.float64]

STATE = "trainer_state.json"
_LOGS = ("*.jsonl", "*.csv", f"**/{EVENTS}*")


@dataclass(frozen=True)
class Run:
    """What a training logged, by step.

    Args:
        source: The file that it was read from.
        steps: The steps of its lines, ascending.
        lines: Metrics by name, finite numbers only, one mapping for each step.
        planned: How many steps training was to have; None if the file does not say.
        broken: Metrics that were once logged as no finite number, with the first such step.
        always_broken: Those of them that were never a finite number.
        counted: Whether steps are the numbers of the lines, as the log has none.
        unplaced: How many lines with metrics have no step, though others have.
        held_out: What evaluation logged, in the same form; None if nothing.
    """

    source: Path
    steps: tuple[int, ...]
    lines: tuple[Mapping[str, float], ...]
    planned: int | None = None
    broken: Mapping[str, int] = field(default_factory=dict)
    always_broken: frozenset[str] = frozenset()
    counted: bool = False
    unplaced: int = 0
    held_out: "Run | None" = None

    def column(self, name: str) -> tuple[Array, Array]:
        """Steps and values of a metric, where it was logged; both empty if nowhere."""
        rows = [
            (s, line[name]) for s, line in zip(self.steps, self.lines, strict=True) if name in line
        ]
        steps, values = np.array(rows, float).reshape(-1, 2).T
        return steps, values


def read(path: Path) -> Run:
    """Read a run's log.

    Args:
        path: A trainer's output folder, with ``trainer_state.json`` in it or in its checkpoints
            (the latest counts that can be read), or else with JSON lines, CSV or TensorBoard's
            files; or a file in any form of :mod:`disband.monitor.log_formats`. A last line that
            was cut off in writing is left out.

    Raises:
        ValueError: There is no log there, it is in no known form, or it has no metric.
        OSError: It cannot be read.
    """
    runs, faults = [], []
    for file in _files(path):
        try:
            runs.append(_of_file(file))
        except ValueError as error:
            # Training may have been killed while it wrote the last of them.
            faults.append(error)
    if not runs:
        raise faults[0]
    best = max(runs, key=lambda run: run.steps[-1] if run.steps else -1)
    if not (best.steps or best.held_out or best.broken):
        raise ValueError(
            f"a run's log has lines with numbers: {best.source} has none; train with "
            "logging_steps set, or give the folder of another run"
        )
    return best


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    states = [*path.glob(STATE), *path.glob(f"checkpoint-*/{STATE}")]
    logs = sorted(states) or next(filter(None, (sorted(path.glob(form)) for form in _LOGS)), [])
    if not logs:
        empty = "" if any(path.iterdir()) else " (it is empty)"
        raise ValueError(
            f"a run's folder has {STATE}, in itself or in a checkpoint, or a *.jsonl, *.csv or "
            f"TensorBoard file: {path} has none{empty}; call trainer.save_state() at the end of "
            "training, or set save_steps so that one which breaks off leaves a checkpoint, or give "
            "the file"
        )
    return logs


def _of_file(file: Path) -> Run:
    log = read_log(file)
    steps = [step_of(row) for row in log.rows]
    counted = all(step is None for step, _ in steps)
    numbered = [
        (float(line) if counted else step, row)
        for line, (row, (step, _)) in enumerate(zip(log.rows, steps, strict=True), start=1)
    ]
    numbered = list(_with_evaluation_placed(numbered))
    training = _merged(file, numbered, held_out=False)
    held_out = _merged(file, numbered, held_out=True)
    planned = [number(log.planned), *(plan for _, plan in steps)]
    return replace(
        training,
        planned=next((int(plan) for plan in planned if plan and 0 < plan < 1 << 53), None),
        counted=counted,
        unplaced=sum(bool(_metrics(row, held_out=False)) for step, row in numbered if step is None),
        held_out=held_out if held_out.steps else None,
    )


def _with_evaluation_placed(
    rows: Iterable[tuple[float | None, Mapping[str, Any]]],
) -> Iterator[tuple[float | None, Mapping[str, Any]]]:
    """A line of evaluation alone that has no step is of the one before it, at the start of 0."""
    last = 0.0
    for step, row in rows:
        last = last if step is None else step
        of_evaluation = _metrics(row, held_out=True) and not _metrics(row, held_out=False)
        yield (last if of_evaluation and step is None else step), row


def _merged(
    file: Path, rows: Iterable[tuple[float | None, Mapping[str, Any]]], *, held_out: bool
) -> Run:
    """The metrics of training, or of evaluation; lines of one step count as one."""
    by_step: dict[int, dict[str, float]] = {}
    broken: dict[str, int] = {}
    for step, row in rows:
        if step is None:
            continue
        known = _metrics(row, held_out=held_out)
        for metric, value in known.items():
            if is_broken(value):
                broken.setdefault(metric, int(step))
        finite = {m: n for m, value in known.items() if (n := number(value)) is not None}
        if finite.keys() - {"epoch"}:
            by_step.setdefault(int(step), {}).update(finite)
    lines = dict(sorted(by_step.items()))
    always = frozenset(broken) - {metric for line in lines.values() for metric in line}
    return Run(file, tuple(lines), tuple(lines.values()), None, broken, always)


def _metrics(row: Mapping[str, Any], *, held_out: bool) -> dict[str, Any]:
    """The metrics of one line, of training or of evaluation, by this project's names."""
    names = {name: named(str(name)) for name in row}
    return {
        known.metric: row[name]
        for name, known in names.items()
        if known is not None and known.held_out == held_out
    }
