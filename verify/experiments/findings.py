"""What the runs on GPT-2 say, judged seed by seed by criteria fixed before the runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from theory.gram import Gram
from theory.step import first_order
from verify.experiments.readings import GAINED, course_shares, race_outcome, step_scores
from verify.experiments.sentiment_predictions import Outcome, Prediction

Arrays = Mapping[str, Any]
# What one question found on one seed, piece by piece.
Found = Mapping[Any, Arrays]
Numbers = dict[str, float]

# Changes up to this size, in nats, are what a step is meant to make.
SMALL = 0.1
MANY = 8


@dataclass(frozen=True)
class Rule:
    """A finding before it meets data; see :class:`Prediction` for the words."""

    name: str
    question: str
    says: str
    criterion: str
    numbers: Callable[[Found], Numbers]  # empty where what it needs was not run
    holds: Callable[[Numbers], bool | None]

    def judge(self, results: Mapping[tuple[str, int, Any], Arrays]) -> Prediction | None:
        """The finding on every seed that has data for it; ``None`` without any."""
        seeds = sorted({seed for name, seed, _ in results if name == self.question})
        outcomes = []
        for seed in seeds:
            found = {p: a for (n, s, p), a in results.items() if (n, s) == (self.question, seed)}
            if numbers := self.numbers(found):
                outcomes.append(Outcome(seed, self.holds(numbers), numbers))
        if not outcomes:
            return None
        return Prediction(self.name, self.says, self.criterion, tuple(outcomes))


def findings(results: Mapping[tuple[str, int, Any], Arrays]) -> tuple[Prediction, ...]:
    """Judge every finding that ``results`` has data for."""
    judged = (rule.judge(results) for rule in RULES)
    return tuple(prediction for prediction in judged if prediction)


def _small_steps(found: Found) -> list[tuple[Any, dict[str, float]]]:
    """Scores of every piece at every rate whose changes are small."""
    rows = [
        (piece, step_scores(arrays, rate))
        for piece, arrays in found.items()
        for rate in range(len(piece.rates))
    ]
    return [(piece, scores) for piece, scores in rows if scores["largest change"] <= SMALL]


def _first_order(found: Found) -> Numbers:
    rows = [scores for _, scores in _small_steps(found)]
    if not rows:
        return {}
    return {
        "lowest share of signs": min(s["first order, signs"] for s in rows),
        "largest size error": max(s["first order, size error"] for s in rows),
        "runs": float(len(rows)),
    }


def _own_pair(found: Found) -> Numbers:
    rows = [s["own pair, signs"] for p, s in _small_steps(found) if p.batch >= MANY]
    return _extremes(rows)


def _majority(found: Found) -> Numbers:
    plain = [
        s["majority, signs"]
        for p, s in _small_steps(found)
        if p.batch >= MANY and p.kind == "sgd" and p.mix == "drawn" and "majority, signs" in s
    ]
    return _extremes(plain)


def _extremes(shares: Sequence[float]) -> Numbers:
    if not shares:
        return {}
    return {"lowest share of signs": min(shares), "highest share of signs": max(shares)}


def _course(found: Found, **wanted: Any) -> Numbers:
    for piece, arrays in found.items():
        if all(getattr(piece, name) == value for name, value in wanted.items()):
            return course_shares(arrays)
    return {}


def _fall(style: str) -> Callable[[Found], Numbers]:
    def numbers(found: Found) -> Numbers:
        shares = _course(found, style=style, labels="true", mix="balanced", batch=32)
        if not shares:
            return {}
        return {
            "change of the chosen": shares["measured"],
            "first order": shares["first order"],
            "curvature": shares["curvature"],
            "in the suffix": shares["suffix, measured"],
            "in the label": shares["label, measured"],
        }

    return numbers


def _controls(found: Found) -> Numbers:
    style = "long suffix"
    true = _course(found, style=style, labels="true", mix="balanced", batch=32)
    shuffled = _course(found, style=style, labels="shuffled", mix="balanced", batch=32)
    if not (true and shuffled):
        return {}
    return {"true labels": true["measured"], "shuffled labels": shuffled["measured"]}


def _own_condition(found: Found) -> Numbers:
    arrays = next((a for p, a in found.items() if p.objective == "DPO"), None)
    if arrays is None:
        return {}
    gram = Gram(arrays["sq_w"], arrays["sq_l"], arrays["dot"])
    change_w, _ = first_order(arrays["d_w"], arrays["d_l"], gram)
    return {
        "pairs whose own condition holds at the start": float((change_w > 0).mean()),
        "change of the chosen": race_outcome(arrays)["chosen"],
    }


def _ranking(found: Found) -> Numbers:
    outcomes = [race_outcome(arrays) for arrays in found.values()]
    reached = [o for o in outcomes if np.isfinite(o["chosen"]) and np.isfinite(o["predicted"])]
    if len(reached) < 3:
        return {}
    ranks = spearmanr([o["predicted"] for o in reached], [o["chosen"] for o in reached])
    return {"rank correlation": float(ranks.statistic), "objectives": float(len(reached))}


def _observed(objectives: Sequence[str]) -> Callable[[Found], Numbers]:
    def numbers(found: Found) -> Numbers:
        by_name = {piece.objective: race_outcome(a) for piece, a in found.items()}
        if not by_name.keys() >= set(objectives):
            return {}
        return {
            f"{name}, {side}": by_name[name][side]
            for name in objectives
            for side in ("chosen", "rejected")
        }

    return numbers


def _falls_all_the_same(n: Numbers) -> bool | None:
    change = n["change of the chosen"]
    if not np.isfinite(change):
        return None
    return change < 0 and n["pairs whose own condition holds at the start"] == 1.0


def _both_fall(numbers: Numbers) -> bool | None:
    return _judged(numbers, lambda _side, change: change < 0)


def _chosen_rises(numbers: Numbers) -> bool | None:
    return _judged(numbers, lambda side, change: side != "chosen" or change > 0)


def _winner_up_loser_down(numbers: Numbers) -> bool | None:
    return _judged(numbers, lambda side, change: (change > 0) == (side == "chosen"))


def _judged(numbers: Numbers, right: Callable[[str, float], bool]) -> bool | None:
    if not all(np.isfinite(v) for v in numbers.values()):
        return None
    return all(right(name.rpartition(", ")[2], change) for name, change in numbers.items())


_AT_MARGIN = (
    f"when the held-out margin has grown by {GAINED} nat on average, the mean "
    "held-out log-probability "
)

RULES: tuple[Rule, ...] = (
    Rule(
        "first-order",
        "steps",
        "The batch Gram in the optimizer's metric, with its memory and decay, predicts the "
        "change of every response in a batch of any size under SGD, momentum, Adam and AdamW.",
        f"at every batch size and rate whose changes stay below {SMALL} nat, at least 99 % of "
        "the signs and an error in size of at most 2 %",
        _first_order,
        lambda n: n["lowest share of signs"] >= 0.99 and n["largest size error"] <= 0.02,
    ),
    Rule(
        "own-pair",
        "steps",
        "The condition on a pair's own Gram does not predict what a step on a batch does to it.",
        f"in batches of {MANY} and more, at some setting it gets fewer than 80 % of the signs",
        _own_pair,
        lambda n: n["lowest share of signs"] < 0.8,
    ),
    Rule(
        "majority",
        "steps",
        "Under SGD the chosen rises if its label has the majority in the batch, and else falls.",
        f"in drawn batches of {MANY} and more, for at least 95 % of the chosen at every rate "
        f"whose changes stay below {SMALL} nat",
        _majority,
        lambda n: n["lowest share of signs"] >= 0.95,
    ),
    *(
        Rule(
            f"{style.split()[0]}-fall-first-order",
            "courses",
            f"{style}: the fall of the chosen under DPO with Adam is first order.",
            "the chosen falls, and what the updates do to first order, added up, is between "
            "80 % and 125 % of the fall",
            _fall(style),
            lambda n: (
                None
                if n["change of the chosen"] >= 0
                else 0.8 <= n["first order"] / n["change of the chosen"] <= 1.25
            ),
        )
        for style in ("short suffix", "long suffix")
    ),
    Rule(
        "fall-in-suffix",
        "courses",
        "long suffix: the fall of the chosen sits in the tokens that both responses share.",
        "the chosen falls, and more than half of the fall is in the suffix",
        _fall("long suffix"),
        lambda n: (
            None
            if n["change of the chosen"] >= 0
            else n["in the suffix"] < n["change of the chosen"] / 2
        ),
    ),
    Rule(
        "labels-matter",
        "courses",
        "long suffix: with labels that say nothing of the tweets the chosen does not fall.",
        "the chosen falls with true labels, and with shuffled ones by less than a quarter of that",
        _controls,
        lambda n: (
            None if n["true labels"] >= 0 else n["shuffled labels"] > n["true labels"] / 4
        ),
    ),
    Rule(
        "own-condition-holds",
        "objectives",
        "The chosen falls under DPO although every pair's own condition promised a rise.",
        "the condition holds for every held-out pair at the start, and " + _AT_MARGIN
        + "of the chosen is lower than at the start",
        _own_condition,
        _falls_all_the_same,
    ),
    Rule(
        "ranking",
        "objectives",
        "The band ranks the objectives by what they do to the chosen at equal margin gained.",
        "the rank correlation of the predicted share of the chosen and its measured change, "
        "over the objectives that gain the margin, is at least 0.5",
        _ranking,
        lambda n: n["rank correlation"] >= 0.5,
    ),
    Rule(
        "margin-methods-fall",
        "objectives",
        "Under DPO, and R-DPO, which is DPO where lengths are equal, both log-probabilities "
        "decrease.",
        _AT_MARGIN + "of chosen and rejected is lower than at the start",
        _observed(("DPO",)),
        _both_fall,
    ),
    Rule(
        "normalised-fall",
        "objectives",
        "Under SimPO and IPO both log-probabilities decrease.",
        _AT_MARGIN + "of chosen and rejected is lower than at the start",
        _observed(("SimPO", "IPO")),
        _both_fall,
    ),
    Rule(
        "sppo",
        "objectives",
        "SPPO raises the chosen and lowers the rejected.",
        _AT_MARGIN + "of the chosen is higher, of the rejected lower than at the start",
        _observed(("SPPO",)),
        _winner_up_loser_down,
    ),
    Rule(
        "regularised-rise",
        "objectives",
        "CPO, DPOP, RRHF and SLiC-HF raise the chosen.",
        _AT_MARGIN + "of the chosen is higher than at the start, under each of them",
        _observed(("CPO", "DPOP", "RRHF", "SLiC-HF")),
        _chosen_rises,
    ),
)  # fmt: skip


CRITERIA = {rule.name: rule.criterion for rule in RULES}
