"""Questions answered by many runs: on several seeds, in parallel, kept piece by piece."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from disband.lm.data.tweets import Tweet, data_hash

from ...kept.store import Store
from ...workers.tasks import SHARED, run_tasks
from .inquiry import Inquiry
from .items import Item
from .language import Arrays, Language, Report, language_model
from .preparation import named

Progress = Callable[[float, float, str], None]
Results = dict[tuple[str, int, Any], Arrays]

LANGUAGE_MODEL = "language model"


@dataclass(frozen=True)
class Task:
    """One piece of work on one seed; without an inquiry, the seed's language model."""

    language: Language
    items: tuple[Item, ...] = field(metadata=SHARED)
    seed: int
    inquiry: Inquiry | None = None
    piece: Any = None
    base: Arrays | None = field(default=None, metadata=SHARED)

    @property
    def name(self) -> str:
        """What is being done, in words."""
        if self.inquiry is None:
            return f"seed {self.seed}: {LANGUAGE_MODEL}"
        return f"seed {self.seed}: {self.inquiry.name}, {self.piece}"

    @property
    def cost(self) -> float:
        """Processor time relative to other tasks."""
        return 20.0 if self.inquiry is None else self.inquiry.cost


def work(task: Task, report: Report) -> Arrays:
    """Do one task in a process of its own, on as many threads as its inquiry says."""
    torch.set_num_threads(1 if task.inquiry is None else task.inquiry.threads)
    if task.inquiry is None:
        tweets = [item for item in task.items if isinstance(item, Tweet)]
        return language_model(task.language, task.seed, tweets, report)
    return task.inquiry.work(task.piece, task.seed, task.items, task.base or {}, report)


def run_study(
    inquiries: Sequence[Inquiry],
    items: Sequence[Item],
    folder: Path,
    progress: Progress,
    *,
    language: Language | None = None,
    pretrained: Mapping[str, Any] | None = None,
    seeds: Sequence[int],
    fresh: bool = False,
    finished: bool = False,
    workers: int = 2,
    cluster: str | None = None,
    device: str = "auto",
) -> Results:
    """Do every piece of every inquiry on every seed, in ``workers`` processes or on a cluster.

    Args:
        inquiries: What to run.
        items: Tweets, or preference pairs of one's own.
        folder: Keeps finished pieces; what is there already is not computed again.
        progress: Called with work done, work in total, and what was just done.
        language: The model that each seed starts from.
        pretrained: Or the provenance of a model that all seeds start from, as ``load_model``
            gives it.
        seeds: Each draws a new language model and a new order of the tweets.
        fresh: Use nothing that is kept.
        finished: Do nothing: return the pieces that are kept.
        workers: Number of processes.
        cluster: Address of a Dask scheduler whose workers do it instead.
        device: Of the pretrained model, where the work is done.

    Returns:
        The arrays of each ``(question, seed, piece)``.

    Raises:
        WorkersError: Workers were lost, or the cluster cannot be used.
        RuntimeError: A task failed.
    """
    language = language or Language()
    corpus = tuple(items)
    if cluster is None:
        # Threads of two processes that wait for one core take many times as long as one's.
        most = max(1, (os.cpu_count() or 1) // workers)
        inquiries = [replace(each, threads=min(each.threads, most)) for each in inquiries]
    begins = {"pretrained": dict(pretrained)} if pretrained else {"language": asdict(language)}
    common = {**begins, "data": data_hash(corpus)}
    tasks = [
        Task(language, corpus, seed, inquiry, piece)
        for others in (False, True)
        for seed in seeds
        for inquiry in inquiries
        for piece in (
            inquiry.pieces[inquiry.before_others :] if others
            else inquiry.pieces[: inquiry.before_others]
        )
        if not others or inquiry.before_others is not None
    ]  # fmt: skip
    models = [] if pretrained else [Task(language, corpus, seed) for seed in seeds]
    shares = dict.fromkeys([task.name for task in (*models, *tasks)], 0.0)
    costs = {task.name: task.cost for task in (*models, *tasks)}
    kept = partial(_kept, folder=folder, fresh=fresh, common=common)
    results: Results = {}
    missing: list[Task] = []
    for task in tasks:
        if (stored := kept(task)[0]) is None:
            missing.append(task)
        else:
            results[_key(task)] = stored
            shares[task.name] = 1.0

    if finished:
        return results

    def advance(task: Task, share: float, said: str = "") -> None:
        shares[task.name] = share
        done = sum(costs[name] * s for name, s in shares.items())
        progress(done, sum(costs.values()), task.name + said)

    def built(seed: int, base: Arrays) -> list[Task]:
        shares[Task(language, (), seed).name] = 1.0
        return [
            Task(language, corpus, seed, task.inquiry, task.piece, base)
            for task in missing
            if task.seed == seed
        ]

    def keep(task: Task, arrays: Arrays) -> list[Task]:
        kept(task)[1](arrays)
        advance(task, 1.0, " done")
        if task.inquiry is None:
            return built(task.seed, arrays)
        results[_key(task)] = arrays
        return []

    start: list[Task] = []
    if pretrained:
        common_base = named(pretrained, folder, common, device)
        start = [replace(task, base=common_base) for task in missing]
    for model in models:
        if any(task.seed == model.seed for task in missing):
            base = kept(model)[0]
            start += [model] if base is None else built(model.seed, base)
        else:
            shares[model.name] = 1.0
    run_tasks(
        work,
        start,
        finished=keep,
        progressed=advance,
        workers=min(workers, max(1, len(missing))),
        cluster=cluster,
    )
    return {_key(task): results[_key(task)] for task in tasks}


def _key(task: Task) -> tuple[str, int, Any]:
    return (task.inquiry.name if task.inquiry else LANGUAGE_MODEL, task.seed, task.piece)


def _kept(
    task: Task, *, folder: Path, fresh: bool, common: dict[str, Any]
) -> tuple[Arrays | None, Callable[[Arrays], Path]]:
    """What is kept of a task, and how to keep it."""
    if task.inquiry is None:
        module, name, piece = language_model.__module__, "language-model", None
    else:
        module, name, piece = task.inquiry.work.__module__, task.inquiry.name, asdict(task.piece)
    store = Store(folder, module, fresh)
    key = {**common, "seed": task.seed, "piece": piece}
    return store.load(name, key), lambda arrays: store.save(name, key, arrays)
