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


class Kind(StrEnum):
    """Whose words a statement is in: only what is printed can be an erratum."""

    PRINTED = "printed"
    READ = "read"
    OURS = "ours"


class Grade(StrEnum):
    """How much an erratum matters, the gravest first."""

    THEOREM = "theorem"
    ASSUMPTION = "missing assumption"
    SIGN = "sign or factor"
    MISPRINT = "misprint"
    WORDING = "wording"


@dataclass(frozen=True, eq=False)
class Quantity:
    """A part of a statement with a name, so that it can be read without its expansion.

    Args:
        name: How it is written in plain text, for example ``Δlog π_w``.
        value: What it stands for in the statement: a symbol, or an expression.
        means: What it is, in words or as a formula of the paper's.
        short: ``value`` in terms of other quantities, each as a symbol of its name.
    """

    name: str
    value: Expr
    means: str = ""
    short: Expr | None = None


@dataclass(frozen=True, eq=False)
class _Statement:
    """What every entry of the ledger says of itself.

    Args:
        id: Stable identifier ``<citation key>.<slug>``; a repaired form ends in ``.repaired``.
        locator: Where the paper says it.
        says: The statement in words; mathematics between dollar signs.
        quote: The paper's own words, letter for letter; ``…`` where some are left out.
        whose: The kind, where it is not what the id and the quotation say: a repaired form and a
            statement of this project are ours, a quotation of a whole text is printed, all else
            is our reading.
        standing: Assumptions and footnotes of the paper that bear on the statement.
        note: The reading that was chosen where the print leaves one open.
    """

    id: str
    locator: str
    says: str
    quote: str = field(default="", kw_only=True)
    whose: Kind | None = field(default=None, kw_only=True)
    standing: tuple[str, ...] = field(default=(), kw_only=True)
    note: str = field(default="", kw_only=True)

    @property
    def kind(self) -> Kind:
        """Whose words the statement is in."""
        if self.whose is not None:
            return self.whose
        if self.paper == "disband" or self.id.endswith(".repaired"):
            return Kind.OURS
        return Kind.PRINTED if self.quote and self.paper in WHOLE_TEXTS else Kind.READ

    @property
    def paper(self) -> str:
        """Citation key."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, eq=False)
class Claim(_Statement):
    """One mathematical statement of a paper, with exactly the assumptions that the paper makes.

    Args:
        holds: What the paper concludes.
        given: What the paper assumes.
        exists: The paper says that ``holds`` can happen, not that it always does.
        grade: Of a printed statement that is refuted, how much that matters.
        why: Of a statement that is refuted, the reason in a sentence without its formula.
        where: The named parts of the statement, in the order in which a reader meets them.
        cases: Of a family, its members by name; ``holds`` says all of them.
        tight: Of a bound that is said to be sharp, a point where it is attained.
        regime: What the paper has in mind besides; a counterexample meets it where one can.
    """

    holds: Boolean = field(kw_only=True)
    given: tuple[Boolean, ...] = field(default=(), kw_only=True)
    exists: bool = field(default=False, kw_only=True)
    grade: Grade | None = field(default=None, kw_only=True)
    why: str = field(default="", kw_only=True)
    where: tuple[Quantity, ...] = field(default=(), kw_only=True)
    cases: Mapping[str, Boolean] = field(default_factory=dict, kw_only=True)
    tight: Point = field(default_factory=dict, kw_only=True)
    regime: tuple[Boolean, ...] = field(default=(), kw_only=True)

    @property
    def repairs(self) -> str | None:
        """The id of the printed claim that this one mends, if it mends one."""
        return self.id.removesuffix(".repaired") if self.id.endswith(".repaired") else None


@dataclass(frozen=True, eq=False)
class Prediction(_Statement):
    """One empirical statement of a paper, decided by an experiment of this project.

    Args:
        experiment: The experiment that measures it.
        outcome: The name of the prediction among that experiment's outcomes.
    """

    experiment: str = field(kw_only=True)
    outcome: str = field(kw_only=True)

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
