"""Reads what a finished or running training left behind: trainer_state.json, or lines of JSON."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STATE = "trainer_state.json"
_LOGGERS = "train/"  # what loggers put before a metric's name
_EVALUATION = ("eval_", "eval/")


@dataclass(frozen=True)
class Run:
    """What a training logged, by step.

    Args:
        source: The file that it was read from.
        lines: Metrics by name, finite numbers only, one mapping for each step.
        steps: The steps of these lines, ascending.
        planned: How many steps training was to have; None if the file does not say.
        broken: Metrics that were once logged as no finite number, with the first such step.
    """

    source: Path
    steps: tuple[int, ...]
    lines: tuple[Mapping[str, float], ...]
    planned: int | None = None
    broken: Mapping[str, int] = field(default_factory=dict)

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
            (the latest counts that can be read), or else with JSON lines; or such a file itself.
            A last line that was cut off in writing is left out.

    Raises:
        ValueError: There is no log there, it is not JSON, or it has no training metric.
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
    if not best.steps:
        raise ValueError(
            f"a run's log has lines with a step and numbers: {best.source} has none; train with "
            "logging_steps set, or give the folder of another run"
        )
    return best


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    states = [*path.glob(STATE), *path.glob(f"checkpoint-*/{STATE}")]
    found = sorted(states) or sorted(path.glob("*.jsonl"))
    if not found:
        raise ValueError(
            f"a run's folder has {STATE}, in itself or in a checkpoint, or a *.jsonl file: {path} "
            f"has neither{_seen(path)}; call trainer.save_state() at the end of training, or set "
            "save_steps so that one which breaks off leaves a checkpoint, or give the file"
        )
    return found


def _seen(folder: Path) -> str:
    """What a folder without a log has in place of one."""
    if next(folder.rglob("events.out.tfevents.*"), None):
        return " (TensorBoard's files are not read)"
    return "" if any(folder.iterdir()) else " (it is empty)"


def _of_file(file: Path) -> Run:
    text = file.read_text("utf-8")
    planned = None
    try:
        if file.suffix == ".jsonl":
            rows = _of_lines([line for line in text.splitlines() if line.strip()])
        else:
            content = json.loads(text)
            rows = content["log_history"] if isinstance(content, dict) else content
            if isinstance(content, dict):
                planned = int(_number(content.get("max_steps")) or 0) or None
        merged, broken = _merged(rows)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(
            f"a run's log is a trainer's state, a list of JSON objects or lines of them: {file} is "
            f"not ({error}); give {STATE} or a *.jsonl file"
        ) from error
    return Run(file, tuple(merged), tuple(merged.values()), planned, broken)


def _of_lines(lines: Sequence[str]) -> list[Any]:
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except ValueError:
            if number < len(lines) or not rows:
                raise
    return rows


def _merged(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[dict[int, dict[str, float]], dict[str, int]]:
    """The metrics of training by step, in order, and first steps of those that broke.

    Lines of one step count as one.
    """
    by_step: dict[int, dict[str, float]] = {}
    broken: dict[str, int] = {}
    for row in rows:
        step = _number(row.get("step", row.get("global_step")))
        if step is not None:
            for name, value in row.items():
                if _not_finite(value) and not name.startswith(_EVALUATION):
                    broken.setdefault(name.removeprefix(_LOGGERS), int(step))
        metrics = {
            name.removeprefix(_LOGGERS): number
            for name, value in row.items()
            if not name.startswith(_EVALUATION) and (number := _number(value)) is not None
        }
        for name in ("step", "global_step", "train_loss"):
            metrics.pop(name, None)
        if step is not None and len(metrics.keys() - {"epoch"}):
            by_step.setdefault(int(step), {}).update(metrics)
    return dict(sorted(by_step.items())), broken


def _not_finite(value: Any) -> bool:
    """Whether a value is a number, also one written as text, but NaN or infinite."""
    try:
        return not math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _number(value: Any) -> float | None:
    """A finite number, also where a logger wrote it as text; None if it is none."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
