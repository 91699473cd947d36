"""What Is Preference Optimization Doing, How and Why? Only its abstract is known: as printed."""

from verify.claim import Claim, Prediction
from verify.claims.wang2025 import components, measured, offline, on_policy, targets

CLAIMS: tuple[Claim | Prediction, ...] = (
    *targets.CLAIMS,
    *components.CLAIMS,
    *offline.CLAIMS,
    *on_policy.CLAIMS,
    *measured.CLAIMS,
)
