"""What a pair of formalisations is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sympy import Expr, Integer
from sympy.core.function import UndefinedFunction

from disband.theory.models.vocabulary import TokenVector
from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Claim
from tests.verify.second.entries import ENTRIES
from tests.verify.second.statement import Point

PAPER = "yuan2025"
CLAIMS = {claim.id: claim for claim in LEDGER if isinstance(claim, Claim)}
SECONDS = {entry.name: entry for entry in ENTRIES}


@dataclass(frozen=True, eq=False)
class Pair:
    """A statement of the ledger and what a second reader made of the same words.

    Args:
        claim: The id in the ledger, without the citation key.
        second: The names of the second formalisation, without it; together they say the statement.
        means: Symbols of one formalisation in those of the other.
        functions: Functions that the ledger leaves open, as functions of one argument.
        states: Which parts of the second formalisation say it; all of them if empty.
        scales: What a side of the second is multiplied by to be one of the first.
        exponential: Whether the sides of equations are compared as exponents.
        apart: Why they are compared as wholes: whether each holds at every point where the
            assumptions of both do, and not point by point and part by part.
        row: Why their parts alone are compared.
        differs: Why the two do not say the same; empty if they do.
        at: Where exactly one of them holds, if they differ there; the symbols that are drawn.
        assumes: What only one of the two assumes, if their assumptions are not the same.
        first: The ledger's claim as it stood at first, if it was mended after the two had been
            written.
    """

    claim: str
    second: str | tuple[str, ...]
    means: Mapping[Expr, Expr] = field(default_factory=dict)
    functions: Mapping[UndefinedFunction, Callable[[Expr], Expr]] = field(default_factory=dict)
    states: tuple[int, ...] = ()
    scales: tuple[Expr, ...] = (Integer(1),)
    exponential: bool = False
    apart: str = ""
    row: str = ""
    differs: str = ""
    at: Point | None = None
    assumes: str = ""
    first: Claim | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the second formalisation."""
        return (self.second,) if isinstance(self.second, str) else self.second

    @property
    def ledger(self) -> Claim:
        """The ledger's claim as it stands."""
        return CLAIMS[f"{PAPER}.{self.claim}"]


def row_of(row: TokenVector, values: list[Expr]) -> dict[Expr, Expr]:
    """The entries of a row of the ledger, token by token."""
    *singles, rest = row.entries
    others = [rest.base[number] for number in range(1, len(values) - len(singles) + 1)]
    return dict(zip([*singles, *others], values, strict=True))
