"""What Is Preference Optimization Doing, How and Why? Only its abstract is known: as printed."""

from ...deciding.claim import Claim, Prediction
from . import components, measured, offline, on_policy, targets

CLAIMS: tuple[Claim | Prediction, ...] = (
    *targets.CLAIMS,
    *components.CLAIMS,
    *offline.CLAIMS,
    *on_policy.CLAIMS,
    *measured.CLAIMS,
)
