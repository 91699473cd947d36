"""Advice about the data themselves: rows, repetitions, responses that hardly differ."""

from collections.abc import Mapping
from typing import Any

from disband.verify.pages.tables import percent

from .rules import MANY, Advice


def about_data(counts: Mapping[str, Any], tokens: Mapping[str, Any]) -> list[Advice]:
    """Rules about all rows and the sample's tokens: see :func:`disband.probe.advice.advise`."""
    same = counts["identical"] + tokens["identical tokens"]
    clashes = counts["contradictory"]
    n = tokens["pairs"]
    return [
        Advice(
            "Rows without a pair: any row is malformed or has an empty response",
            f"{counts['malformed']} of {counts['rows']} rows, {counts['empty']} with an empty "
            "response",
            counts["malformed"] > 0,
            "Mend or drop the rows that state no pair.",
            "A trainer either stops at them or trains on nothing.",
        ),
        Advice(
            "Identical responses: any pair has them",
            f"{counts['identical']} of {counts['pairs']} pairs as text, "
            f"{tokens['identical tokens']} of {n} sampled pairs as tokens",
            same > 0,
            "Drop pairs with identical responses; where only their tokens are the same, raise "
            "--max-length.",
            "Both scores are equal, so no objective of the margin can move it; one that has an "
            "extra pull only imitates the text.",
        ),
        Advice(
            "Contradictions: a pair comes again with chosen and rejected exchanged",
            f"{clashes} of {counts['pairs']} pairs",
            clashes > 0,
            "Of pairs that come again exchanged, drop both, or decide which is meant.",
            "Under an objective of the margin their steps cancel at the start.",
        ),
        Advice(
            f"Repeated pairs: more than {percent(MANY)} come again word for word",
            f"{counts['repeated']} of {counts['pairs']} pairs",
            counts["repeated"] > MANY * max(counts["pairs"], 1),
            "Drop repeated pairs.",
            "A pair is trained on as often as it comes.",
        ),
        Advice(
            f"Nearly identical responses: more than {percent(MANY)} of the sample differ by one "
            "token of four or more, or by at most a tenth of the longer response",
            f"{tokens['nearly identical']} of {n} sampled pairs",
            tokens["nearly identical"] > MANY * n,
            "Drop or rewrite nearly identical pairs, train only on the tokens that differ, or add "
            "a term that holds the chosen up (RPO, CPO).",
            "Tokens that both responses share have nearly the same scores in both, so what lowers "
            "the rejected response lowers the chosen one.",
        ),
        Advice(
            f"Cut texts: more than {percent(MANY)} of the sample do not fit",
            f"{tokens['cut to fit']} of {n} sampled pairs",
            tokens["cut to fit"] > MANY * n,
            "Raise --max-length here and in the trainer, or shorten the texts.",
            "The model is trained on, and measured on, fragments.",
        ),
    ]
