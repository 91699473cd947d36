"""The rehearsal's page: one table and the courses behind it."""

from collections.abc import Mapping, Sequence
from math import isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING

from disband.verify.pages.kit import page, svg
from disband.verify.pages.tables import number, percent

from .findings import short

if TYPE_CHECKING:
    from disband.figures.horizon.runs import Course

    from .findings import ArmReport, Mean
    from .forecast import Foretold
    from .run import Record

# What stands under each column's name in ``table_of``.
COLUMNS: Mapping[str, str] = {
    "arm": "an objective, trained as it is or with a remedy",
    "chosen": "mean change of the held-out chosen log-probability, nats, with its 95 % interval",
    "forecast": "the chosen's change as it was forecast before; ? where the forecast says not to "
    "lean on it",
    "1st order": "the same with the scores of the start",
    "rejected": "the same of the rejected",
    "margin": "chosen less rejected",
    "equal margin": "the chosen's change where the margin had grown as much as the arm's whose "
    "margin grew least",
    "highest": "the update after which the mean chosen was highest, of those looked at",
    "both fall": "share of held-out pairs of which both responses fell",
    "cost": "CPU time of an update, against the first arm's",
}


def html(record: "Record", figure: str) -> str:
    """The page.

    Args:
        record: What ``disband rehearse`` writes as JSON.
        figure: The courses, as SVG text.

    Raises:
        ValueError: The figure is no SVG.
    """
    return page(
        Path(__file__).with_name("page.html.j2"),
        {"percent": percent},
        record=record,
        figure=svg(figure, "courses"),
        columns=COLUMNS,
        rows=table_of(record["arms"]),
    )


def drawn(record: "Record") -> str:
    """The courses of all arms, as SVG text."""
    from disband.figures.drawing import svg_text
    from disband.figures.horizon.runs import courses_picture

    return svg_text(courses_picture({arm["arm"]: _courses(arm) for arm in record["arms"]}))


def table_of(arms: "Sequence[ArmReport]") -> list[list[str]]:
    """A row for each arm, of the cells that ``COLUMNS`` names."""
    unit = arms[0]["seconds"]
    return [
        [
            arm["arm"] + ("" if arm["finite"] else f" (not finite from update {arm['steps']})"),
            _spread(arm["chosen"]),
            *_told(arm["forecast"]),
            _signed(arm["rejected"]["mean"]),
            _spread(arm["margin"]),
            _signed(arm["at_equal_margin"]),
            str(arm["turn"]["step"]),
            percent(arm["cases"]["both_fall"]["share"]),
            f"× {arm['seconds'] / unit:.1f}" if unit else "–",
        ]
        for arm in arms
    ]


def _told(of: "Foretold | None") -> tuple[str, str]:
    if of is None:
        return "–", "–"
    return _signed(of["chosen"]) + ("" if of["trusted"] else " ?"), _signed(of["first_order"])


def _courses(arm: "ArmReport") -> "dict[str, Course]":
    from disband.figures.horizon.runs import Course

    courses = {"truth": Course(*zip(*arm["curve"], strict=True))}
    told = arm["forecast"]
    # What is not finite is null in the record.
    if points := [row for row in told["curve"] if None not in row] if told else []:
        steps, chosen, rejected, first_w, first_l = zip(*points, strict=True)
        courses["forecast"] = Course(steps, chosen, rejected)
        courses["first order"] = Course(steps, first_w, first_l)
    return courses


def _spread(mean: "Mean") -> str:
    """A mean with half its interval, which Student's makes even."""
    half = (mean["high"] or nan) - mean["mean"] if mean["low"] is not None else nan
    return _signed(mean["mean"]) + ("" if isnan(half) else f" ± {number(float(f'{half:.2g}'))}")


def _signed(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{'+' if value > 0 else ''}{short(value)}"
