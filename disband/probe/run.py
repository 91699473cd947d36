"""``disband probe``: what a preference training would do to a model, told before it begins."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from disband.verify.kept.files import json_text, write_text
from disband.verify.kept.provenance import provenance

from ..terminal.errors import Refusal, require_writable, user_input
from ..terminal.progress import Screen
from .inputs import (
    Objectives,
    Optimizer,
    Probe,
    cut_for,
    read_model,
    read_objectives,
    read_reference,
    require_copy,
    require_gaps,
)
from .records import Horizon, Kept, Record, Settings

if TYPE_CHECKING:
    from disband.lm.model.load import Loaded
    from disband.lm.scores.products.metric import Preconditioner
    from disband.theory.gram import Gram
    from disband.verify.kept.store import Store

    from .measure import Array, Measured, Plan
    from .shares import State
    from .survey import Survey
    from .worst import TokenEffects

_METRICS: Mapping[Optimizer, str] = {
    "sgd": "Score products are plain ones, those of gradient descent. Adam and AdamW move in "
    "another metric: --optimizer adamw measures in it.",
    "adamw": "Score products are in the metric of Adam, 1/(√v + ε), with v the mean squared "
    "gradient of {objective} over the sample's batches at the start; momentum and weight decay "
    "are left out.",
}
_ADAPTERS = (
    " Only the adapters are measured; as their second matrices start at zero, the first ones have "
    "no score yet."
)


def run(probe: Probe) -> Record:
    """Probe, write ``probe.html`` and ``probe.json`` to the folder, and return the latter's record.

    Raises:
        Refusal: An unknown objective or setting, a folder that cannot be written, a model or data
            that cannot be read, or a pair that does not fit into memory.
    """
    named = read_objectives(probe)
    require_writable(probe.out)
    require_copy(probe)
    more = (probe.reference is not None, probe.optimizer != "sgd", probe.steps is not None)
    steps = 4 + sum(more)
    with Screen(steps) as screen:
        try:
            record, figures = _probed(probe, named, screen)
        except MemoryError as error:
            raise Refusal(f"{error}; or cut texts with a smaller --max-length") from error
    from .page import html

    text = json_text(record)
    written = cast("Record", json.loads(text))
    write_text(probe.out / "probe.json", text)
    write_text(probe.out / "probe.html", html(written, figures))
    return written


def _probed(probe: Probe, named: Objectives, screen: Screen) -> tuple[Record, dict[str, str]]:
    from .distances import distances
    from .findings import findings, looked_into
    from .measure import audited, kept_in
    from .shares import State

    surveyed, loaded, plan = _read(probe, named, screen)
    apart = distances(plan.pairs)
    store = kept_in(probe.out / "pieces", fresh=probe.fresh)
    logps = _log_probabilities(loaded, plan, store, screen)
    refs, reference = logps, {"source": "start"}
    if probe.reference:
        refs, reference = _reference(probe, loaded, plan, store, screen)
    state = State(
        logps[0], logps[1], refs[0], refs[1], apart.len_w, apart.len_l, apart.identical,
        surveyed.gaps,
    )  # fmt: skip
    start = state.incentives(*named[0])
    key = {"lora": probe.adapters, "metric": _metric_key(probe, named, plan, reference, state)}
    metric = None
    if probe.optimizer != "sgd":
        metric = _metric(probe, named, loaded, plan, refs, state, store, key, screen)
    measured = _products(loaded, plan, store, key, metric, screen)
    worst = _worst(probe, loaded, plan, start, measured.gram, store, key, metric, screen)
    with user_input():
        audit = audited(loaded, plan, store, {"lora": probe.adapters})
    settings = _settings(probe, named, loaded, plan, reference, audit)
    horizon = _horizon(probe, named, loaded, plan, store, screen) if probe.steps else None
    record: Record = {
        **findings(named, surveyed, apart, state, measured, settings["margins"], horizon),
        "settings": settings,
        "worst": looked_into(surveyed, worst),
        "provenance": provenance(),
        "kept": None,
    }
    record["kept"] = _copy(probe, loaded, record)
    return record, _figures(record, worst)


def _read(probe: Probe, named: Objectives, screen: Screen) -> "tuple[Survey, Loaded, Plan]":
    """The data, the model, and what is measured together."""
    from disband.lm.data.tokenize import rendered, token_pair

    from .measure import Plan
    from .survey import Pass, survey

    with screen.step("read") as step, user_input():
        rows: Pass = Pass(probe.data, probe.part, probe.named)
        loaded = read_model(probe)
        cut = cut_for(probe, loaded)
        rows.render = lambda pair: rendered(loaded.tokenizer, pair, cut)
        surveyed = survey(
            rows,
            probe.sample,
            lambda pair: token_pair(loaded.tokenizer, pair, cut),
            seed=probe.seed,
        )
        require_gaps(named, surveyed)
        plan = Plan(surveyed.pairs, probe.batch, probe.batches, int(probe.memory * 2**30))
        step.result = f"{len(plan.pairs)} of {surveyed.counts.pairs} pairs"
    return surveyed, loaded, plan


def _log_probabilities(loaded: "Loaded", plan: "Plan", store: "Store", screen: Screen) -> "Array":
    from .measure import log_probabilities

    with screen.step("log-probs") as step:
        logps = log_probabilities(loaded, plan, store, _share(step.advance))
        step.result = f"mean {logps[0].mean():.1f} chosen, {logps[1].mean():.1f} rejected, nats"
    return logps


def _reference(
    probe: Probe, loaded: "Loaded", plan: "Plan", store: "Store", screen: Screen
) -> "tuple[Array, dict[str, Any]]":
    from .measure import log_probabilities

    with screen.step("reference") as step:
        with user_input():
            other = read_reference(probe, loaded)
        return log_probabilities(other, plan, store, _share(step.advance)), other.provenance


def _metric(
    probe: Probe,
    named: Objectives,
    loaded: "Loaded",
    plan: "Plan",
    refs: "Array",
    state: "State",
    store: "Store",
    key: Mapping[str, Any],
    screen: Screen,
) -> "Preconditioner | None":
    """The optimizer's metric; None where all that it is for is kept."""
    from .measure import is_measured, score_products, start_metric
    from .worst import is_looked_into, worst_off

    with screen.step("metric") as step:
        if is_measured(loaded, plan, store, key):
            gram = score_products(loaded, plan, store, key, lambda _: None).gram
            start = state.incentives(*named[0])
            picked = worst_off(*start, gram, plan, count=probe.worst, longest=probe.longest)
            if is_looked_into(loaded, plan, picked, store, key):
                step.result = "nothing is left to measure in it"
                return None
        step.result = f"of {named[0][0].name}, {len(plan.pieces)} batches"
        return start_metric(loaded, plan, refs, *named[0], state.gap)


def _products(
    loaded: "Loaded",
    plan: "Plan",
    store: "Store",
    key: Mapping[str, Any],
    metric: "Preconditioner | None",
    screen: Screen,
) -> "Measured":
    from .measure import score_products

    with screen.step("products") as step:
        measured = score_products(loaded, plan, store, key, _share(step.advance), metric)
        step.result = f"{len(plan.pairs)} pairs, {plan.whole} batches of {plan.size} whole"
    return measured


def _worst(
    probe: Probe,
    loaded: "Loaded",
    plan: "Plan",
    start: "tuple[Array, Array]",
    gram: "Gram",
    store: "Store",
    key: Mapping[str, Any],
    metric: "Preconditioner | None",
    screen: Screen,
) -> "list[TokenEffects]":
    from .worst import by_token, worst_off

    with screen.step("tokens") as step:
        picked = worst_off(*start, gram, plan, count=probe.worst, longest=probe.longest)
        worst = by_token(
            loaded, plan, picked, start, gram, store, key, _share(step.advance), metric
        )
        step.result = f"{len(worst)} pairs"
    return worst


def _horizon(
    probe: Probe,
    named: Objectives,
    loaded: "Loaded",
    plan: "Plan",
    store: "Store",
    screen: Screen,
) -> Horizon:
    from .horizon import foretold, measured_path

    with screen.step("horizon") as step:
        path = measured_path(probe, loaded, plan, store, _share(step.advance))
        horizon = foretold(named, path, probe, plan)
        step.result = f"{horizon['steps']} updates of {len(named)} objectives"
    return horizon


def _metric_key(
    probe: Probe,
    named: Objectives,
    plan: "Plan",
    reference: Mapping[str, Any],
    state: "State",
) -> dict[str, Any] | None:
    """What products in the metric depend on beside their own pairs."""
    from .measure import digest

    if probe.optimizer == "sgd":
        return None
    objective, settings = named[0]
    return {
        "objective": objective.name,
        "loss": probe.loss,
        "settings": objective.settings(settings),
        "reference": reference,
        "sample": digest(plan.pairs),
        "batch": plan.size,
        "gaps": state.gap.tolist() if "gap" in objective.arguments else None,
    }


def _settings(
    probe: Probe,
    named: Objectives,
    loaded: "Loaded",
    plan: "Plan",
    reference: dict[str, Any],
    audit: dict[str, float] | None,
) -> Settings:
    return {
        "model": loaded.provenance,
        "objectives": [objective.name for objective, _ in named],
        "loss": probe.loss,
        "metric": {
            "optimizer": probe.optimizer,
            "words": _METRICS[probe.optimizer].format(objective=named[0][0].name)
            + (_ADAPTERS if probe.lora else ""),
        },
        "reference": reference,
        "sample": probe.sample,
        "seed": probe.seed,
        "batch": plan.size,
        "batches": plan.whole,
        "margins": [0.0, *probe.margins],
        "max_length": probe.max_length,
        "longest": probe.longest,
        "lora": probe.adapters,
        "audit": audit,
    }


def _copy(probe: Probe, loaded: "Loaded", record: Record) -> Kept | None:
    if probe.keep is None:
        return None
    from .keep import write_kept

    first = record["pairs"][0]["objective"]
    ideal = {row["place"] for row in record["each"] if row["outcomes"][first] == "ideal"}
    return write_kept(
        probe.data, probe.keep, probe.keep_rule, tokenizer=loaded.tokenizer,
        cut=cut_for(probe, loaded), ideal=ideal, part=probe.part, named=probe.named,
    )  # fmt: skip


def _figures(record: Record, worst: "Sequence[TokenEffects]") -> dict[str, str]:
    from disband.figures.drawing import svg_text
    from disband.figures.probe import plane_picture, tokens_picture
    from disband.sims.surveys.wedge import wedge_around

    each = record["each"]
    points = [row["cosine"] for row in each], [row["log_ratio"] for row in each]
    plane = plane_picture(wedge_around(*points), *points)
    drawn = {"plane": svg_text(plane)}
    if record["horizon"]:
        from disband.figures.horizon.runs import courses_picture

        from .horizon import curves

        if foreseen := curves(record["horizon"]):
            drawn["horizon"] = svg_text(courses_picture(foreseen))
    for number, pair in enumerate(worst, 1):
        drawn[f"tokens {number}"] = svg_text(tokens_picture(pair.cosines, pair.words, pair.len_w))
    return drawn


def _share(advance: Callable[[float, float, str], None]) -> Callable[[float], None]:
    return lambda part: advance(part, 1.0, "")
