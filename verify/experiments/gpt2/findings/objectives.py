"""Findings on the objectives at equal margin gained: who preserves the chosen."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from disband.theory.first_order import first_order
from disband.theory.gram import Gram

from ...judging.prediction import Numbers, Rule
from ..question import Picture, Question, Row
from ..readings import GAINED, Arrays, Pieces, race_outcome

if TYPE_CHECKING:
    from ..questions.objectives import Race


def _own_condition(pieces: Pieces) -> Numbers:
    arrays = next((a for p, a in pieces.items() if p.objective == "DPO"), None)
    if arrays is None:
        return {}
    gram = Gram(arrays["sq_w"], arrays["sq_l"], arrays["dot"])
    change_w, _ = first_order(arrays["d_w"], arrays["d_l"], gram)
    return {
        "pairs whose own condition holds at the start": float((change_w > 0).mean()),
        "change of the chosen": race_outcome(arrays)["chosen"],
    }


def _ranking(by: str) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        outcomes = [race_outcome(arrays) for arrays in pieces.values()]
        reached = [o for o in outcomes if np.isfinite(o["chosen"]) and np.isfinite(o[by])]
        if len(reached) < 3:
            return {}
        from scipy.stats import spearmanr  # half a second, which a claim does not wait for

        ranks = spearmanr([o[by] for o in reached], [o["chosen"] for o in reached])
        return {"rank correlation": float(ranks.statistic), "objectives": float(len(reached))}

    return numbers


def _observed(objectives: Sequence[str]) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        by_name = {piece.objective: race_outcome(a) for piece, a in pieces.items()}
        if not by_name.keys() >= set(objectives):
            return {}
        return {
            f"{name}, {side}": by_name[name][f"{side} at the end"]
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


def _chosen_up_rejected_down(numbers: Numbers) -> bool | None:
    return _judged(numbers, lambda side, change: (change > 0) == (side == "chosen"))


def _judged(numbers: Numbers, right: Callable[[str, float], bool]) -> bool | None:
    if not all(np.isfinite(v) for v in numbers.values()):
        return None
    return all(right(name.rpartition(", ")[2], change) for name, change in numbers.items())


_AT_MARGIN = (
    f"when the held-out margin has grown by {GAINED} nat on average (after the last update, where "
    "it never has), the mean held-out log-probability "
)

RULES: tuple[Rule[Pieces], ...] = (
    Rule(
        name="own-condition-holds",
        says="The chosen falls under DPO although every pair's own condition promised a rise.",
        criterion="the condition holds for every held-out pair at the start, and "
        + _AT_MARGIN
        + "of the chosen is lower than at the start",
        numbers=_own_condition,
        holds=_falls_all_the_same,
    ),
    Rule(
        name="ranking",
        says="The band ranks the objectives by what they do to the chosen at equal margin gained.",
        criterion="the rank correlation of the predicted share of the chosen and its measured "
        "change, over the objectives that gain the margin, is at least 0.5",
        numbers=_ranking("predicted"),
        holds=lambda n: n["rank correlation"] >= 0.5,
    ),
    Rule(
        name="ranking-batch",
        says="The batch band, all held-out pairs as one batch, ranks the objectives by what they "
        "do to the chosen at equal margin gained.",
        criterion="the rank correlation of the predicted share of the chosen and its measured "
        "change, over the objectives that gain the margin, is at least 0.5",
        numbers=_ranking("predicted by the batch"),
        holds=lambda n: n["rank correlation"] >= 0.5,
    ),
    Rule(
        name="margin-methods-fall",
        says="Under DPO, and R-DPO, which is DPO where lengths are equal, both log-probabilities "
        "decrease.",
        criterion=_AT_MARGIN + "of chosen and rejected is lower than at the start",
        numbers=_observed(("DPO",)),
        holds=_both_fall,
    ),
    Rule(
        name="normalised-fall",
        says="Under SimPO and IPO both log-probabilities decrease.",
        criterion=_AT_MARGIN + "of chosen and rejected is lower than at the start",
        numbers=_observed(("SimPO", "IPO")),
        holds=_both_fall,
    ),
    Rule(
        name="sppo",
        says="SPPO raises the chosen and lowers the rejected.",
        criterion=_AT_MARGIN + "of the chosen is higher, of the rejected lower than at the start",
        numbers=_observed(("SPPO",)),
        holds=_chosen_up_rejected_down,
    ),
    Rule(
        name="regularised-rise",
        says="CPO, DPOP, RRHF and SLiC-HF raise the chosen.",
        criterion=_AT_MARGIN + "of the chosen is higher than at the start, under each of them",
        numbers=_observed(("CPO", "DPOP", "RRHF", "SLiC-HF")),
        holds=_chosen_rises,
    ),
)


def _rows(piece: "Race", arrays: Arrays) -> list[Row]:
    return [{"objective": piece.objective, "style": piece.style, **race_outcome(arrays)}]


QUESTION = Question(
    name="objectives",
    rows=_rows,
    rules=RULES,
    pictures=(
        Picture(
            name="ranking",
            caption="The chosen's change at equal margin gained beside what the band said at the "
            "start",
            drawing="gpt2.comparisons:ranking_picture",
        ),
    ),
)
