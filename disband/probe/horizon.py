"""What is forecast after many updates, from what is measured along one coarse path."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from disband.verify.pages.tables import number

from .inputs import Probe
from .measure import Plan, digest
from .records import Advice, BatchReport, Foretold, Horizon, falls

if TYPE_CHECKING:
    from disband.lm.data.tokenize import TokenPair
    from disband.lm.model.gpt2 import Batch
    from disband.lm.model.load import Loaded
    from disband.lm.training.optimizers import Rule
    from disband.theory.horizon.forecast import Forecast
    from disband.theory.horizon.path import Path
    from disband.verify.kept.store import Store

POINTS = 24  # of a curve that is kept, at most, beside its start


def measured_path(
    probe: Probe, loaded: "Loaded", plan: Plan, store: "Store", advance: Callable[[float], None]
) -> "Path":
    """The batch Gram along one coarse path; kept, and found again.

    The pairs of the whole batches are those trained on, and as many others are held out if the
    sample has them.
    """
    from disband.lm.data.tokenize import batches
    from disband.lm.horizon.path import measure_path
    from disband.theory.horizon.path import Path

    trained, others = parts(plan)
    key = {
        "model": loaded.provenance, "lora": probe.adapters, "trained": digest(trained),
        "held out": digest(others), "optimizer": probe.optimizer, "rate": probe.rate,
        "steps": probe.steps, "batch": plan.size, "seed": probe.seed,
    }  # fmt: skip

    def measure() -> Path:
        device = loaded.model.get_input_embeddings().weight.device

        def sides(some: "tuple[TokenPair, ...]") -> "tuple[Batch, Batch]":
            chosen, rejected = batches(loaded.tokenizer, some)
            return chosen.to(device), rejected.to(device)

        return measure_path(
            loaded.model, *sides(trained), held_out=sides(others) if others else None,
            rule=rule_of(probe), steps=probe.steps or 1, batch_size=plan.size, seed=probe.seed,
            report=advance,
        )  # fmt: skip

    return store.value(Path, "path", key, measure)[0]


def rule_of(probe: Probe) -> "Rule":
    """The optimizer whose updates are forecast; weights do not decay."""
    from disband.lm.training.optimizers import Rule

    return Rule(probe.optimizer, probe.rate or 0.0, decay=0.0)


def parts(plan: Plan) -> "tuple[tuple[TokenPair, ...], tuple[TokenPair, ...]]":
    """Pairs that the forecast trains on, and pairs that it holds out, no more than those."""
    count = plan.whole * plan.size
    return plan.pairs[:count], plan.pairs[count : 2 * count]


def foretold(
    named: "Sequence[tuple[Any, dict[str, Any]]]", path: "Path", probe: Probe, plan: Plan
) -> Horizon:
    """What the path says of every objective."""
    from disband.theory.horizon.forecast import forecast

    trained, others = parts(plan)
    steps, rate = probe.steps or 0, probe.rate or 0.0
    # A forecast of a run that runs away is not finite, and says not to lean on it.
    with np.errstate(over="ignore", invalid="ignore"):
        each = [
            _foretold(objective.name, forecast(path, objective, rate=rate, steps=steps, **given))
            for objective, given in named
        ]
    return {
        "steps": steps,
        "rate": rate,
        "optimizer": probe.optimizer,
        "pairs": len(trained),
        "held_out": len(others),
        "seconds": float(path.seconds[0]),
        "worth": float(path.worth),
        "each": each,
    }


def _foretold(name: str, of: "Forecast") -> Foretold:
    pairs = len(of.frozen[0]) // (4 if of.held_chosen is not None else 2)
    frozen = of.frozen - of.frozen[0]
    frozen_w, frozen_l = (frozen[:, i * pairs : (i + 1) * pairs].mean(1) for i in (0, 1))
    last = len(of.chosen) - 1
    at = sorted({round(last * i / POINTS) for i in range(POINTS + 1)})
    highest, below = of.turning
    return {
        "objective": name,
        "chosen": float(of.chosen[-1]),
        "rejected": float(of.rejected[-1]),
        "held_chosen": None if of.held_chosen is None else float(of.held_chosen[-1]),
        "held_rejected": None if of.held_rejected is None else float(of.held_rejected[-1]),
        "first_order": float(frozen_w[-1]),
        "highest": None if highest is None else int(highest),
        "below_from": None if below is None else int(below),
        "anchors": float(of.trust.anchors),
        "distance": float(of.trust.distance),
        "advice": of.advice,
        "reason": of.reason,
        "curve": [
            (i, float(of.chosen[i]), float(of.rejected[i]), float(frozen_w[i]), float(frozen_l[i]))
            for i in at
        ],
    }


def is_trusted(of: Foretold) -> bool:
    """Whether the anchors agree, and the motion ends near the measured runs."""
    return of["advice"] == "forecast"


def said(horizon: Horizon) -> str:
    """What becomes of the chosen under the first objective, in one sentence."""
    first = horizon["each"][0]
    change = first["chosen"]
    way = "risen" if change >= 0 else "fallen"
    told = (
        f"After {horizon['steps']} updates at {horizon['rate']:g} the mean chosen is forecast to "
        f"have {way} by {number(abs(change))} nats"
    )
    if change < 0 < (first["highest"] or 0):
        told += f", after a rise until update {first['highest']}"
    return told + ("." if is_trusted(first) else "; do not lean on it: rehearse it.")


def rules(horizon: Horizon | None, batch: BatchReport | None) -> list[Advice]:
    """What to do at the horizon that the user trains for."""
    if horizon is None:
        return []
    first, *others = horizon["each"]
    steps, name = horizon["steps"], first["objective"]
    return [_falls(name, steps, first, others, batch), _run(name, horizon, first)]


def _falls(
    name: str, steps: int, first: Foretold, others: Sequence[Foretold], batch: BatchReport | None
) -> Advice:
    up = [
        of["objective"]
        for of in others
        if of["chosen"] > 0 and of["chosen"] > of["rejected"] and is_trusted(of)
    ]
    instead = f"train {' or '.join(up)}, under which it is forecast to stay up" if up else (
        "rehearse remedies (disband rehearse)"
    )  # fmt: skip
    stop = (
        f"stop by update {first['below_from'] - 1}, or "
        if first["below_from"] and (first["highest"] or 0) > 0
        else ""
    )
    promised = batch is not None and not falls(batch)
    return Advice(
        topic="horizon",
        weight=1.0,
        rule=f"Horizon: the mean chosen is forecast below its start after {steps} updates "
        f"under {name}",
        measured=(
            f"forecast {number(first['chosen'])} nats, to first order "
            f"{number(first['first_order'])}; {first['reason']}"
        ),
        applies=first["chosen"] < 0 and is_trusted(first),
        advice=f"Expect the chosen to fall: {stop}{instead}.",
        reason=(
            "The first step promises a rise in every batch, but log-probabilities bend down along "
            "the direction in which all pairs push together."
            if promised
            else "What the first step does goes on, and log-probabilities bend."
        ),
    )


def _run(name: str, horizon: Horizon, first: Foretold) -> Advice:
    return Advice(
        topic="run it",
        weight=0.5,
        rule=f"Run it: a rehearsal of {name} is cheaper or surer than the forecast",
        measured=(
            f"the forecast of {len(horizon['each'])} objectives cost as much as "
            f"{number(horizon['worth'])} whole runs"
        ),
        applies=not is_trusted(first) or horizon["worth"] > len(horizon["each"]),
        advice=(
            f"Run it: disband rehearse --steps {horizon['steps']} --rate {horizon['rate']:g}, with "
            "the same model and data."
        ),
        reason=f"{first['reason'][:1].upper()}{first['reason'][1:]}.",
    )


HORIZON = (
    "objective", "w", "l", "held-out w", "w to first order", "w highest", "below start", "trust",
)  # fmt: skip


def horizon_rows(horizon: Horizon) -> list[list[str]]:
    """A row for each objective, of the cells that ``HORIZON`` names."""
    return [
        [
            of["objective"],
            number(of["chosen"]),
            number(of["rejected"]),
            number(of["held_chosen"]),
            number(of["first_order"]),
            "–" if of["highest"] is None else str(of["highest"]),
            "never" if of["below_from"] is None else f"from {of['below_from']}",
            f"{of['anchors']:.2f}, {of['distance']:.2f}" + ("" if is_trusted(of) else ": run it"),
        ]
        for of in horizon["each"]
    ]


def curves(horizon: Horizon) -> Mapping[str, Mapping[str, Any]]:
    """The forecast and the first order of each objective, to be drawn."""
    from disband.figures.horizon.runs import Course

    drawn = {}
    for of in horizon["each"]:
        # What is not finite is null in the record.
        points = [row for row in of["curve"] if None not in row]
        if points:
            steps, chosen, rejected, first_w, first_l = np.array(points).T
            drawn[of["objective"]] = {
                "forecast": Course(steps, chosen, rejected),
                "first order": Course(steps, first_w, first_l),
            }
    return drawn
