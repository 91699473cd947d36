"""What a reader of the report wants first: findings, each with the claims that it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errata import verdict_words

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """A finding.

    Args:
        says: In a sentence, as README says it.
        means: What follows from it for a reader; mathematics between dollar signs.
        rests_on: The claims that it rests on, each with the verdict without which it falls.
    """

    says: str
    means: str
    rests_on: Mapping[str, str]


FINDINGS = (
    Finding(
        "A high cosine alone does not make both fall",
        r"Under DPO they move the same way iff the cosine exceeds $\min(r^*, 1/r^*)$: it takes "
        "unequal norms too.",
        {"yuan2025.high-correlation": "refuted", "disband.dpo.synchronised": "proved"},
    ),
    Finding(
        "A shared prefix can make the chosen fall",
        "Corollary 2 is false as printed: what the shared tokens teach the last layer can favour "
        "the rejected token. It has a repaired form.",
        {
            "yuan2025.corollary2.directions": "refuted",
            "yuan2025.corollary2.directions.repaired": "proved",
        },
    ),
    Finding(
        "Shared tokens after the difference lower the chosen, but not at once",
        "One costs at most half a step, so from a start that prefers neither response fewer than "
        "three never make it fall, to first order.",
        {"yuan2025.theorem3.suffix-length": "proved", "yuan2025.theorem3.chosen-falls": "proved"},
    ),
    Finding(
        "Six of ten rows of the paper's table of losses are not those losses",
        "As printed: a sign, a factor β or a reference is missing. Take losses from their own "
        "papers, or from the table of objectives below.",
        {
            f"yuan2025.table2.{row}": "refuted"
            for row in ("dpo", "r-dpo", "ipo", "dpop", "kto", "sppo")
        },
    ),
    Finding(
        "One update of a small GPT-2 is predicted by the batch's Gram in the optimizer's metric",
        "With the optimizer's memory, at small rates; a pair's own Gram does not predict it, for "
        "the other pairs of the batch move it too.",
        {"disband.gpt2.first-order": "supported", "disband.gpt2.own-pair": "supported"},
    ),
    Finding(
        "Calibration helps, at a price and up to a limit",
        "It leaves the chosen higher at equal margin; the margin grows no faster than DPO's, and "
        "in some batches no factor suits every pair.",
        {
            "disband.gpt2.calibration-spares-the-chosen": "supported",
            "disband.calibration.price": "proved",
            "disband.batch.calibration-not-enough": "proved",
        },
    ),
)


def found(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return each finding with the verdicts that this run came to, and whether it stands on them.

    A finding is left out where the run decided none of its claims; ``stands`` is false where a
    verdict is another or was not reached.
    """
    verdicts = {r["id"]: verdict_words(r) for r in records}
    cards = []
    for finding in FINDINGS:
        known = {name: verdicts[name] for name in finding.rests_on if name in verdicts}
        if known:
            other = [name for name, verdict in known.items() if verdict != finding.rests_on[name]]
            cards.append(
                {
                    "says": finding.says,
                    "means": finding.means,
                    "rests_on": known,
                    "stands": not other and len(known) == len(finding.rests_on),
                }
            )
    return cards
