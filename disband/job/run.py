"""``disband verify``: the whole path from objectives to the report, each step kept when done."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count, product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disband.sims.pairs.gallery import lines
from disband.sims.pairs.studies import EDIT_ONE_SHARED, TOYS, Study
from disband.theory.objectives import DPO, OBJECTIVES
from disband.verify.claims import LEDGER
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT
from disband.verify.deciding.records import entries
from disband.verify.experiments.toys.dynamics_run import DYNAMICS
from disband.verify.experiments.toys.experiment import ToyExperiment
from disband.verify.experiments.toys.probability_run import PROBABILITY_EVOLUTION
from disband.verify.kept.files import sweep
from disband.verify.kept.provenance import code_hash, provenance
from disband.verify.kept.store import Arrays, Store
from disband.verify.pages.method_runs import run_parts
from disband.verify.pages.method_toys import toy_parts
from disband.verify.pages.report import write_report

from ..terminal.errors import Refusal, require_writable
from ..terminal.progress import Screen, Step
from .drawn import Drawn, flat, groups, keep
from .entries import (
    Record,
    experiment_entry,
    objective_entry,
    simulation_entry,
    split_ledger,
)
from .motion import Motion, motion
from .motion import pack as pack_motion
from .motion import unpack as unpack_motion
from .pictures import PICTURES, draw, select
from .studied import drawn as drawn_records
from .studied import merged, studied
from .toys import pack, run_toy, unpack
from .tweets import read_corpus, require_enough

if TYPE_CHECKING:
    from disband.lm.data.tweets import Tweet
    from disband.verify.experiments.sentiment.check import Settings

# What statements of the ledger rest on and takes seconds, models or not.
TOY_EXPERIMENTS: tuple[ToyExperiment, ...] = (DYNAMICS, PROBABILITY_EVOLUTION)


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Args:
        out: Where the report, its figures and the finished steps go.
        models: Whether to train language models for the sentiment check.
        fresh: Do all steps again, whatever an earlier run kept.
        data: The tweets; see :func:`disband.lm.data.tweets.load_tweets`.
        seeds: How many seeds the sentiment check has.
        settings: Its other numbers, if not its own defaults.
    """

    out: Path
    models: bool = True
    fresh: bool = False
    data: str | None = None
    seeds: int = 3
    settings: "Settings | None" = None

    @property
    def steps(self) -> Path:
        """Where finished steps are kept."""
        return self.out / "steps"

    def store(self, module: str) -> Store:
        """Return the store of what ``module`` computes."""
        return Store(self.steps, module, self.fresh)


def run(job: Job) -> Record:
    """Do ``job`` and return its report; what a person gave is checked before the work begins.

    Raises:
        Refusal: The folder cannot be written, the tweets cannot be read, or a library that
            trains language models is missing.
    """
    for folder in (job.out, job.steps, job.out / "figures"):
        require_writable(folder)
        sweep(folder)
    tweets, origin = _ready(job) if job.models else ((), {})
    records = studied(job.out)
    with Screen(9 if job.models else 8) as screen:
        with screen.step("objectives") as step:
            objectives = _objectives(job, step)
        with screen.step("claims") as step:
            claims = _claims(job, step)
        with screen.step("simulations") as step:
            studies = _simulations(job, step)
        with screen.step("band in motion") as step:
            moving = _motion(job, step)
        with screen.step("toys") as step:
            experiments, drawn = _toys(job, step)
        with screen.step("fixes") as step:
            fixes, note = _kept(
                job.store("disband.verify.pages.method_toys"), "fixes", {}, toy_fixes
            )
            step.result = f"{len(fixes)} surveys of methods on toys{note}"
        sentiment: dict[tuple[int, str], Arrays] = {}
        if job.models:
            with screen.step("sentiment") as step:
                experiment, sentiment = _sentiment(job, tweets, origin, step)
                experiments.append(experiment)
        with screen.step("figures") as step:
            toys = {toy: study for (toy, name), study in studies.items() if name == DPO.name}
            gallery = lines(s for (toy, _), s in studies.items() if toy == EDIT_ONE_SHARED.name)
            figures = _figures(job, Drawn(toys, sentiment, gallery, drawn, moving), step)
        with screen.step("report") as step:
            experiments += records
            figures |= drawn_records(records, job.out / "figures")
            report = {
                "claims": _whole_ledger(claims, experiments),
                "fixes": [*fixes, *run_parts(records)],
                "objectives": objectives,
                "simulations": [simulation_entry(study) for study in studies.values()],
                "experiments": experiments,
                "provenance": provenance(),
            }
            write_report(report, figures, job.out)
            step.result = str(job.out / "report.html")
    return report


def toy_fixes() -> list[Record]:
    """What methods do on toys, as plain data."""
    return [dict(part) for part in toy_parts()]


def count_words(counts: Mapping[str, int]) -> str:
    """Return counts in words, such as ``3 proved, 1 open``, the largest first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {verdict}" for verdict, count in ordered) or "none"


def _objectives(job: Job, step: Step) -> list[Record]:
    def derive() -> list[Record]:
        return [objective_entry(objective) for objective in OBJECTIVES]

    records, note = _kept(job.store("disband.job.entries"), "objectives", {}, derive)
    step.result = f"{len(records)} derived{note}"
    return records


def _claims(job: Job, step: Step) -> list[Record]:
    statements, _ = split_ledger(LEDGER)
    done = count(1)

    def prove() -> list[Record]:
        return entries(
            statements, {}, lambda record: step.advance(next(done), len(statements), record["id"])
        )

    key = {"procedure": code_hash("disband.verify.deciding.records")}
    records, note = _kept(job.store("disband.verify.claims"), "claims", key, prove)
    verdicts = Counter(record["verdict"] for record in records)
    step.result = f"{len(records)} decided: {count_words(verdicts)}{note}"
    return records


def _simulations(job: Job, step: Step) -> dict[tuple[str, str], Study]:
    """Run every toy with every objective."""
    store, pairs = job.store("disband.job.toys"), list(product(TOYS.values(), OBJECTIVES))
    key = {"pairs": [[toy.name, objective.name] for toy, objective in pairs]}
    found = store.load("simulations", key)
    if found is None:
        studies = []
        for done, (toy, objective) in enumerate(pairs, start=1):
            studies.append(run_toy(toy, objective))
            step.advance(done, len(pairs), f"{toy.name}, {objective.name}")
        packed = {f"{s.toy}/{s.objective}": pack(s) for s in studies}
        store.save("simulations", key, flat(packed))
    else:
        studies = [unpack(arrays) for arrays in groups(found).values()]
    step.result = f"{len(studies)} toy runs{_note(reused=found is not None)}"
    return {(study.toy, study.objective): study for study in studies}


def _motion(job: Job, step: Step) -> Motion:
    store = job.store("disband.job.motion")
    packed = store.load("in-motion", {})
    found = motion(step.advance) if packed is None else unpack_motion(groups(packed))
    if packed is None:
        store.save("in-motion", {}, flat(pack_motion(found)))
    step.result = (
        f"{len(found.paths)} runs, {len(found.maps)} maps{_note(reused=packed is not None)}"
    )
    return found


def _toys(job: Job, step: Step) -> tuple[list[Record], dict[str, Arrays]]:
    """Run the experiments on toys; their records, and what to draw of each by its name."""
    found: list[Record] = []
    drawn: dict[str, Arrays] = {}
    left_out: list[str] = []
    moved = False
    for experiment in TOY_EXPERIMENTS:
        store, key = job.store(experiment.module), {"settings": dict(experiment.settings)}
        name = experiment.name.replace(" ", "-")
        record, arrays = store.load_record(name, key), store.load(name, key)
        if record is None or arrays is None:
            moved = True
            try:
                judged, arrays = experiment.run(step.advance)
            except ModuleNotFoundError as error:
                left_out.append(f"{experiment.name} needs {error.name}")
                continue
            record = experiment_entry(experiment.name, dict(experiment.settings), judged)
            store.save(name, key, arrays)
            store.save_record(name, key, record)
        found.append(record)
        drawn[experiment.name] = arrays
    said_all = [p for record in found for p in record["predictions"]]
    held = sum(all(o["holds"] is True for o in p["per_seed"]) for p in said_all)
    note = _note(reused=bool(found) and not moved)
    missing = "".join(f"; left out: {said}" for said in left_out)
    step.result = f"{held} of {len(said_all)} statements hold on every seed{missing}{note}"
    return found, drawn


def _settings(job: Job) -> "Settings":
    from disband.verify.experiments.sentiment.check import Settings

    return job.settings or Settings()


def _ready(job: Job) -> "tuple[tuple[Tweet, ...], Record]":
    """Return the tweets, known to be enough, and where they come from."""
    tweets, origin = read_corpus(job.data)
    require_enough(tweets, _settings(job))
    return tweets, origin


def _sentiment(
    job: Job, tweets: "tuple[Tweet, ...]", origin: Record, step: Step
) -> tuple[Record, dict[tuple[int, str], Arrays]]:
    from disband.lm.data.tweets import data_hash
    from disband.verify.experiments.gpt2.workers import WorkerLostError
    from disband.verify.experiments.sentiment.rules import predictions
    from disband.verify.experiments.sentiment.study import run_all

    settings, moved = _settings(job), False

    def tell(done: float, total: float, said: str) -> None:
        nonlocal moved
        moved = True
        step.advance(done, total, said)

    store = job.store("disband.verify.experiments.sentiment.study")
    try:
        results = run_all(tweets, store, tell, settings=settings, seeds=range(job.seeds))
    except WorkerLostError as error:
        raise Refusal(str(error)) from error
    judged = predictions(results)
    used = {**asdict(settings), "data": data_hash(tweets), "tweets": len(tweets), **origin}
    held = sum(p.count == len(p.outcomes) for p in judged)
    step.result = f"{held} of {len(judged)} predictions hold on every seed{_note(reused=not moved)}"
    return experiment_entry(EXPERIMENT, used, judged), results


def _figures(job: Job, data: Drawn, step: Step) -> dict[str, Path]:
    keep(data, job.steps)
    pictures = select((), data)
    for name in {picture.name for picture in PICTURES} - {picture.name for picture in pictures}:
        for old in (job.out / "figures").glob(f"{name}.*"):
            old.unlink()
    drawn = draw(
        pictures,
        data,
        job.out / "figures",
        lambda done, name: step.advance(done, len(pictures), name),
    )
    step.result = f"{len(drawn)} drawn"
    return drawn


def _whole_ledger(claims: Sequence[Record], experiments: Sequence[Record]) -> list[Record]:
    """Return the records of all claims in the ledger's order, predictions judged on the way."""
    _, expected = split_ledger(LEDGER)
    records = {r["id"]: r for r in (*claims, *entries(expected, merged(experiments)))}
    return [records[claim.id] for claim in LEDGER]


def _kept(
    store: Store, name: str, key: Mapping[str, Any], compute: Callable[[], list[Record]]
) -> tuple[list[Record], str]:
    """Return a finished step's records and a note whether an earlier run left them."""
    found = store.load_record(name, key)
    if found is not None:
        return found, _note(reused=True)
    records = compute()
    store.save_record(name, key, records)
    return records, ""


def _note(*, reused: bool) -> str:
    return ", reused" if reused else ""
