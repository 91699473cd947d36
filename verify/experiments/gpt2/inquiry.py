"""What is run to answer a question at one scale; knows nothing of how its pieces are run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from .items import Item
from .language import Arrays, Report

Scale = Literal["small", "laptop", "pretrained", "full"]
Work = Callable[[Any, int, tuple[Item, ...], Arrays, Report], Arrays]


@dataclass(frozen=True)
class Inquiry:
    """What is run to answer one question at one scale, once for every seed.

    Args:
        name: The question's.
        work: A function of a module; does one piece from a seed, the tweets and the seed's
            language model, and reports the share that is done.
        pieces: Frozen dataclasses, each a configuration of its own; ``str`` of one names it.
        cost: Processor time of a piece in seconds, roughly, for the progress bar alone.
        asked: Whether it is run when no question is named.
        before_others: The first so many pieces are done on every seed before the others on any.
        threads: Of the process that does a piece.
    """

    name: str
    work: Work
    pieces: tuple[Any, ...]
    cost: float = 10.0
    asked: bool = True
    before_others: int | None = None
    threads: int = 1
