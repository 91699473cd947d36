"""The ledger: every claim, in the order of its paper."""

from verify.claim import Claim, Prediction
from verify.claims import yuan2025

LEDGER: tuple[Claim | Prediction, ...] = yuan2025.CLAIMS

__all__ = ["LEDGER"]
