"""Statements of this project: what follows about the band, steps and calibration."""

from verify.claim import Claim
from verify.claims.disband import bands, batches, calibration, finite_steps, table2

CLAIMS: tuple[Claim, ...] = (
    *bands.CLAIMS,
    *calibration.CLAIMS,
    *batches.CLAIMS,
    *finite_steps.CLAIMS,
    *table2.CLAIMS,
)
