"""``disband probe``: what a preference training would do to a model, told before it begins."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from disband.verify.kept.files import json_text, write_text
from disband.verify.kept.provenance import provenance

from ..terminal.errors import Refusal, require_writable, user_input
from ..terminal.progress import Screen, Step
from .inputs import (
    Named,
    Optimizer,
    Probe,
    cut_for,
    read_model,
    read_objectives,
    read_reference,
    require_copy,
)

if TYPE_CHECKING:
    from disband.lm.model.load import Loaded

    from .measure import Plan
    from .worst import Tokens

Record = dict[str, Any]
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
    with Screen(5 if probe.reference else 4) as screen:
        try:
            record, figures = _probed(probe, named, screen)
        except MemoryError as error:
            raise Refusal(f"{error}; or cut texts with a smaller --max-length") from error
    from .page import html

    text = json_text(record)
    written: Record = json.loads(text)
    write_text(probe.out / "probe.json", text)
    write_text(probe.out / "probe.html", html(written, figures))
    return written


def _probed(probe: Probe, named: Named, screen: Screen) -> tuple[Record, dict[str, str]]:
    from disband.lm.data.tokenize import tokenize

    from .distances import distances
    from .findings import findings, looked_into
    from .measure import Plan, kept_in, log_probabilities, score_products
    from .shares import State
    from .survey import survey
    from .worst import by_token, worst_off

    with screen.step("read") as step:
        with user_input():
            found = survey(probe.data, probe.sample, seed=probe.seed, part=probe.part)
            loaded = read_model(probe)
            pairs = tokenize(loaded.tokenizer, found.sample, cut_for(probe, loaded))
            plan = Plan(pairs, probe.batch, probe.batches, int(probe.memory * 2**30))
        apart = distances(pairs)
        step.result = f"{len(pairs)} of {found.counts.pairs} pairs"
    store = kept_in(probe.out / "pieces", fresh=probe.fresh)
    with screen.step("log-probs") as step:
        logps = log_probabilities(loaded, plan, store, _share(step.advance))
        step.result = f"mean {logps[0].mean():.1f} chosen, {logps[1].mean():.1f} rejected, nats"
    refs, reference = logps, {"source": "start"}
    if probe.reference:
        with screen.step("reference") as step:
            with user_input():
                other = read_reference(probe, loaded)
            refs, reference = log_probabilities(other, plan, store, _share(step.advance)), other[2]
            del other
    key = {"lora": probe.adapters, "metric": _metric_key(probe, named, plan, reference)}
    with screen.step("products") as step:
        steps = [step]
        metric = _metric(probe, named, loaded, plan, refs, steps)
        measured = score_products(loaded, plan, store, key, _share(step.advance), metric)
        step.result = f"{len(pairs)} pairs, {plan.whole} batches of {plan.size} whole"
    state = State(logps[0], logps[1], refs[0], refs[1], apart.len_w, apart.len_l, apart.identical)
    start = state.incentives(*named[0])
    with screen.step("tokens") as step:
        steps.append(step)
        picked = worst_off(*start, measured.gram, plan, count=probe.worst, longest=probe.longest)
        worst = by_token(
            loaded, plan, picked, start, measured.gram, store, key, _share(step.advance), metric
        )
        step.result = f"{len(worst)} pairs"
    settings = _settings(probe, named, loaded, plan) | {"reference": reference}
    record: Record = {
        "settings": settings,
        **findings(named, found, apart, state, measured, settings["margins"]),
        "worst": looked_into(found, worst),
        "provenance": provenance(),
    }
    record["kept"] = _copy(probe, loaded, record)
    return record, _figures(record, worst)


def _metric_key(probe: Probe, named: Named, plan: "Plan", reference: Record) -> Record | None:
    """What products in the metric depend on beside their own pairs."""
    from .measure import digest

    if probe.optimizer == "sgd":
        return None
    objective, settings = named[0]
    return {
        "objective": objective.name,
        "settings": settings,
        "reference": reference,
        "sample": digest(plan.pairs),
        "batch": plan.size,
    }


def _metric(
    probe: Probe,
    named: Named,
    loaded: "Loaded",
    plan: "Plan",
    refs: Any,
    steps: list[Step],
) -> Callable[[], Any]:
    """Make the optimizer's metric when it is first needed, and only once.

    The last of ``steps`` is on the screen.
    """
    from .adam import start_metric

    @cache
    def metric() -> Any:
        if probe.optimizer == "sgd":
            return None
        steps[-1].advance(0.0, 1.0, "metric of the optimizer")
        return start_metric(loaded, plan, refs, *named[0])

    return metric


def _settings(probe: Probe, named: Named, loaded: "Loaded", plan: "Plan") -> Record:
    return {
        "model": loaded.provenance,
        "objectives": [objective.name for objective, _ in named],
        "metric": {
            "optimizer": probe.optimizer,
            "words": _METRICS[probe.optimizer].format(objective=named[0][0].name)
            + (_ADAPTERS if probe.lora else ""),
        },
        "sample": probe.sample,
        "seed": probe.seed,
        "batch": plan.size,
        "batches": plan.whole,
        "margins": [0.0, *probe.margins],
        "max_length": probe.max_length,
        "longest": probe.longest,
        "lora": probe.adapters,
    }


def _copy(probe: Probe, loaded: "Loaded", record: Record) -> Record | None:
    if probe.keep is None:
        return None
    from .keep import write_kept

    first = record["pairs"][0]["objective"]
    ideal = {one["place"] for one in record["each"] if one["outcomes"][first] == "ideal"}
    kept = write_kept(
        probe.data, probe.keep, probe.keep_rule, tokenizer=loaded.tokenizer,
        cut=cut_for(probe, loaded), ideal=ideal, part=probe.part,
    )  # fmt: skip
    return {"path": str(probe.keep), **kept}


def _figures(record: Record, worst: "list[Tokens]") -> dict[str, str]:
    from disband.figures.probe import plane_picture, tokens_picture
    from disband.figures.style import svg_text

    each = record["each"]
    plane = plane_picture([one["cosine"] for one in each], [one["log_ratio"] for one in each])
    drawn = {"plane": svg_text(plane)}
    for number, one in enumerate(worst, 1):
        drawn[f"tokens {number}"] = svg_text(tokens_picture(one.cosines, one.words, one.len_w))
    return drawn


def _share(advance: Callable[[float, float, str], None], said: str = "") -> Callable[[float], None]:
    return lambda part: advance(part, 1.0, said)
