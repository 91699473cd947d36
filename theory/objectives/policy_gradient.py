r"""Policy gradient on a pair: the chosen response has an advantage, the rejected one a handicap.

The reference is the policy that sampled the pair, so :math:`\pi/\pi_{ref}` is the importance
ratio.
"""

from sympy import exp, log

from ..kernels.primitives import relu
from ..objective import Objective
from ..symbols import adv_l, adv_w, clip
from .pointwise import reward_l, reward_w

# min(e^r, 1 + ε) and max(e^r, 1 - ε), the extremes taken in the exponent, where nothing overflows.
highest, lowest = log(1 + clip), log(1 - clip)

PPO_CLIP = Objective(
    name="PPO-clip",
    loss=-adv_w * exp(highest - relu(highest - reward_w))
    + adv_l * exp(lowest + relu(reward_l - lowest)),
    defaults={adv_w: 1.0, adv_l: 1.0, clip: 0.2},
    source="Schulman et al. 2017, eq. 7, with advantages A_w > 0 and -A_l < 0",
    note="Where the clip is inactive, d_w = A_w·π_w/π_ref,w and d_l = A_l·π_l/π_ref,l.",
)

MECHANISM = "ratio of densities"
OBJECTIVES = (PPO_CLIP,)
