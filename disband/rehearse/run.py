"""``disband rehearse``: copies of a model trained on preference data, to see what each would do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypedDict, cast

from disband.verify.kept.files import json_text, write_text
from disband.verify.kept.provenance import provenance

from ..probe.inputs import cut_for, read_model, read_objectives
from ..terminal.errors import Refusal, require_writable, user_input
from ..terminal.progress import Screen
from .arms import Arm, described, read_arms
from .findings import ArmReport, reports, verdict
from .inputs import Rehearsal, divided

if TYPE_CHECKING:
    from disband.lm.data.tokenize import TokenPair

    from ..probe.survey import Survey
    from .forecast import Foretold
    from .training import Arrays, Task


class Record(TypedDict):
    """The whole of ``rehearse.json``."""

    verdict: str
    arms: list[ArmReport]
    remedies: dict[str, str]
    data: dict[str, Any]
    settings: dict[str, Any]
    provenance: dict[str, Any]


def run(asked: Rehearsal) -> Record:
    """Rehearse, write ``rehearse.html`` and ``rehearse.json``, and return the latter's record.

    Raises:
        Refusal: An unknown objective, remedy or setting, a folder that cannot be written, a model
            or data that cannot be read, or too few pairs.
        RuntimeError: A copy could not be trained; finished ones are kept.
    """
    from .page import drawn, html

    arms = read_arms(asked)
    out = asked.probe.out
    require_writable(out)
    performed = asked.performed
    with Screen(2) as screen:
        surveyed, parts, origin = read(performed, screen)
        trained = _trained(performed, arms, parts, origin, screen)
    each = reports(arms, trained, _forecasts(performed, arms, trained))
    record: Record = {
        "verdict": verdict(each, performed.steps),
        "arms": each,
        "remedies": described(arms),
        "data": {
            "origin": asdict(surveyed.origin), "columns": surveyed.columns,
            "pairs": surveyed.counts.pairs, "trained": len(parts[0]), "held_out": len(parts[1]),
            "shared_prompts": _share_prompts(*parts),
        },
        "settings": _settings(asked, origin),
        "provenance": provenance(),
    }  # fmt: skip
    text = json_text(record)
    written = cast("Record", json.loads(text))
    write_text(out / "rehearse.json", text)
    write_text(out / "rehearse.html", html(written, drawn(written)))
    return written


def read(
    asked: Rehearsal, screen: Screen
) -> "tuple[Survey, tuple[tuple[TokenPair, ...], tuple[TokenPair, ...]], dict[str, Any]]":
    """The data, what is trained on and what is held out, and where the model comes from.

    Raises:
        Refusal: The model or the data cannot be read, or the pairs are too few.
    """
    from disband.lm.data.tokenize import rendered, token_pair

    from ..probe.survey import Pass, survey
    from .training import order_of

    probe = asked.probe
    with screen.step("read") as step, user_input():
        rows = Pass(probe.data, probe.part, probe.named)
        loaded = read_model(probe)
        cut = cut_for(probe, loaded)
        rows.render = lambda pair: rendered(loaded.tokenizer, pair, cut)
        surveyed = survey(
            rows,
            probe.sample,
            lambda pair: token_pair(loaded.tokenizer, pair, cut),
            seed=probe.seed,
        )
        parts = divided(surveyed.pairs, asked.held_out)
        order_of(len(parts[0]), probe.batch, 1, probe.seed)
        step.result = (
            f"{len(parts[0])} pairs to train on and {len(parts[1])} held out, of "
            f"{surveyed.counts.pairs}"
        )
    return surveyed, parts, loaded.provenance


def _trained(
    asked: Rehearsal,
    arms: Sequence[Arm],
    parts: "tuple[tuple[TokenPair, ...], tuple[TokenPair, ...]]",
    origin: Mapping[str, Any],
    screen: Screen,
) -> "dict[Arm | None, Arrays]":
    """Train every arm that no earlier run has kept, and measure what all are forecast from."""
    from disband.verify.workers.tasks import WorkersError, run_tasks

    from ..probe.measure import kept_in
    from .forecast import is_forecast
    from .training import MODULE, Task, perform

    store = kept_in(asked.probe.out / "pieces", MODULE, fresh=asked.probe.fresh)
    every = [*arms, None] if is_forecast(asked) else arms
    tasks = [Task(asked, arm, *parts, origin) for arm in every]
    trained = {
        task.arm: kept for task in tasks if (kept := store.load("rehearsal", task.key)) is not None
    }
    missing = [task for task in tasks if task.arm not in trained]
    shares = dict.fromkeys(every, 0.0) | dict.fromkeys(trained, 1.0)
    with screen.step("train") as step:

        def progressed(task: "Task", share: float) -> None:
            shares[task.arm] = share
            step.advance(sum(shares.values()), len(every), str(task.arm or "forecast"))

        def finished(task: "Task", arrays: "Arrays") -> "list[Task]":
            store.save("rehearsal", task.key, arrays)
            trained[task.arm] = arrays
            progressed(task, 1.0)
            return []

        try:
            run_tasks(
                perform, missing, finished=finished, progressed=progressed,
                workers=min(asked.workers, max(1, len(missing))), cluster=asked.cluster,
            )  # fmt: skip
        except WorkersError as error:
            raise Refusal(str(error)) from error
        before = len(every) - len(missing)
        step.result = (
            f"{len(arms)} arms, {asked.steps} updates of {asked.probe.batch} pairs each"
            + (f"; {before} kept from before" if before else "")
        )
    return trained


def _forecasts(
    asked: Rehearsal, arms: Sequence[Arm], trained: "Mapping[Arm | None, Arrays]"
) -> "Mapping[Arm, Foretold]":
    from .forecast import forecasts

    if None not in trained:
        return {}
    return forecasts(trained[None], arms, read_objectives(asked.probe), asked)


def _share_prompts(training: "Sequence[TokenPair]", held_out: "Sequence[TokenPair]") -> bool:
    """Whether pairs held out have prompts that are trained on."""
    return bool({pair.context for pair in training} & {pair.context for pair in held_out})


def _settings(asked: Rehearsal, origin: dict[str, Any]) -> dict[str, Any]:
    probe, performed = asked.probe, asked.performed
    return {
        "model": origin, "loss": probe.loss, "hyperparameters": dict(probe.settings),
        "optimizer": asked.optimizer, "rate": performed.rate,
        "steps": performed.steps, "batch": probe.batch, "warmup": performed.warmup,
        "schedule": asked.schedule, "clip": asked.clip, "quick": asked.quick,
        "asked": {"rate": asked.rate, "steps": asked.steps}, "seed": probe.seed,
        "sample": probe.sample, "max_length": probe.max_length, "lora": probe.adapters,
    }  # fmt: skip
