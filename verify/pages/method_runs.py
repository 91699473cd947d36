"""Which fix helps when, on small language models: from the tables of recorded runs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..experiments.gpt2.readings import GAINED
from .tables import Part, listed, percent

Record = Mapping[str, Any]
Rows = Sequence[Record]

QUESTION, NONE = "methods", "none"
# How much fewer right labels than without a method count as lost.
_LOST = 0.05


def run_parts(records: Iterable[Record]) -> list[Part]:
    """The tables of each record that asked the question; two for each kind of data."""
    found = []
    for record in records:
        rows = record["tables"].get(QUESTION, [])
        for data in dict.fromkeys(row["data"] for row in rows):
            its = [row for row in rows if row["data"] == data]
            found += [_by_method(record, data, its), _by_objective(record, data, its)]
    return found


def _by_method(record: Record, data: str, rows: Rows) -> Part:
    methods, objectives = _names(rows, "method"), _names(rows, "objective")
    seeds = len(_names(rows, "seed"))
    table = []
    for method in methods:
        its = _of(rows, method=method)
        table.append(
            [
                method,
                _count(_held(its, "chosen", at_least=0)),
                _count(_held(its, "rejected", at_most=0)),
                _count(_right(its)),
                _middle(its, "chosen", sign=True),
                _middle(its, "relative updates"),
                _middle(its, "relative cost"),
                _share(its, "labels before"),
                _share(its, "labels after"),
                _share(its, "empty batch bands"),
            ]
        )
    return Part(
        title=f"A small GPT-2, {data}: {len(objectives)} objectives, {seeds} seeds each",
        command=record["provenance"]["command"],
        columns=[
            "method", "chosen preserved", "rejected suppressed", "both", "chosen (nats)",
            "updates needed", "CPU per step", "right labels before", "after", "empty batch bands",
        ],
        rows=table,
        says=_says(rows, methods, objectives),
    )  # fmt: skip


def _by_objective(record: Record, data: str, rows: Rows) -> Part:
    table = []
    for objective in _names(rows, "objective"):
        for method in _names(rows, "method"):
            its = _of(rows, objective=objective, method=method)
            table.append(
                [
                    objective,
                    method,
                    _range(its, "chosen", sign=True),
                    _range(its, "rejected", sign=True),
                    _count(_right(its)),
                    _range(its, "relative updates"),
                    _range(its, "relative cost"),
                    f"{_share(its, 'labels before')} to {_share(its, 'labels after')}",
                    _share(its, "empty batch bands"),
                ]
            )
    return Part(
        title=f"The same by objective, {data}: means over seeds and their ranges",
        command=record["provenance"]["command"],
        columns=[
            "objective", "method", "chosen (nats)", "rejected (nats)", "both right",
            "updates needed", "CPU per step", "right labels", "empty batch bands",
        ],
        rows=table,
        says=[
            (f"Changes are those where the mean held-out margin had grown by {GAINED} nat; updates "
            "and CPU time are relative to no method. Where some seeds are named, the margin never "
            "grew so far on the others; a dash: on none, or the batch band was not looked at.")
        ],
    )  # fmt: skip


def _says(rows: Rows, methods: Sequence[str], objectives: Sequence[str]) -> list[str]:
    said = [_best(rows, methods), *_highest(rows, methods)]
    helped, failed = [], []
    for objective in objectives:
        its = _of(rows, objective=objective)
        every = [method for method in methods if all(_right(_of(its, method=method)))]
        if every and NONE not in every:
            helped.append(f"{objective} ({listed(every)})")
        elif not every:
            failed.append(objective)
    if helped:
        said.append(f"Right on every seed with a method, not with none: {'; '.join(helped)}.")
    if failed:
        said.append(f"No method sets both right on every seed under {listed(failed)}.")
    lost = listed([method for method in methods if _lost(rows, method)] or ["no method"])
    said.append(f"More than {percent(_LOST, 1)} fewer right labels than with none: {lost}.")
    empty = _values(rows, "empty batch bands")
    if len(empty) and empty.any():
        said.append(
            f"The batch band in the optimizer's metric was empty in {percent(empty.mean(), 1)} of "
            "the batches: there no factor on the incentives helps both means."
        )
    elif len(empty):
        said.append(
            "The batch band in the optimizer's metric was never empty. Where the held-out chosen "
            "falls all the same, it is that the band keeps the means of the batch trained on, and "
            "does not reckon with the optimizer's memory."
        )
    return said


def _best(rows: Rows, methods: Sequence[str]) -> str:
    right = {method: float(_right(_of(rows, method=method)).mean()) for method in methods}
    best = max(right, key=right.__getitem__)
    if right[best] == right[NONE]:
        return (
            f"No method does better than none: both right in {percent(right[NONE], 1)} of the runs."
        )
    its = _of(rows, method=best)
    updates, cost = (_middle(its, name) for name in ("relative updates", "relative cost"))
    return (
        f"Both are right in {percent(right[best], 1)} of the runs with {best}, at {updates} times "
        f"the updates and {cost} times the CPU time of a step, in {percent(right[NONE], 1)} with "
        "none."
    )


def _highest(rows: Rows, methods: Sequence[str]) -> list[str]:
    """Where the chosen ends, which tells methods apart that preserve it as rarely."""
    ends = {method: _values(_of(rows, method=method), "chosen") for method in methods}
    middle = {method: float(np.median(values)) for method, values in ends.items() if len(values)}
    if NONE not in middle:
        return []
    best = max(middle, key=middle.__getitem__)
    its, plain = (_middle(_of(rows, method=m), "chosen", sign=True) for m in (best, NONE))
    if best == NONE:
        return [f"No method leaves the chosen higher than none does: median {plain} nat."]
    return [f"The chosen ends highest with {best}: median {its} nat, {plain} with none."]


def _lost(rows: Rows, method: str) -> bool:
    after = {m: _values(_of(rows, method=m), "labels after").mean() for m in (NONE, method)}
    return bool(after[method] < after[NONE] - _LOST)


def _names(rows: Rows, name: str) -> list[Any]:
    return list(dict.fromkeys(row[name] for row in rows))


def _of(rows: Rows, **wanted: Any) -> list[Record]:
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def _known(value: Any) -> bool:
    return value is not None and bool(np.isfinite(value))


def _values(rows: Rows, name: str) -> npt.NDArray[np.float64]:
    return np.array([row[name] for row in rows if _known(row[name])], float)


def _held(
    rows: Rows, name: str, at_least: float = -np.inf, at_most: float = np.inf
) -> npt.NDArray[np.bool_]:
    """Whether it is so, run by run; not so where it is unknown."""
    values = [row[name] for row in rows]
    return np.array([_known(x) and at_least <= x <= at_most for x in values])


def _right(rows: Rows) -> npt.NDArray[np.bool_]:
    return _held(rows, "chosen", at_least=0) & _held(rows, "rejected", at_most=0)


def _count(held: npt.NDArray[np.bool_]) -> str:
    return f"{int(held.sum())} of {len(held)}"


def _middle(rows: Rows, name: str, *, sign: bool = False) -> str:
    values = _values(rows, name)
    form = "{:+.2f}" if sign else "{:.2f}"
    return form.format(np.median(values)).replace("-", "−") if len(values) else "–"


def _share(rows: Rows, name: str) -> str:
    values = _values(rows, name)
    return percent(float(values.mean()), 1) if len(values) else "–"


def _range(rows: Rows, name: str, *, sign: bool = False) -> str:
    """Mean, least and most over seeds."""
    values = _values(rows, name)
    if not len(values):
        return "–"
    form = "{:+.2f}" if sign else "{:.2f}"
    three = (values.mean(), values.min(), values.max())
    mean, low, high = (form.format(value).replace("-", "−") for value in three)
    known = f", on {len(values)} of {len(rows)} seeds" if len(values) < len(rows) else ""
    return f"{mean} ({low} to {high}){known}"
