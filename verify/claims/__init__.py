"""The ledger: every claim, paper by paper, in the order of each paper."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..deciding.claim import Claim, Prediction

if TYPE_CHECKING:
    LEDGER: tuple[Claim | Prediction, ...]

PAPERS = ("yuan2025", "chen2026", "wang2025", "jian2025", "disband")

__all__ = ["LEDGER", "PAPERS", "claims_of"]


def claims_of(paper: str) -> tuple[Claim | Prediction, ...]:
    """Return the claims of one of ``PAPERS``, without reading the others."""
    claims: tuple[Claim | Prediction, ...] = import_module(f".{paper}", __name__).CLAIMS
    return claims


def __getattr__(name: str) -> Any:
    """Read the whole ledger when it is first asked for."""
    if name != "LEDGER":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _ledger()


@cache
def _ledger() -> tuple[Claim | Prediction, ...]:
    from . import chen2026, disband, jian2025, wang2025, yuan2025

    papers = (yuan2025, chen2026, wang2025, jian2025, disband)
    return tuple(claim for paper in papers for claim in paper.CLAIMS)
