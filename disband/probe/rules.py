"""A rule of advice, and how its numbers are said."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from disband.verify.pages.tables import percent

MANY = 0.1  # of pairs or of batches


@dataclass(frozen=True)
class Advice:
    """One rule and what it came to.

    Args:
        rule: When it applies.
        measured: The numbers that it looked at.
        applies: Whether it does.
        advice: What to do where it applies.
        reason: Why.
    """

    rule: str
    measured: str
    applies: bool
    advice: str
    reason: str


def interval(of: Mapping[str, Any]) -> str:
    """A share with its count and interval."""
    return (
        f"{percent(of['share'])} ({of['count']} of {of['of']}; "
        f"95 %: {percent(of['low'])} to {percent(of['high'])})"
    )
