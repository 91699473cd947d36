"""Towards Disentangled Preference Optimization Dynamics: Suppress the Loser, Preserve the Winner.

Of the paper the abstract is quoted as printed; formulas are those of its official implementation.
"""

from verify.claims.chen2026 import band, calibration, decomposition, early_stage, incentives
from verify.deciding.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *decomposition.CLAIMS,
    *incentives.CLAIMS,
    *band.CLAIMS,
    *early_stage.CLAIMS,
    *calibration.CLAIMS,
)
