"""``disband gpt2``: the experiments on language models, their findings and their data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disband.entries import Record, experiment_entry
from disband.errors import Refusal, require_writable
from disband.screen import Screen
from disband.tweets import read_tweets
from verify.provenance import provenance
from verify.store import sweep, write_text

if TYPE_CHECKING:
    from verify.experiments.scales import Scale

EXPERIMENT = "gpt2"
FILE = "gpt2.json"


@dataclass(frozen=True)
class Study:
    """What is to be run.

    Args:
        out: Where results and finished pieces go.
        scale: ``small`` takes minutes, ``laptop`` an hour.
        questions: Names of the questions; all without any.
        seeds: Each trains a language model of its own.
        data: The tweets; see :func:`verify.sentiment.load_tweets`.
        fresh: Use nothing an earlier run kept.
        workers: Processes, each of one thread.
    """

    out: Path
    scale: "Scale" = "small"
    questions: Sequence[str] = ()
    seeds: Sequence[int] = (0,)
    data: str | None = None
    fresh: bool = False
    workers: int = 2


def run(study: Study) -> Record:
    """Run the study and return its findings, also written to ``gpt2.json``.

    Raises:
        Refusal: An unknown question, a folder that cannot be written, unreadable tweets.
    """
    from verify.experiments.scales import QUESTIONS

    known = {question.name: question for question in QUESTIONS[study.scale]}
    if unknown := set(study.questions) - set(known):
        raise Refusal(
            f"a question is one of {', '.join(known)}: got {', '.join(sorted(unknown))}; "
            "leave --question out for all"
        )
    asked = [known[name] for name in (study.questions or known)]
    steps = study.out / "steps"
    for folder in (study.out, steps):
        require_writable(folder)
        sweep(folder)
    tweets = read_tweets(study.data)
    from verify.experiments.findings import findings
    from verify.experiments.study import run_study
    from verify.experiments.tables import tables
    from verify.experiments.workers import WorkerLostError
    from verify.sentiment import data_hash

    with Screen(1) as screen, screen.step(EXPERIMENT) as step:
        try:
            results = run_study(
                asked,
                tweets,
                steps,
                step.advance,
                seeds=study.seeds,
                fresh=study.fresh,
                workers=study.workers,
            )
        except WorkerLostError as error:
            raise Refusal(str(error)) from error
        judged = findings(results)
        held = sum(p.count == len(p.outcomes) for p in judged)
        step.result = f"{held} of {len(judged)} findings hold on every seed"
    settings = {
        "scale": study.scale,
        "seeds": list(study.seeds),
        "questions": [question.name for question in asked],
        "data": data_hash(tweets),
        "tweets": len(tweets),
    }
    record = {
        **experiment_entry(EXPERIMENT, settings, judged),
        "tables": tables(results),
        "provenance": provenance(),
    }
    write_text(study.out / FILE, _json(record))
    return record


def earlier(out: Path) -> list[Record]:
    """The study that an earlier run left in this folder, if there is one."""
    path = out / FILE
    if not path.exists():
        return []
    return [json.loads(path.read_text("utf-8"))]


def summary(record: Record, out: Path) -> str:
    """Each finding with the seeds on which it held and its numbers, as lines of text."""
    lines = []
    for prediction in record["predictions"]:
        seeds = prediction["per_seed"]
        held = sum(one["holds"] is True for one in seeds)
        lines.append(f"{held} of {len(seeds)}  {prediction['says']}")
        lines += [f"        seed {one['seed']}: {_numbers(one['numbers'])}" for one in seeds]
    lines.append(f"\nNumbers, tables and provenance: {out / FILE}")
    return "\n".join(lines)


def _numbers(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())


def _json(record: Any) -> str:
    return json.dumps(_finite(record), indent=1, ensure_ascii=False)


def _finite(value: Any) -> Any:
    """JSON has no NaN: what has no value is null."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):  # noqa: PLR0124
        return None
    return value
