"""The sentiment study on all seeds and styles, in parallel, kept piece by piece."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from disband.lm.data.tweets import STYLES, Tweet, data_hash

from ...kept.store import Store
from ..gpt2.language import Arrays, Report, language_model
from ..gpt2.workers import run_tasks
from .check import Settings, run

Piece = tuple[int, str]
Progress = Callable[[float, float, str], None]

SEEDS = (0, 1, 2)
LANGUAGE_MODEL = "language model"
# Processor time of the pieces relative to each other, for the progress bar alone.
_COST = {LANGUAGE_MODEL: 4.0, "prefix+suffix": 2.0}


@dataclass(frozen=True)
class Task:
    """One piece of work: the language model of a seed, or one style on top of it."""

    settings: Settings
    tweets: tuple[Tweet, ...]
    seed: int
    piece: str
    base: Arrays | None = None


def work(task: Task, report: Report) -> Arrays:
    """Do one task in a process of its own, on one thread."""
    torch.set_num_threads(1)
    if task.base is None:
        return language_model(task.settings.language, task.seed, task.tweets, report)
    return run(task.settings, task.piece, task.seed, task.tweets, task.base, report=report)


def run_all(
    tweets: Iterable[Tweet],
    store: Store,
    progress: Progress,
    *,
    settings: Settings | None = None,
    seeds: Sequence[int] = SEEDS,
    styles: Sequence[str] = tuple(STYLES),
    workers: int = 2,
) -> dict[Piece, Arrays]:
    """Run every style on every seed, in ``workers`` processes; keep each piece as it is done.

    Args:
        tweets: The corpus.
        store: Holds the finished pieces; what is there already is not computed again.
        progress: Called with work done, work in total, and what was just done.
        settings: The study's numbers.
        seeds: Each draws a new language model and a new order of the tweets.
        styles: Of ``STYLES``.
        workers: Number of processes, each of one thread.

    Returns:
        The arrays of ``run`` for each ``(seed, style)``.

    Raises:
        RuntimeError: A worker failed.
    """
    settings = settings or Settings()
    corpus = tuple(tweets)
    common = {"settings": asdict(settings), "data": data_hash(corpus)}
    pieces = [(seed, style) for seed in seeds for style in styles]

    def key(seed: int, piece: str) -> dict[str, Any]:
        return {**common, "seed": seed, "piece": piece}

    def load(seed: int, piece: str) -> Arrays | None:
        return store.load("sentiment", key(seed, piece))

    results = {piece: found for piece in pieces if (found := load(*piece)) is not None}
    missing = [piece for piece in pieces if piece not in results]
    bases = {seed: load(seed, LANGUAGE_MODEL) for seed in {seed for seed, _ in missing}}
    total = len(seeds) * sum(map(_cost, (LANGUAGE_MODEL, *styles)))
    shares = dict.fromkeys(results, 1.0)
    shares.update({(s, LANGUAGE_MODEL): 1.0 for s in seeds if bases.get(s, {}) is not None})

    def advance(seed: int, piece: str, share: float, text: str) -> None:
        shares[seed, piece] = share
        progress(sum(_cost(name) * s for (_, name), s in shares.items()), total, text)

    def tasks_on(seed: int, base: Arrays) -> list[Task]:
        return [Task(settings, corpus, s, style, base) for s, style in missing if s == seed]

    def finished(task: Task, arrays: Arrays) -> list[Task]:
        store.save("sentiment", key(task.seed, task.piece), arrays)
        advance(task.seed, task.piece, 1.0, f"seed {task.seed}: {task.piece} done")
        if task.piece == LANGUAGE_MODEL:
            return tasks_on(task.seed, arrays)
        results[task.seed, task.piece] = arrays
        return []

    start = [
        task
        for seed, base in sorted(bases.items())
        for task in (
            [Task(settings, corpus, seed, LANGUAGE_MODEL)] if base is None else tasks_on(seed, base)
        )
    ]
    run_tasks(
        work,
        start,
        finished=finished,
        progressed=lambda t, share: advance(t.seed, t.piece, share, f"seed {t.seed}: {t.piece}"),
        workers=min(workers, max(1, len(missing))),
    )
    return {piece: results[piece] for piece in pieces}


def _cost(piece: str) -> float:
    return _COST.get(piece, 1.0)
