"""``disband gpt2``: the experiments on language models, their findings and their data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from disband.verify.kept.files import sweep, write_json
from disband.verify.kept.provenance import provenance
from disband.verify.pages.entries import Record, experiment_entry

from ..terminal.errors import Refusal, require_writable, user_input
from ..terminal.progress import Screen
from .gpt2_pictures import draw_record
from .tweets import read_corpus

if TYPE_CHECKING:
    from disband.lm.training.optimizers import Kind
    from disband.verify.experiments.gpt2.inquiry import Inquiry, Scale
    from disband.verify.experiments.gpt2.items import Item

EXPERIMENT, PRETRAINED = "gpt2", "smollm2"
# What was asked of another model, data, style or objective is not what the ledger's entries say.
OWN = "gpt2-own"


@dataclass(frozen=True)
class Study:
    """What is to be run.

    Args:
        out: Where results and finished pieces go.
        scale: ``small`` takes minutes, ``laptop`` an hour.
        questions: Names of the questions; without any, those that the scale asks.
        seeds: Each trains a language model of its own.
        data: The tweets; see :func:`disband.lm.data.tweets.load_tweets`.
        pairs: Preference pairs instead of tweets; see
            :func:`disband.lm.data.preferences.read_preferences`.
        model: A pretrained model instead of one trained here; see
            :func:`disband.lm.model.load.load_model`. At scales ``pretrained`` and ``full`` it is
            ``smollm2`` where none is named.
        device: It runs on: ``auto`` is a GPU where there is one.
        dry_run: At scale ``full``: everything with a tiny model and few updates, to see that it
            works, in a folder of its own.
        style, objective, optimizer, rate, steps, batch, eval_pairs, logp_every, gram_every:
            Instead of those of the questions; an optimizer comes with a rate.
        sft_steps, sft_shown: Updates of the fine-tuning before, and what it shows.
        checkpoints: Folder for the models of the question ``runs``.
        skip_malformed: Leave out rows of ``pairs`` that are none.
        fresh: Use nothing an earlier run kept.
        finished: Run nothing: record what earlier runs finished.
        workers: Processes, each of one thread.
        cluster: Address of a Dask scheduler whose workers do it instead.
    """

    out: Path
    scale: "Scale" = "small"
    questions: Sequence[str] = ()
    seeds: Sequence[int] = (0,)
    data: str | None = None
    pairs: str | None = None
    model: str | None = None
    device: str = "auto"
    dry_run: bool = False
    style: str | None = None
    objective: str | None = None
    optimizer: "Kind | None" = None
    rate: float | None = None
    steps: int | None = None
    batch: int | None = None
    eval_pairs: int | None = None
    logp_every: int | None = None
    gram_every: int | None = None
    sft_steps: int | None = None
    sft_shown: str | None = None
    checkpoints: Path | None = None
    skip_malformed: bool = False
    fresh: bool = False
    finished: bool = False
    workers: int = 2
    cluster: str | None = None

    @property
    def name(self) -> str:
        """Of the record and of its file."""
        own = ("pairs", "style", "objective", "optimizer", "rate", "steps", "batch", "eval_pairs")
        more = ("logp_every", "gram_every", "sft_steps", "sft_shown")
        if any(getattr(self, name) is not None for name in (*own, *more)):
            return OWN
        if self.source is None:
            return EXPERIMENT
        return PRETRAINED if (self.source, self.scale) == (PRETRAINED, "pretrained") else OWN

    @property
    def source(self) -> str | None:
        """The pretrained model that every run starts from, if there is one."""
        return self.model or (PRETRAINED if self.scale in ("pretrained", "full") else None)


def run(study: Study) -> Record:
    """Run the study and return its findings, also written to a file named for it.

    That is ``gpt2.json``, ``smollm2.json`` for that model at its scale, or ``gpt2-own.json``.

    Raises:
        Refusal: An unknown question, style or objective, a folder that cannot be written, a model
            or data that cannot be read.
    """
    from disband.verify.experiments.gpt2.preparation import require_enough
    from disband.verify.experiments.gpt2.scales import INQUIRIES, LANGUAGES

    known = {inquiry.name: inquiry for inquiry in INQUIRIES[study.scale]}
    if unknown := set(study.questions) - set(known):
        raise Refusal(
            f"a question at scale {study.scale} is one of {', '.join(known)}: got "
            f"{', '.join(sorted(unknown))}; leave --question out for those it asks"
        )
    names = study.questions or [name for name, inquiry in known.items() if inquiry.asked]
    asked = [_asked(known[name], study) for name in names]
    if study.dry_run:
        study, asked = _dry(study, asked)
    steps = study.out / "steps"
    for folder in (study.out, steps):
        require_writable(folder)
        sweep(folder)
    items, origin = _items(study)
    with user_input():
        require_enough(items, [piece for inquiry in asked for piece in inquiry.pieces])
    pretrained = _pretrained(study, asked)
    from disband.lm.data.tweets import data_hash
    from disband.verify.experiments.gpt2.findings import curves, findings, tables
    from disband.verify.experiments.gpt2.study import run_study
    from disband.verify.workers.tasks import WorkersError

    with Screen(1) as screen, screen.step(study.name) as step:
        try:
            results = run_study(
                asked,
                items,
                steps,
                step.advance,
                language=LANGUAGES.get(study.scale),
                pretrained=pretrained,
                seeds=study.seeds,
                fresh=study.fresh,
                finished=study.finished,
                workers=study.workers,
                cluster=study.cluster,
                device=study.device,
            )
        except WorkersError as error:
            raise Refusal(str(error)) from error
        if not results:
            raise Refusal(
                f"a record is of finished pieces: none of these is kept in {steps}; run the same "
                "command without --finished"
            )
        judged = findings(results)
        held = sum(p.count == len(p.outcomes) for p in judged)
        step.result = f"{held} of {len(judged)} findings hold on every seed"
    settings = {
        "scale": f"{study.scale}, a dry run" if study.dry_run else study.scale,
        "seeds": sorted({seed for _, seed, _ in results}),
        "questions": [inquiry.name for inquiry in asked],
        "pieces": {inquiry.name: len(inquiry.pieces) for inquiry in asked},
        "missing": [
            f"seed {seed}: {inquiry.name}, {piece}"
            for seed in study.seeds
            for inquiry in asked
            for piece in inquiry.pieces
            if (inquiry.name, seed, piece) not in results
        ],
        "model": pretrained or asdict(LANGUAGES[study.scale]),
        "data": {"hash": data_hash(items), "texts": len(items), **origin},
    }
    if devices := sorted({str(r["device"]) for r in results.values() if "device" in r}):
        settings["devices"] = devices
    record = {
        **experiment_entry(study.name, settings, judged),
        "tables": tables(results),
        "curves": curves(results),
        "provenance": provenance(),
    }
    write_json(study.out / f"{study.name}.json", record)
    draw_record(record, study.out / "figures")
    return record


def _asked(inquiry: "Inquiry", study: Study) -> "Inquiry":
    """The inquiry with what was asked for instead of its own settings."""
    from disband.lm.data.styles import find_style
    from disband.lm.training.optimizers import Rule
    from disband.theory.objectives import find

    if (study.optimizer is None) != (study.rate is None):
        raise Refusal(
            "a learning rate means something for one optimizer only: give --optimizer and --rate "
            f"together, not {study.optimizer or study.rate} alone"
        )
    followed = study.eval_pairs
    given: dict[str, Any] = {"batch": study.batch, "pairs": followed}
    given |= {"logp_every": study.logp_every, "gram_every": study.gram_every}
    if followed is not None:
        given["gram_pairs"] = followed
    with user_input():
        # Free text is a style of some pieces, and none that responses are written in.
        own = {getattr(piece, "style", None) for piece in inquiry.pieces}
        given["style"] = (
            study.style if study.style in own else study.style and find_style(study.style).name
        )
        given["objective"] = study.objective and find(study.objective).name
    if study.optimizer is not None and study.rate is not None:
        rule = Rule(study.optimizer, study.rate)
        given |= {"rule": rule, "rules": (rule,), "kind": rule.kind, "rates": (rule.rate,)}
    given |= {"explained": study.steps} if inquiry.name == "steps" else {"steps": study.steps}
    if study.checkpoints and inquiry.name == "runs":
        given["checkpoints"] = str(study.checkpoints.resolve())
    taught = {"steps": study.sft_steps, "shown": study.sft_shown}
    # Those that ask it already, with what else they have of their own; without any, all of them.
    same = {name: given[name] for name in ("style", "objective") if given[name] is not None}
    meant = [p for p in inquiry.pieces if all(getattr(p, n, v) == v for n, v in same.items())]
    with user_input():
        pieces = [
            replace(piece, supervision=_changed(piece.supervision, taught))
            for piece in (_changed(piece, given) for piece in meant or inquiry.pieces)
        ]
    return replace(inquiry, pieces=tuple(dict.fromkeys(pieces)))


def _changed(settings: Any, given: Mapping[str, Any]) -> Any:
    """The settings with what is given for those of their fields that they have."""
    own = {field.name for field in fields(settings)}
    return replace(settings, **{n: v for n, v in given.items() if n in own and v is not None})


def _items(study: Study) -> "tuple[tuple[Item, ...], Record]":
    """What is trained on, and where it comes from."""
    if study.pairs is None:
        with user_input():
            return read_corpus(study.data)
    if study.source is None or study.data:
        raise Refusal(
            "a language model is trained here on tweets alone; pairs of your own need a "
            "pretrained one and no tweets: give --model with --pairs, and leave out --data"
        )
    from disband.lm.data.preferences import read_preferences
    from disband.verify.experiments.gpt2.items import Given

    with user_input():
        found = read_preferences(study.pairs, skip_malformed=study.skip_malformed)
    return tuple(map(Given, found.pairs)), asdict(found.origin)


def _pretrained(study: Study, asked: Sequence["Inquiry"]) -> Record | None:
    """Where the model comes from, when it was found to be one; says what a full scale takes."""
    if study.source is None:
        return None
    from disband.lm.model.load import load_model

    # The workers of a cluster have devices of their own.
    device = "cpu" if study.cluster else study.device
    with user_input():
        loaded = load_model(study.source, device=device)
    if study.scale == "full" and not study.finished:
        click.echo(_estimate(study, asked, loaded.model))
    return loaded.provenance


def _estimate(study: Study, asked: Sequence["Inquiry"], model: Any) -> str:
    """Memory of the whole study, and its time from one update that is tried, if it is done here."""
    from disband.lm.model.load import device_name
    from disband.verify.experiments.gpt2.full import Size, estimate, seconds_of_an_update

    pieces = [piece for inquiry in asked for piece in inquiry.pieces]
    size = Size.of(model)
    estimates = [estimate(piece, size) for piece in pieces]
    count = f"{len(pieces)} pieces on {len(study.seeds)} seed{'s' * (len(study.seeds) > 1)}"
    memory = f"in about {max(e.memory for e in estimates) / 2**30:.2g} GiB"
    said = f"{size.parameters / 1e6:.4g}M parameters"
    if study.cluster:
        return f"{said}: {count}, each {memory} of a worker's device"
    each = seconds_of_an_update(model, pieces[0])
    whole = each * sum(e.updates for e in estimates) * len(study.seeds)
    return (
        f"{said} on {device_name(model.device)}: an update takes {each:.3g} s, so {count} about "
        f"{_duration(whole)} of one device at most, {memory}"
    )


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s"


def _dry(study: Study, asked: Sequence["Inquiry"]) -> tuple[Study, list["Inquiry"]]:
    """The study with a tiny model, few updates and a folder of its own."""
    from disband.verify.experiments.gpt2.full import tiny, tiny_model

    if study.scale != "full":
        raise Refusal(
            f"a dry run is of scale full, which takes a GPU: got --dry-run at scale {study.scale}; "
            "add --scale full, or leave --dry-run out"
        )
    out = study.out / "dry-run"
    require_writable(out)
    tweets, _ = read_corpus(study.data)
    tiny_model(tweets, out / "model")
    with user_input():
        small = [replace(i, pieces=tuple(map(tiny, i.pieces)), threads=1) for i in asked]
    return replace(study, out=out, model=str(out / "model")), small


def earlier(out: Path, name: str = EXPERIMENT) -> list[Record]:
    """The study that an earlier run left in this folder, if there is one.

    Raises:
        Refusal: The file is damaged.
    """
    path = out / f"{name}.json"
    if not path.exists():
        return []
    try:
        return [json.loads(path.read_text("utf-8"))]
    except ValueError as error:
        raise Refusal(
            f"{path} is what disband gpt2 writes, but cannot be read ({error}); run it again, or "
            "remove the file"
        ) from error


def summary(record: Record, out: Path) -> str:
    """Each finding with the seeds on which it held and its numbers, as lines of text."""
    lines = []
    for prediction in record["predictions"]:
        seeds = prediction["per_seed"]
        held = sum(one["holds"] is True for one in seeds)
        lines.append(f"{held} of {len(seeds)}  {prediction['says']}")
        lines += [f"        seed {one['seed']}: {_numbers(one['numbers'])}" for one in seeds]
    file = out / f"{record['name']}.json"
    lines.append(f"\nNumbers, tables and provenance: {file}\nFigures: {out / 'figures'}")
    return "\n".join(lines)


def _numbers(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())
