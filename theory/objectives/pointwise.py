r"""Objectives that judge each response alone: :math:`\ell = f(\log\pi_w) + g(\log\pi_l)`."""

from theory.objective import Objective
from theory.primitives import sigmoid
from theory.symbols import beta, kl, lam_l, lam_w, logp_l, logp_w, ref_l, ref_w

reward_w, reward_l = logp_w - ref_w, logp_l - ref_l

# z_ref is a detached batch estimate of KL(π || π_ref): a constant here.
KTO = Objective(
    name="KTO",
    loss=lam_w * sigmoid(beta * (kl - reward_w)) + lam_l * sigmoid(beta * (reward_l - kl)),
    defaults={beta: 0.1, lam_w: 1.0, lam_l: 1.0, kl: 0.0},
    source="Ethayarajh et al. 2024, eq. 8",
)

# The win probability of a winner is taken as 1, of a loser as 0 ("hard" labels).
SPPO = Objective(
    name="SPPO",
    loss=(reward_w - 1 / (2 * beta)) ** 2 + (reward_l + 1 / (2 * beta)) ** 2,
    defaults={beta: 0.001},
    source="Wu et al. 2024, square loss with win probabilities 1 and 0",
)
