"""The sentiment study on all seeds and styles, in parallel, kept piece by piece."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from disband.lm.data.tweets import STYLES, Tweet

from ..gpt2.inquiry import Inquiry
from ..gpt2.items import Item
from ..gpt2.language import Arrays, Report
from ..gpt2.study import Progress, run_study
from .check import Settings, run

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Styled:
    """One piece: a response style, studied with these settings."""

    style: str
    settings: Settings

    def __str__(self) -> str:
        return self.style


def run_styled(
    piece: Styled, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Study one style on one seed; the items are tweets."""
    tweets = [item for item in items if isinstance(item, Tweet)]
    return run(piece.settings, piece.style, seed, tweets, base, report=report)


def run_all(
    tweets: Iterable[Tweet],
    folder: Path,
    progress: Progress,
    *,
    settings: Settings | None = None,
    seeds: Sequence[int] = SEEDS,
    styles: Sequence[str] = tuple(STYLES),
    fresh: bool = False,
    workers: int = 2,
    cluster: str | None = None,
) -> dict[tuple[int, str], Arrays]:
    """Run every style on every seed, as :func:`run_study` does; arrays by seed and style.

    Raises:
        WorkersError: Workers were lost, or the cluster cannot be used.
        RuntimeError: A task failed.
    """
    settings = settings or Settings()
    # A language model takes 60 s, the styles 15 to 30: the longest first, so that with three seeds
    # two processes end within seconds of one another.
    pieces = tuple(Styled(style, settings) for style in reversed(styles))
    results = run_study(
        [Inquiry("sentiment", run_styled, pieces, cost=5)], tuple(tweets), folder, progress,
        language=settings.language, seeds=seeds, fresh=fresh, workers=workers,
        cluster=cluster,
    )  # fmt: skip
    arrays = {(seed, piece.style): measured for (_, seed, piece), measured in results.items()}
    return {(seed, style): arrays[seed, style] for seed in seeds for style in styles}
