"""The predictions of yuan2025, section 4.3, judged on what the sentiment study measured."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.lm.data.styles import STYLES
from disband.theory.gram import Gram

from ..judging.prediction import Numbers, Prediction, Rule, criteria, judge

Array = npt.NDArray[Any]
Styles = Mapping[str, Mapping[str, Array]]
Results = Mapping[tuple[int, str], Mapping[str, Array]]

BEFORE, AFTER = 0, -1
# A mean change below so many standard errors over the pairs decides nothing.
NOISE = 2


def predictions(results: Results) -> tuple[Prediction, ...]:
    """Judge every prediction on every seed of ``results``, which maps ``(seed, style)``.

    Only signs and orders are judged: the sizes vary widely between seeds.

    Raises:
        ValueError: A seed lacks a style.
    """
    seeds = sorted({seed for seed, _ in results})
    if missing := [(s, style) for s in seeds for style in STYLES if (s, style) not in results]:
        raise ValueError(
            f"the predictions compare all styles of a seed: missing {sorted(missing)}; "
            "run the study on every style"
        )
    return judge(RULES, {s: {style: results[s, style] for style in STYLES} for s in seeds})


def change(run: Mapping[str, Array], side: str = "logp_w") -> Array:
    """Change of each pair's log-probability over DPO, ``(eval_pairs,)``, nats."""
    difference: Array = run[side][AFTER] - run[side][BEFORE]
    return difference


def mean_cosines(run: Mapping[str, Array]) -> Array:
    """Cosine of chosen and rejected score at each measurement, mean over pairs, ``(G,)``."""
    cosine: Array = Gram(run["sq_w"], run["sq_l"], run["dot"]).cosine.mean(1)
    return cosine


def position_cosines(run: Mapping[str, Array]) -> tuple[Array, int]:
    """Cosine of the scores of the two tokens at each position, and where the tokens differ.

    Returns:
        ``(2, length)``, before and after DPO, mean over pairs; and the differing position.

    Raises:
        ValueError: The two responses do not differ in exactly one token.
    """
    tokens = run["tokens"]
    length = len(tokens) // 2
    differing = np.flatnonzero(tokens[:length] != tokens[length:])
    if len(tokens) % 2 or len(differing) != 1:
        raise ValueError(
            "the responses must have equal lengths and differ in one token: "
            f"got {' '.join(tokens)}; use a style whose labels are single tokens"
        )
    gram = run["token_gram"]
    squares = np.diagonal(gram, axis1=-2, axis2=-1)
    across = np.diagonal(gram[..., :length, length:], axis1=-2, axis2=-1)
    cosine = Gram(squares[..., :length], squares[..., length:], across).cosine
    return cosine.mean(1), int(differing[0])


def _change(run: Mapping[str, Array], side: str = "logp_w") -> Numbers:
    changes = change(run, side)
    error = changes.std(ddof=1) / np.sqrt(len(changes))
    return {"change": float(changes.mean()), "standard error": float(error)}


def _rises(n: Numbers) -> bool | None:
    return None if abs(n["change"]) <= NOISE * n["standard error"] else n["change"] > 0


def _falls(n: Numbers) -> bool | None:
    return None if (rises := _rises(n)) is None else not rises


def _of(numbers: Callable[..., Numbers], *styles: str) -> Callable[[Styles], Numbers]:
    """The numbers of these styles' runs, which are handed over in this order."""
    return lambda runs: numbers(*(runs[style] for style in styles))


def _two_changes(short: Mapping[str, Array], long: Mapping[str, Array]) -> Numbers:
    return {"short": float(change(short).mean()), "long": float(change(long).mean())}


def _cosine_range(run: Mapping[str, Array]) -> Numbers:
    cosines = mean_cosines(run)
    return {
        "start": float(cosines[BEFORE]),
        "lowest": float(cosines.min()),
        "highest": float(cosines.max()),
        "mean while training": float(cosines[1:].mean()),
        "end": float(cosines[AFTER]),
    }


def _two_cosines(short: Mapping[str, Array], long: Mapping[str, Array]) -> Numbers:
    return {
        name: float(mean_cosines(run)[1:].mean())
        for name, run in (("short", short), ("long", long))
    }


def _token_rule(when: str, at: int, *, differing: bool) -> Rule[Styles]:
    def numbers(run: Mapping[str, Array]) -> Numbers:
        cosines, position = position_cosines(run)
        if differing:
            return {"cosine": float(cosines[at, position])}
        # Before the differing token the contexts are the same, so equal tokens have one score.
        return {"lowest cosine": float(cosines[at, position + 1 :].min())}

    if differing:
        return Rule(
            name=f"token-differing-{when}",
            says=f"{when} DPO, the scores of the differing tokens have a negative product",
            criterion="their cosine, mean over pairs, is below 0",
            numbers=_of(numbers, "prefix+suffix"),
            holds=lambda n: n["cosine"] < 0,
        )
    return Rule(
        name=f"token-identical-{when}",
        says=f"{when} DPO, the scores of identical tokens after the differing one "
        "have positive products",
        criterion="at every such position the cosine, mean over pairs, is above 0",
        numbers=_of(numbers, "prefix+suffix"),
        holds=lambda n: n["lowest cosine"] > 0,
    )


_OVER_DPO = "its mean over the held-out pairs is {} after DPO than before, by two standard errors"

_SHORT = {"short suffix": "short", "long suffix": "long", "prefix+suffix": "prefix"}

RULES: tuple[Rule[Styles], ...] = (
    Rule(
        name="chosen-single-rises",
        says="single token: DPO raises the chosen log-probability",
        criterion=_OVER_DPO.format("higher"),
        numbers=_of(_change, "single token"),
        holds=_rises,
    ),
    Rule(
        name="rejected-single-falls",
        says="single token: DPO lowers the rejected log-probability",
        criterion=_OVER_DPO.format("lower"),
        numbers=_of(lambda run: _change(run, "logp_l"), "single token"),
        holds=_falls,
    ),
    *(
        Rule(
            name=f"chosen-{_SHORT[style]}-falls",
            says=f"{style}: DPO lowers the chosen log-probability",
            criterion=_OVER_DPO.format("lower"),
            numbers=_of(_change, style),
            holds=_falls,
        )
        for style in ("short suffix", "long suffix", "prefix+suffix")
    ),
    Rule(
        name="chosen-long-falls-more",
        says="the chosen log-probability falls more for the long suffix than for the short one",
        criterion="the mean change over DPO is lower for the long suffix",
        numbers=_of(_two_changes, "short suffix", "long suffix"),
        holds=lambda n: n["long"] < n["short"],
    ),
    Rule(
        name="cosine-single-negative",
        says="single token: the cosine of the chosen and the rejected score stays negative",
        criterion="its mean over pairs is below 0 at every measurement",
        numbers=_of(_cosine_range, "single token"),
        holds=lambda n: n["highest"] < 0,
    ),
    *(
        Rule(
            name=f"cosine-{style.split()[0]}-positive",
            says=f"{style}: the cosine of the chosen and the rejected score is positive in "
            "training",
            criterion="its mean over pairs and over the measurements after the first update is "
            "above 0",
            numbers=_of(_cosine_range, style),
            holds=lambda n: n["mean while training"] > 0,
        )
        for style in ("short suffix", "long suffix")
    ),
    Rule(
        name="cosine-long-higher",
        says="the cosine is higher for the long suffix than for the short one",
        criterion="its mean over pairs and over the measurements after the first update is higher",
        numbers=_of(_two_cosines, "short suffix", "long suffix"),
        holds=lambda n: n["long"] > n["short"],
    ),
    *(
        _token_rule(when, at, differing=differing)
        for differing in (True, False)
        for when, at in (("before", BEFORE), ("after", AFTER))
    ),
)

CRITERIA = criteria(RULES)
