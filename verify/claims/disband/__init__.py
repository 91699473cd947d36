"""Statements of this project: what follows about the band, steps and calibration."""

from ...deciding.claim import Claim, Prediction
from . import (
    bands,
    batches,
    calibration,
    common_steps,
    early_stage,
    finite_steps,
    horizon,
    implementations,
    masks,
    metrics,
    neighbours,
    table2,
    training,
)

CLAIMS: tuple[Claim | Prediction, ...] = (
    *bands.CLAIMS,
    *calibration.CLAIMS,
    *masks.CLAIMS,
    *implementations.CLAIMS,
    *metrics.CLAIMS,
    *batches.CLAIMS,
    *common_steps.CLAIMS,
    *early_stage.CLAIMS,
    *finite_steps.CLAIMS,
    *horizon.CLAIMS,
    *table2.CLAIMS,
    *neighbours.CLAIMS,
    *training.CLAIMS,
)
