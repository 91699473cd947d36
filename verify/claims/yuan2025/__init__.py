"""A Common Pitfall of Margin-based Language Model Alignment: Gradient Entanglement."""

from ...deciding.claim import Claim, Prediction
from . import (
    background,
    derivations,
    designs,
    entanglement,
    general,
    last_layer,
    learnable_logits,
    losses,
    methods,
    observations,
    sentiment,
    tokens,
    wording,
)

CLAIMS: tuple[Claim | Prediction, ...] = (
    *background.CLAIMS,
    *entanglement.CLAIMS,
    *general.CLAIMS,
    *losses.CLAIMS,
    *methods.CLAIMS,
    *wording.CLAIMS,
    *observations.CLAIMS,
    *last_layer.CLAIMS,
    *learnable_logits.CLAIMS,
    *sentiment.CLAIMS,
    *designs.CLAIMS,
    *derivations.CLAIMS,
    *tokens.CLAIMS,
)
