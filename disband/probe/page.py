"""The probe's page: one file that reads offline, asks for nothing and runs nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from disband.theory.outcome import Outcome
from disband.verify.pages.kit import page, svg
from disband.verify.pages.tables import percent

from .horizon import HORIZON, horizon_rows

# Of a token's colour; the strongest effect of a pair has this much of it.
_STRONGEST = 0.75


def html(record: Mapping[str, Any], figures: Mapping[str, str]) -> str:
    """The page.

    Args:
        record: What ``disband probe`` writes as JSON.
        figures: SVG texts: ``plane``, where the pairs lie, and ``tokens 1``, ``tokens 2``, …, the
            cosines of the worst pairs' tokens. One that is missing is left out.

    Raises:
        ValueError: A figure is no SVG.
    """
    drawn = {name: svg(text, f"f{i}") for i, (name, text) in enumerate(figures.items())}
    return page(
        Path(__file__).with_name("page.html.j2"),
        {"percent": percent, "spread": _spread, "ends": _ends},
        record=record,
        figures=drawn,
        outcomes=[(o.name.lower(), o.words) for o in Outcome],
        worst=[_coloured(pair) for pair in record["worst"]],
        horizon_columns=HORIZON,
        horizon_rows=horizon_rows(record["horizon"]) if record["horizon"] else [],
    )


def _spread(quantiles: Mapping[str, float] | None) -> str:
    """Median and the middle 80 % of a number."""
    if quantiles is None:
        return "–"
    middle, low, high = (f"{quantiles[name]:.3g}" for name in ("median", "p10", "p90"))
    return f"{middle} ({low} to {high})".replace("-", "−")


def _ends(share: Mapping[str, Any]) -> str:
    """The ends of a share's interval."""
    return f"{percent(share['low'])[:-2]}–{percent(share['high'])}"


def _coloured(pair: Mapping[str, Any]) -> dict[str, Any]:
    """A pair's tokens, each with its effect and the strength of its colour."""
    effects = np.array(pair["effects"], float)
    largest = float(np.abs(effects).max(initial=0.0))
    strengths = _STRONGEST * np.abs(effects) / (largest or 1.0)
    tokens = [
        {
            "text": word if word.strip() else "␣" if word == " " else repr(word)[1:-1],
            "effect": float(effect),
            "strength": f"{strength:.3f}",
            "kind": "down" if effect < 0 else "up",
        }
        for word, effect, strength in zip(pair["words"], effects, strengths, strict=True)
    ]
    order = np.argsort(effects, kind="stable")[:5].tolist()
    return {
        **pair,
        "chosen": tokens[: pair["len_w"]],
        "rejected": tokens[pair["len_w"] :],
        "heaviest": [tokens[i] for i in order if effects[i] < 0],
    }
