"""``disband verify``: the whole path from objectives to the report, each step kept when done."""

from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from disband.sims.pairs.gallery import lines
from disband.sims.pairs.studies import EDIT_ONE_SHARED, TOYS, Study
from disband.theory.objectives import DPO, OBJECTIVES
from disband.verify.claims import LEDGER
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT as SENTIMENT
from disband.verify.deciding.claim import Claim
from disband.verify.deciding.records import entries
from disband.verify.experiments.toys.dynamics_run import DYNAMICS
from disband.verify.experiments.toys.experiment import Report, ToyExperiment
from disband.verify.experiments.toys.probability_run import PROBABILITY_EVOLUTION
from disband.verify.kept.files import sweep, write_text
from disband.verify.kept.provenance import provenance
from disband.verify.kept.store import Arrays, Store
from disband.verify.pages import entries as entries_of
from disband.verify.pages import method_toys
from disband.verify.pages.entries import Record, merged
from disband.verify.pages.errata import counts_text
from disband.verify.pages.method_runs import run_parts
from disband.verify.pages.report import write_report
from disband.verify.workers.tasks import WorkersError, executor

from ..terminal.errors import Refusal, require_writable
from ..terminal.progress import Screen, Step
from . import ledger, motion, toys
from .drawn import Drawn, keep
from .pictures import PICTURES, draw, select
from .studied import drawn as drawn_records
from .studied import studied
from .summary import TABLE, table
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
        cluster: Address of a Dask scheduler whose workers do that check.
        settings: Its other numbers, if not its own defaults.
    """

    out: Path
    models: bool = True
    fresh: bool = False
    data: str | None = None
    seeds: int = 3
    cluster: str | None = None
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
    for folder in (job.out, job.steps, job.steps / "claims", job.out / "figures"):
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
            fixes = _fixes(job, step)
        sentiment: dict[tuple[int, str], Arrays] = {}
        if job.models:
            with screen.step("sentiment") as step:
                experiment, sentiment = _sentiment(job, tweets, origin, step)
                experiments.append(experiment)
        with screen.step("figures") as step:
            plain = {toy: study for (toy, name), study in studies.items() if name == DPO.name}
            gallery = lines(s for (toy, _), s in studies.items() if toy == EDIT_ONE_SHARED.name)
            figures = _figures(job, Drawn(plain, sentiment, gallery, drawn, moving), step)
        with screen.step("report") as step:
            experiments += records
            figures |= drawn_records(records, job.out / "figures")
            report = {
                "claims": entries(LEDGER, merged(experiments), claims),
                "fixes": [*fixes, *run_parts(records)],
                "objectives": objectives,
                "simulations": [entries_of.simulation_entry(study) for study in studies.values()],
                "experiments": experiments,
                "provenance": provenance(),
            }
            write_report(report, figures, job.out)
            write_text(job.out / TABLE, table(report))
            step.result = str(job.out / "report.html")
    return report


def _objectives(job: Job, step: Step) -> list[Record]:
    records, old = job.store(entries_of.__name__).record(
        "objectives", {}, lambda: [entries_of.objective_entry(o) for o in OBJECTIVES]
    )
    step.result = f"{len(records)} derived{_note(reused=old)}"
    return list(records)


def _claims(job: Job, step: Step) -> dict[str, Record]:
    """Decide the statements that mathematics decides; the record of each by its id."""
    statements = [claim for claim in LEDGER if isinstance(claim, Claim)]
    store = Store(job.steps / "claims", ledger.MODULE, job.fresh)
    try:
        records, anew = ledger.decided(statements, store, step.advance)
    except WorkersError as error:
        raise Refusal(str(error)) from error
    reused = f", {len(records) - anew} reused" if 0 < anew < len(records) else ""
    verdicts = counts_text(list(records.values()))
    step.result = f"{len(records)} decided: {verdicts}{reused or _note(reused=not anew)}"
    return records


def _simulations(job: Job, step: Step) -> dict[tuple[str, str], Study]:
    """Run every toy with every objective."""
    pairs = list(product(TOYS.values(), OBJECTIVES))

    def compute() -> dict[tuple[str, str], Study]:
        studies = {}
        for done, (toy, objective) in enumerate(pairs, start=1):
            studies[toy.name, objective.name] = toys.run_toy(toy, objective)
            step.advance(done, len(pairs), f"{toy.name}, {objective.name}")
        return studies

    key = {"pairs": [[toy.name, objective.name] for toy, objective in pairs]}
    store = job.store(toys.__name__)
    studies, old = store.value(dict[tuple[str, str], Study], "simulations", key, compute)
    step.result = f"{len(studies)} toy runs{_note(reused=old)}"
    return studies


def _motion(job: Job, step: Step) -> motion.Motion:
    moving, old = job.store(motion.__name__).value(
        motion.Motion, "in-motion", {}, lambda: motion.motion(step.advance)
    )
    step.result = f"{len(moving.paths)} runs, {len(moving.maps)} maps{_note(reused=old)}"
    return moving


def _toys(job: Job, step: Step) -> tuple[list[Record], dict[str, Arrays]]:
    """Run the experiments on toys; their records, and what to draw of each by its name."""
    done: dict[str, tuple[Record, Arrays]] = {}
    left_out: list[str] = []
    reused = True
    for number, experiment in enumerate(TOY_EXPERIMENTS):

        def advance(part: float, whole: float, said: str, number: int = number) -> None:
            step.advance(number + part / whole, len(TOY_EXPERIMENTS), said)

        def compute(
            experiment: ToyExperiment = experiment, advance: Report = advance
        ) -> tuple[Record, Arrays]:
            judged, arrays = experiment.run(advance)
            return entries_of.experiment_entry(
                experiment.name, dict(experiment.settings), judged
            ), dict(arrays)

        try:
            done[experiment.name], old = job.store(experiment.module).value(
                tuple[Record, Arrays],
                experiment.name.replace(" ", "-"),
                {"settings": dict(experiment.settings)},
                compute,
            )
        except ModuleNotFoundError as error:
            left_out.append(f"{experiment.name} needs {error.name}")
            old = False
        reused &= old
    records = [record for record, _ in done.values()]
    predictions = [p for record in records for p in record["predictions"]]
    held = sum(all(o["holds"] is True for o in p["per_seed"]) for p in predictions)
    missing = "".join(f"; left out: {said}" for said in left_out)
    step.result = (
        f"{held} of {len(predictions)} statements hold on every seed{missing}{_note(reused=reused)}"
    )
    return records, {name: arrays for name, (_, arrays) in done.items()}


def _fixes(job: Job, step: Step) -> list[Record]:
    """What methods do on toys, as tables."""
    parts, old = job.store(method_toys.__name__).record("fixes", {}, method_toys.toy_parts)
    step.result = f"{len(parts)} surveys of methods on toys{_note(reused=old)}"
    return list(parts)


def _settings(job: Job) -> "Settings":
    from disband.verify.experiments.sentiment.check import Settings

    return job.settings or Settings()


def _ready(job: Job) -> "tuple[tuple[Tweet, ...], Record]":
    """Return the tweets, known to be enough, and where they come from."""
    tweets, origin = read_corpus(job.data)
    require_enough(tweets, _settings(job))
    if job.cluster is not None:
        # It is needed minutes later; who mistyped its address hears it now.
        try:
            with executor(job.cluster, 0):
                pass
        except WorkersError as error:
            raise Refusal(str(error)) from error
    return tweets, origin


def _sentiment(
    job: Job, tweets: "tuple[Tweet, ...]", origin: Record, step: Step
) -> tuple[Record, dict[tuple[int, str], Arrays]]:
    from disband.lm.data.tweets import data_hash
    from disband.verify.experiments.sentiment.rules import predictions
    from disband.verify.experiments.sentiment.study import run_all

    settings, moved = _settings(job), False

    def tell(done: float, total: float, said: str) -> None:
        nonlocal moved
        moved = True
        step.advance(done, total, said)

    try:
        results = run_all(
            tweets,
            job.steps,
            tell,
            settings=settings,
            seeds=range(job.seeds),
            fresh=job.fresh,
            cluster=job.cluster,
        )
    except WorkersError as error:
        raise Refusal(str(error)) from error
    judged = predictions(results)
    used = {**asdict(settings), "data": data_hash(tweets), "tweets": len(tweets), **origin}
    held = sum(p.count == len(p.outcomes) for p in judged)
    step.result = f"{held} of {len(judged)} predictions hold on every seed{_note(reused=not moved)}"
    return entries_of.experiment_entry(SENTIMENT, used, judged), results


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


def _note(*, reused: bool) -> str:
    return ", reused" if reused else ""
