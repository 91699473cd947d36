"""A run's log by step: of training, and of evaluation beside it.

Where a log goes back to an earlier step, training was resumed there, or another one began: what
stood from that step on is left out, and fewer than ``OF_ANOTHER`` lines before it as well.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .log_formats import EVENTS, is_broken, named, number, read_log, step_of

Array = npt.NDArray[np.float64]

STATE = "trainer_state.json"
OF_ANOTHER = 3  # lines
_LOGS = ("*.jsonl", "*.csv", f"**/{EVENTS}*")
_RESPONSES = ("chosen", "rejected")
_TOLD = ("loss", "rewards/", "logps/")
_LABEL = re.compile(r"[^\W\d]")
_TIME = re.compile(r"\d:\d\d|\d{4}-\d\d-\d\d")


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
        remarks: What is odd about the log itself.
        held_out: What evaluation logged, in the same form; None if nothing.
    """

    source: Path
    steps: tuple[int, ...]
    lines: tuple[Mapping[str, float], ...]
    planned: int | None = None
    broken: Mapping[str, int] = field(default_factory=dict)
    always_broken: frozenset[str] = frozenset()
    counted: bool = False
    remarks: tuple[str, ...] = ()
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
    best = max(runs, key=_reached)
    if not (best.steps or best.held_out or best.broken):
        raise ValueError(
            f"a run's log has lines with numbers: {best.source} has none; train with "
            "logging_steps set, or give the folder of another run"
        )
    return best


def _reached(run: Run) -> tuple[int, int]:
    """The last step of training or evaluation, and how many lines there are of both."""
    steps = [*run.steps, *(run.held_out.steps if run.held_out else ())]
    return max(steps, default=-1), len(steps)


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
    rows, remarks = list(log.rows), list(log.remarks)
    if any(isinstance(row.get(side), str | list) for row in rows[:1] for side in _RESPONSES):
        raise ValueError(
            f"a run's log has numbers: {file} has responses, as preference data; give it to "
            "disband probe, and the trainer's log to report"
        )
    steps = [step_of(row) for row in rows]
    placed = [step for step, _ in steps if step is not None]
    if len(placed) > 1 and all(after < before for before, after in pairwise(placed)):
        rows, steps = rows[::-1], steps[::-1]
    counted = not placed
    if _begin_anew_with_each_epoch(rows, steps):
        counted = True
        remarks.append("the steps begin anew with each epoch: lines are counted in their place")
    elif counted:
        _require_one_run(file, rows)
        remarks.append("the log has no steps: lines are counted in their place")
        rows, back = _last_by_epoch(rows)
        remarks += back
    numbered = [
        (float(line) if counted else step, row)
        for line, (row, (step, _)) in enumerate(zip(rows, steps, strict=False), start=1)
    ]
    numbered = list(_with_evaluation_placed(numbered))
    training, back = _merged(file, numbered, held_out=False)
    held_out, back_of_evaluation = _merged(file, numbered, held_out=True)
    remarks += back or back_of_evaluation
    if unplaced := sum(_tells(row, held_out=False) for step, row in numbered if step is None):
        remarks.append(f"{unplaced} lines have no step and are left out")
    planned = [number(log.planned), *(plan for _, plan in steps)]
    return replace(
        training,
        planned=None
        if counted
        else next((int(plan) for plan in planned if plan and 0 < plan < 1 << 53), None),
        counted=counted,
        remarks=tuple(remarks),
        held_out=replace(held_out, counted=counted) if held_out.steps else None,
    )


def _begin_anew_with_each_epoch(
    rows: Sequence[Mapping[str, Any]], steps: Sequence[tuple[float | None, float | None]]
) -> bool:
    both = [
        (step, epoch)
        for row, (step, _) in zip(rows, steps, strict=True)
        if step is not None and (epoch := number(row.get("epoch"))) is not None
    ]
    return any(s < step and e > epoch for (step, epoch), (s, e) in pairwise(both))


def _require_one_run(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse lines that are told apart by names, as of runs that are compared.

    Raises:
        ValueError: They have no epochs, and a name each.
    """
    rows = [row for row in rows if _tells(row, held_out=False) or _tells(row, held_out=True)]
    epochs = {number(row["epoch"]) for row in rows if "epoch" in row}
    if len(rows) < 2 or len(epochs) > 1:
        return
    for name in rows[0]:
        labels = [value for row in rows if isinstance(value := row.get(name), str)]
        if (
            len(set(labels)) == len(rows)
            and all(_LABEL.search(value) and not _TIME.search(value) for value in labels)
            and not any(number(value) is not None or is_broken(value) for value in labels)
        ):
            raise ValueError(
                f"the lines of a run's log follow each other in training: those of {file} have "
                f"no steps and are told apart by {name} ({labels[0]!r:.40}, {labels[1]!r:.40}), as "
                "runs are; give the log of one run, with its steps"
            )


def _last_by_epoch(
    rows: Sequence[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], tuple[str, ...]]:
    """The rows of the last training, where the epochs go back, and what was left out."""
    kept: list[tuple[float, Mapping[str, Any]]] = []
    last, back = 0.0, []
    for row in rows:
        epoch = number(row.get("epoch"))
        epoch = last if epoch is None else epoch
        if epoch < last:
            earlier = [(e, r) for e, r in kept if e < epoch]
            kept = earlier if len(earlier) >= OF_ANOTHER else []
            back.append((last, epoch))
        kept.append((epoch, row))
        last = epoch
    return [row for _, row in kept], _went_back("epoch", back)


def _went_back(unit: str, back: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    if not back:
        return ()
    often = f"{len(back)} times, at last" if len(back) > 1 else "once,"
    remark = (
        f"the log goes back {often} from {unit} {back[-1][0]:g} to {back[-1][1]:g}, as if "
        "training was resumed or another run began: what stood from there on is left out"
    )
    return (remark,)


def _with_evaluation_placed(
    rows: Iterable[tuple[float | None, Mapping[str, Any]]],
) -> Iterator[tuple[float | None, Mapping[str, Any]]]:
    """A line of evaluation alone that has no step is of the one before it, at the start of 0."""
    last = 0.0
    for step, row in rows:
        last = last if step is None else step
        of_evaluation = _tells(row, held_out=True) and not _tells(row, held_out=False)
        yield (last if of_evaluation and step is None else step), row


def _merged(
    file: Path, rows: Iterable[tuple[float | None, Mapping[str, Any]]], *, held_out: bool
) -> tuple[Run, tuple[str, ...]]:
    """The metrics of training, or of evaluation, and what was left out of them.

    Lines of one step count as one.
    """
    columns: dict[str, dict[int, float]] = {}
    broken: dict[str, int] = {}
    last: dict[str, int] = {}
    back: dict[str, list[tuple[float, float]]] = {}
    twice: set[tuple[str, int]] = set()
    for place, row in rows:
        if place is None:
            continue
        step = int(place)
        for metric, value in _metrics(row, held_out=held_out).items():
            finite, unfinite = number(value), is_broken(value)
            if finite is None and not unfinite:
                continue
            column = columns.setdefault(metric, {})
            if step < last.get(metric, 0):
                back.setdefault(metric, []).append((last[metric], step))
                earlier = {s: v for s, v in column.items() if s < step}
                column = columns[metric] = earlier if len(earlier) >= OF_ANOTHER else {}
                if broken.get(metric, -1) >= step or not column:
                    broken.pop(metric, None)
            last[metric] = step
            if unfinite:
                broken.setdefault(metric, step)
            elif finite is not None:
                if column.get(step, finite) != finite and metric.startswith(_TOLD):
                    twice.add((metric, step))
                column[step] = finite
    by_step: dict[int, dict[str, float]] = {}
    for metric, column in columns.items():
        for step, value in column.items():
            by_step.setdefault(step, {})[metric] = value
    lines = {step: line for step, line in sorted(by_step.items()) if line.keys() - {"epoch"}}
    always = frozenset(broken) - {metric for line in lines.values() for metric in line}
    remarks = _went_back("step", max(back.values(), key=len, default=()))
    if conflicts := {step for _, step in twice}:
        remark = (
            f"{len(conflicts)} steps have several lines with different numbers, first step "
            f"{min(conflicts)}: the last line counts"
        )
        remarks += (remark,)
    return Run(file, tuple(lines), tuple(lines.values()), None, broken, always), remarks


def _metrics(row: Mapping[str, Any], *, held_out: bool) -> dict[str, Any]:
    """The metrics of one line, of training or of evaluation, by this project's names."""
    names = {name: named(str(name)) for name in row}
    return {
        known.metric: row[name]
        for name, known in names.items()
        if known is not None and (known.held_out == held_out or name == "epoch")
    }


def _tells(row: Mapping[str, Any], *, held_out: bool) -> bool:
    """Whether a line has more of training, or of evaluation, than its epoch."""
    return bool(_metrics(row, held_out=held_out).keys() - {"epoch"})
