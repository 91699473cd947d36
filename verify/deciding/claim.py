"""What a claim is, and what it means to decide one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from sympy import Expr, Symbol
from sympy.logic.boolalg import Boolean

Point = Mapping[Symbol, Expr]

# Of these the whole text was at hand. Of the others it was the abstract, and of chen2026 the
# official code too: a claim there is our reading of a sentence.
WHOLE_TEXTS = frozenset({"yuan2025"})
# Experiments that the main job does not run, with the command that does.
ON_MODELS = {
    "gpt2": "disband gpt2",
    "smollm2": "disband gpt2 --model smollm2 --scale pretrained",
}


class LedgerError(ValueError):
    """A claim cannot be decided as it is written: it is vacuous, inexact or has evaluated away."""


class Verdict(StrEnum):
    """Computed, never typed: see :mod:`disband.verify.deciding.decide`."""

    PROVED = "proved"
    REFUTED = "refuted"
    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    OPEN = "open"


@dataclass(frozen=True, eq=False)
class Claim:
    """One mathematical statement of a paper, with exactly the assumptions that the paper makes.

    Args:
        id: Stable identifier ``<citation key>.<slug>``; a repaired form ends in ``.repaired``.
        locator: Where the paper says it.
        says: The printed statement in words; mathematics between dollar signs.
        holds: What the paper concludes.
        given: What the paper assumes.
        note: The reading that was chosen where the print leaves one open.
        exists: The paper says that ``holds`` can happen, not that it always does.
    """

    id: str
    locator: str
    says: str
    holds: Boolean
    given: tuple[Boolean, ...] = ()
    note: str = ""
    exists: bool = False

    @property
    def paper(self) -> str:
        """Citation key."""
        return self.id.partition(".")[0]

    @property
    def repairs(self) -> str | None:
        """The id of the printed claim that this one mends, if it mends one."""
        return self.id.removesuffix(".repaired") if self.id.endswith(".repaired") else None


@dataclass(frozen=True, eq=False)
class Prediction:
    """One empirical statement of a paper, decided by an experiment of this project.

    Args:
        id: Stable identifier ``<citation key>.<slug>``.
        locator: Where the paper says it.
        says: The printed statement in words; mathematics between dollar signs.
        experiment: The experiment that measures it.
        outcome: The name of the prediction among that experiment's outcomes.
        note: How the statement was made measurable.
    """

    id: str
    locator: str
    says: str
    experiment: str
    outcome: str
    note: str = ""

    @property
    def paper(self) -> str:
        """Citation key."""
        return self.id.partition(".")[0]

    @property
    def command(self) -> str:
        """What runs the experiment."""
        return ON_MODELS.get(self.experiment, "disband verify")


@dataclass(frozen=True)
class Decision:
    """A verdict and the evidence for it.

    Args:
        verdict: What was found.
        decided_by: The procedure that found it, in words.
        seconds: How long it took.
        example: An exact point that meets the assumptions; shows the claim is not vacuous.
        counterexample: An exact point that meets the assumptions where the statement fails.
        numbers: What an experiment measured.
    """

    verdict: Verdict
    decided_by: str
    seconds: float = 0.0
    example: Point = field(default_factory=dict)
    counterexample: Point | None = None
    numbers: Mapping[str, object] | None = None
