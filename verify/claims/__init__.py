"""The ledger: every claim, paper by paper, in the order of each paper."""

from ..deciding.claim import Claim, Prediction
from . import chen2026, disband, jian2025, wang2025, yuan2025

LEDGER: tuple[Claim | Prediction, ...] = (
    *yuan2025.CLAIMS,
    *chen2026.CLAIMS,
    *wang2025.CLAIMS,
    *jian2025.CLAIMS,
    *disband.CLAIMS,
)

__all__ = ["LEDGER"]
