"""Statements of this project on many steps: when a response turns, and what moves that."""

from ....deciding.claim import Claim
from . import incentives, labels, models, optimizers, rows, steps, suffixes

CLAIMS: tuple[Claim, ...] = (
    *steps.CLAIMS,
    *rows.CLAIMS,
    *suffixes.CLAIMS,
    *labels.CLAIMS,
    *models.CLAIMS,
    *incentives.CLAIMS,
    *optimizers.CLAIMS,
)
