"""Forms in which people have a run's log, each read into rows: one mapping of metrics a line.

Trainers' states and lists of JSON objects, JSON lines (also cut off in writing), objects or columns
by metric, CSV, TensorBoard's event files, and what people are shown, as in
:mod:`disband.monitor.log_texts`. Nothing that is read is run as code.
"""

import csv
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from .log_texts import FORMS, shown_in_notebook

EVENTS = "events.out.tfevents."
LARGEST = 1 << 28  # bytes of a log
_POINTER = "version https://git-lfs."
_LARGEST_NUMBER = 1e100  # beyond it, differences and squares have no value


class Log(NamedTuple):
    """A log as it was written.

    Args:
        rows: Metrics by the names that the logger gave them, in order.
        planned: How many steps training was to have, where the file says so.
        remarks: What is odd about the file.
    """

    rows: Sequence[Mapping[str, Any]]
    planned: Any = None
    remarks: tuple[str, ...] = ()


def read_log(file: Path) -> Log:
    """Read a log in whichever form it has.

    Raises:
        ValueError: It has none of the forms, or is larger than ``LARGEST``.
        OSError: It cannot be read.
    """
    if not file.is_file():
        raise ValueError(f"a log is a file or a folder: {file} is neither; copy it to a file first")
    if file.stat().st_size > LARGEST:
        raise ValueError(
            f"a log has at most {LARGEST >> 20} MiB: {file} has {file.stat().st_size >> 20}; give "
            "the trainer's own log alone"
        )
    if file.name.startswith(EVENTS):
        return Log(_events(file))
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeError as error:
        raise ValueError(
            f"a log is text in UTF-8: {file} is not ({error}); give the trainer's own log"
        ) from error
    if not text.strip():
        raise ValueError(
            f"a log has lines: {file} is empty; give the file that training wrote, or look at what "
            "was redirected where"
        )
    if text.startswith(_POINTER):
        raise ValueError(
            f"a log is there itself: {file} is Git LFS's pointer to it; git lfs pull brings it, or "
            "give another file"
        )
    if file.suffix == ".csv":
        return Log(_csv(text))
    if file.suffix == ".jsonl":
        return Log(_json_lines(text))
    if file.suffix == ".ipynb":
        text = shown_in_notebook(text)
    for form in (_json, _json_lines_alone, _shown):
        log = form(text)
        if log is not None:
            return log
    raise ValueError(
        "a run's log is a trainer's state, JSON lines, what it printed, a table or CSV: "
        f"{file} is none of them; give trainer_state.json, or the file that the logger exports"
    )


def _shown(text: str) -> Log | None:
    """The form, and of several tables the one, with most lines of a side, or else most lines."""
    forms = [[(_with_sides(rows), len(rows), rows) for rows in form(text)] for form in FORMS]
    lines, _, rows = max((part for form in forms for part in form), key=lambda part: part[:2])
    if not rows:
        return None
    others = sum(part[0] > 0 for form in forms if any(rows is p[2] for p in form) for part in form)
    if lines and others > 1:
        return Log(rows, None, (f"the file has {others} tables of runs: this is the longest",))
    return Log(rows)


def _with_sides(rows: Iterable[Mapping[str, Any]]) -> int:
    names = [[named(name) for name in row] for row in rows]
    return sum(any(n is not None and n.metric.startswith(SIDES) for n in row) for row in names)


def _json(text: str) -> Log | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, list):
        return Log(_mappings(content))
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("log_history"), list):
        return Log(_mappings(content["log_history"]), content.get("max_steps"))
    columns = {str(name): rows for name, rows in content.items() if isinstance(rows, list)}
    if not columns:
        return Log([content])
    if all(isinstance(row, dict) for rows in columns.values() for row in rows):
        # One list of {step, value} for each metric.
        return Log([row for rows in columns.values() for row in rows])
    names = list(columns)
    lines = zip_longest(*columns.values())
    return Log([dict(zip(names, line, strict=True)) for line in lines])


def _mappings(rows: Iterable[Any]) -> list[Mapping[str, Any]]:
    rows = list(rows)
    if wrong := [row for row in rows if not isinstance(row, dict)]:
        raise ValueError(
            f"each line of a log is an object of metrics: got {str(wrong[0])[:60]!r}; give the "
            "trainer's own log"
        )
    return rows


def _json_lines(text: str) -> list[Mapping[str, Any]]:
    """Rows of JSON lines; a last one that was cut off in writing is left out.

    Raises:
        ValueError: Another line is not a JSON object.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    rows: list[Any] = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            if number < len(lines) or not rows:
                raise ValueError(
                    f"each line of a *.jsonl file is a JSON object: line {number} is not "
                    f"({str(error)[:60]}); give the file as the logger wrote it"
                ) from error
    return _mappings(rows)


def _json_lines_alone(text: str) -> Log | None:
    try:
        rows = _json_lines(text)
    except ValueError:
        return None
    return Log(rows) if rows else None


def _csv(text: str) -> list[Mapping[str, Any]]:
    """Rows of CSV, also as W&B exports it: ``run - metric``, with least and greatest beside it."""
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error as error:
        raise ValueError(f"a log in CSV has a head and rows: {error}; export it anew") from error
    return [
        {
            name.rpartition(" - ")[2]: value
            for name, value in row.items()
            if name and not name.endswith(("__MIN", "__MAX")) and isinstance(value, str)
        }
        for row in rows
    ]


def _events(file: Path) -> list[Mapping[str, Any]]:
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError as error:
        raise ValueError(
            f"TensorBoard's files are read with its package, which is not installed: {file}; "
            "pip install tensorboard, or give trainer_state.json"
        ) from error
    events = EventAccumulator(str(file), size_guidance={"scalars": 0})
    events.Reload()
    return [
        {"step": event.step, tag: event.value}
        for tag in events.Tags()["scalars"]
        for event in events.Scalars(tag)
    ]


class Name(NamedTuple):
    """A metric as this project calls it.

    Args:
        metric: Its name, such as ``rewards/chosen``.
        held_out: Whether it is of evaluation.
    """

    metric: str
    held_out: bool


_STEPS = (
    "step", "global_step", "train/global_step", "Step", "global_step/max_steps", "_step",
    "counters/updates", "current_steps",
)  # fmt: skip
_PLANNED = ("total_steps", "max_steps")
SIDES = ("rewards/", "logps/")
# What a trainer says of training as a whole, at its end.
_OF_THE_WHOLE = frozenset(
    ("train_loss", "train_runtime", "train_samples_per_second", "train_steps_per_second")
)
_COUNTS = {*_STEPS, *_PLANNED, "counters/examples", "train_loss", "_runtime", "_timestamp"}
_PREFIXES = (("eval_", True), ("eval/", True), ("train/", False), ("train_", False))
# How other trainers call the same.
_ALSO = {
    **dict.fromkeys(("chosen_reward", "chosen_rewards", "reward_chosen"), "rewards/chosen"),
    **dict.fromkeys(
        ("rejected_reward", "reject_reward", "rejected_rewards", "reward_rejected"),
        "rewards/rejected",
    ),
    **dict.fromkeys(
        ("margin", "reward_margin", "rewards/margin", "rewards/reward_margin"), "rewards/margins"
    ),
    **dict.fromkeys(
        ("reward_acc", "rewards/accuracy", "rewards/reward_accuracy"), "rewards/accuracies"
    ),
    "rewards/chosen_rewards": "rewards/chosen",
    "rewards_chosen_mean": "rewards/chosen",
    "rewards_rejected_mean": "rewards/rejected",
    "rewards/rejected_rewards": "rewards/rejected",
    "logps/chosen_logps": "logps/chosen",
    "logps/rejected_logps": "logps/rejected",
    "log_probs/chosen": "logps/chosen",
    "log_probs/rejected": "logps/rejected",
}
_REFERENCE = re.compile(r"(rewards|logps|loss)_?/?(train|eval)(?:/(\w+))?$")


@lru_cache(1 << 12)
def named(name: str) -> Name | None:
    """What a logger's name stands for; None for a count, which is no metric."""
    if name in _COUNTS:
        return None
    if parts := _REFERENCE.match(name):
        kind, which, side = parts.groups()
        metric = f"{kind}/{side}" if side else kind
        return Name(_ALSO.get(metric, metric), which == "eval")
    for prefix, held_out in _PREFIXES:
        if name.startswith(prefix) and name not in _OF_THE_WHOLE:
            metric = name.removeprefix(prefix)
            return Name(_ALSO.get(metric, metric), held_out)
    return Name(_ALSO.get(name, name), held_out=False)


def step_of(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The step of a row, and how many training is to have, where it says ``10/378`` or so."""
    for name in _STEPS:
        text, _, planned = str(row.get(name, "")).partition("/")
        step = number(text)
        if step is not None and 0 <= step < 1 << 53:
            said = [number(row.get(name)) for name in _PLANNED]
            return step, number(planned) or next(filter(None, said), None)
    return None, None


def number(value: Any) -> float | None:
    """A number up to 1e100, also where a logger wrote it as text; None if it is none."""
    read = _any_number(value)
    return read if read is not None and abs(read) <= _LARGEST_NUMBER else None


def is_broken(value: Any) -> bool:
    """Whether a value is a number, also one written as text, but NaN or beyond 1e100."""
    read = _any_number(value)
    return read is not None and not abs(read) <= _LARGEST_NUMBER


def _any_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except ValueError:
        return None
