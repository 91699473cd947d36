r"""Objectives that judge each response alone: :math:`\ell = f(\log\pi_w) + g(\log\pi_l)`."""

from ..kernels.primitives import logsigmoid, sigmoid
from ..objective import Objective
from ..symbols import beta, kl, lam_l, lam_w, logp_l, logp_w, ref_l, ref_w

reward_w, reward_l = logp_w - ref_w, logp_l - ref_l

KTO = Objective(
    name="KTO",
    loss=lam_w * sigmoid(beta * (kl - reward_w)) + lam_l * sigmoid(beta * (reward_l - kl)),
    defaults={beta: 0.1, lam_w: 1.0, lam_l: 1.0, kl: 0.0},
    source="Ethayarajh et al. 2024, eq. 8",
    note="z_ref is a detached batch estimate of KL(π‖π_ref): a constant here.",
)

SPPO = Objective(
    name="SPPO",
    loss=(reward_w - 1 / (2 * beta)) ** 2 + (reward_l + 1 / (2 * beta)) ** 2,
    defaults={beta: 0.001},
    source="Wu et al. 2024, square loss with win probabilities 1 and 0",
    note="The win probability of a chosen response is taken as 1, of a rejected one as 0 "
    '("hard" labels).',
)

BCO = Objective(
    name="BCO",
    loss=-logsigmoid(beta * reward_w) - logsigmoid(-beta * reward_l),
    defaults={beta: 0.1},
    source="Jung et al. 2024, binary classifier optimisation; TRL 1.16: bco_pair",
    note="Without the paper's shift of the rewards by their running mean, as in TRL 1.16.",
)

NCA = Objective(
    name="NCA",
    loss=-logsigmoid(beta * reward_w)
    - logsigmoid(-beta * reward_w) / 2
    - logsigmoid(-beta * reward_l) / 2,
    defaults={beta: 0.1},
    source="Chen et al. 2024, noise contrastive alignment; TRL 1.16: nca_pair",
    note="The pull on the chosen response ends where its reward is log 2.",
)

# KTO with the reference point at zero.
APO_ZERO = Objective(
    name="APO-zero",
    loss=KTO.loss.subs({lam_w: 1, lam_l: 1, kl: 0}),
    defaults={beta: 0.1},
    source="D'Oosterlinck et al. 2024, eq. 7; TRL 1.16: apo_zero",
    note="For chosen responses better than the model's own.",
)

APO_DOWN = Objective(
    name="APO-down",
    loss=sigmoid(beta * reward_w) + sigmoid(beta * (reward_l - reward_w)),
    defaults={beta: 0.1},
    source="D'Oosterlinck et al. 2024, eq. 8; TRL 1.16: apo_down",
    note="For chosen responses worse than the model's own: it lowers both, the rejected one more.",
)

MECHANISM = "each response alone"
OBJECTIVES = (KTO, SPPO, BCO, NCA, APO_ZERO, APO_DOWN)
