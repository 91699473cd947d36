"""Towards Disentangled Preference Optimization Dynamics: Suppress the Loser, Preserve the Winner.

Of the paper the abstract is quoted as printed; formulas are those of its official implementation.
"""

from ...deciding.claim import Claim
from . import band, calibration, decomposition, early_stage, incentives

CLAIMS: tuple[Claim, ...] = (
    *decomposition.CLAIMS,
    *incentives.CLAIMS,
    *band.CLAIMS,
    *early_stage.CLAIMS,
    *calibration.CLAIMS,
)
