"""What Is Preference Optimization Doing, How and Why? Only its abstract is known: as printed."""

from verify.claims.wang2025 import components, measured, offline, on_policy, targets
from verify.deciding.claim import Claim, Prediction

CLAIMS: tuple[Claim | Prediction, ...] = (
    *targets.CLAIMS,
    *components.CLAIMS,
    *offline.CLAIMS,
    *on_policy.CLAIMS,
    *measured.CLAIMS,
)
