"""First finding: DPO follows stable targets, PPO dynamic ones; what of it is a theorem."""

from sympy import Gt, Integer, Lt, Symbol, exp, log

from disband.theory.models.targets import one_pair_service
from disband.theory.objectives import DPO

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every

LOCATOR = "Abstract, first finding"
TARGET = "G = ⟨mean score of the final responses, −∇L⟩ > 0 is read as: the target is kept to."
p_w, p_l = Symbol("p_w", positive=True), Symbol("p_l", positive=True)
E = Symbol("E", positive=True)
ONE_PAIR = (p_w + p_l <= 1, E > 1)

# Logits of the chosen, the rejected and a third response to one prompt.
z_w, z_l, z = (Symbol(name, real=True) for name in ("z_w", "z_l", "z"))
normaliser = log(exp(z_w) + exp(z_l) + exp(z))

loss_now, loss_end = Symbol("L_t", real=True), Symbol("L_T", real=True)
service = Symbol("G_theta", real=True)

# Three responses: probabilities now, probabilities at the end, rewards.
p = [Symbol(f"p_{i}", positive=True) for i in (1, 2, 3)]
T = [Symbol(f"T_{i}", nonnegative=True) for i in (1, 2, 3)]
R = [Symbol(f"R_{i}", real=True) for i in (1, 2, 3)]
IS_ROW = equal(sum(p), Integer(1))
mean = sum(p_i * R_i for p_i, R_i in zip(p, R, strict=True))
G = sum((T_i - p_i) * p_i * (R_i - mean) for p_i, T_i, R_i in zip(p, T, R, strict=True))
BEST_AT_END = (*(equal(T_i, Integer(int(i == 0))) for i, T_i in enumerate(T)),)
# How fast the logits move under the exact gradient of the mean reward.
flow = [p_i * (R_i - mean) for p_i, R_i in zip(p, R, strict=True)]
# The same three under another policy, for a mean reward of its own.
q = [Symbol(f"q_{i}", positive=True) for i in (1, 2, 3)]
mean_later = sum(q_i * R_i for q_i, R_i in zip(q, R, strict=True))
# Two pairs of one prompt, 1 over 2 and 2 over 3, of which a small batch holds the first alone.
a, b = Symbol("E_1", positive=True), Symbol("E_2", positive=True)
late = [p[0] * a, p[1] * b / a, p[2] / b]
first_pair = (late[0] - late[1]) - (p[0] - p[1]) * sum(late)

CLAIMS = (
    Claim(
        id="wang2025.dpo-supervised.linear",
        locator=LOCATOR,
        says="DPO is supervised learning: its margin is a linear function of the logits, as that "
        "of a logistic regression on fixed data.",
        quote="A common belief is that DPO is supervised learning while PPO is "
        "reinforcement learning",
        holds=equal((z_w - normaliser) - (z_l - normaliser), z_w - z_l),
        note="So its loss is convex in the parameters of every log-linear policy of whole "
        "responses. Written for three responses.",
    ),
    Claim(
        id="wang2025.dpo-supervised.labels",
        locator=LOCATOR,
        says="DPO is supervised learning: the sign with which it pushes a response never changes.",
        quote="A common belief is that DPO is supervised learning while PPO is "
        "reinforcement learning",
        holds=every(Gt(DPO.d_w, 0, evaluate=False), Gt(DPO.d_l, 0, evaluate=False)),
        note="As a label does not. The same pair, whatever the policy has become.",
    ),
    Claim(
        id="wang2025.ppo-reinforcement.sign",
        locator=LOCATOR,
        says="PPO is not: it pushes one and the same response up under one policy and down under "
        "another.",
        quote="A common belief is that DPO is supervised learning while PPO is "
        "reinforcement learning",
        given=(IS_ROW, equal(sum(q), Integer(1)), R[0] > R[1], R[1] > R[2]),
        holds=every(R[1] > mean, R[1] < mean_later),
        exists=True,
        note="Its advantage is the reward less the policy's own mean reward. The policies are p "
        "and q.",
    ),
    Claim(
        id="wang2025.dpo-stable",
        locator=LOCATOR,
        says="DPO follows stable targets: whatever pair an update is made of, it serves the "
        "responses that training ends with.",
        quote="DPO follows stable targets, whereas PPO follows dynamic targets that "
        "balance exploration and exploitation",
        given=(IS_ROW, a > 1, b > 1),
        holds=Gt(first_pair, 0),
        why="A pair that is not the whole data can raise a response that another pair "
        "holds down in the end.",
        note=f"{TARGET} Response 1 is preferred to 2, and 2 to 3; the update is made of the "
        "first pair alone, and E_1, E_2 > 1 are what both pairs have yet to multiply. Multiplied "
        "by the normaliser of the end. A batch that is not the whole data need not serve the end.",
    ),
    Claim(
        id="wang2025.dpo-stable.repaired",
        locator=LOCATOR,
        says="DPO on one pair of whole responses follows a stable target: every update, of any "
        "size, serves the responses that training ends with.",
        given=ONE_PAIR,
        holds=Gt(one_pair_service(p_w, p_l, E), 0),
        note=f"{TARGET} Several pairs: wang2025.dpo-stable.convex, and the experiment.",
    ),
    Claim(
        id="wang2025.dpo-stable.convex",
        locator=LOCATOR,
        says="Whatever the loss, where it is convex and lower at the end than now, the "
        "update points to the half-space of the final parameters; DPO on all its pairs is "
        "convex in every log-linear policy of whole responses.",
        whose=Kind.OURS,
        given=(loss_end >= loss_now - service, loss_end < loss_now),
        holds=Gt(service, 0),
        note="G_θ = ⟨θ_T − θ_t, −∇L⟩; the first assumption is what convexity says of two "
        "points, the second that training has lowered the loss; that DPO is convex there "
        "is wang2025.dpo-supervised.linear. A target in parameters instead of "
        "probabilities, which is ours.",
    ),
    Claim(
        id="wang2025.ppo-dynamic",
        locator=LOCATOR,
        says="PPO follows dynamic targets: an update can lead away from the responses that it "
        "will end with, though the reward is fixed and nothing is sampled.",
        quote="DPO follows stable targets, whereas PPO follows dynamic targets that "
        "balance exploration and exploitation",
        given=(IS_ROW, R[0] > R[1], R[1] > R[2], *BEST_AT_END),
        holds=Lt(G, 0),
        exists=True,
        note=f"{TARGET} The exact gradient of the mean reward on one prompt that ends with the "
        "best response alone: the second best, if likely, is the target first.",
    ),
    Claim(
        id="wang2025.ppo-dynamic.two-responses",
        locator=LOCATOR,
        says="Between two responses PPO's target is as stable as DPO's.",
        whose=Kind.OURS,
        given=(equal(p[0] + p[1], Integer(1)), R[0] > R[1]),
        holds=Gt(
            (1 - p[0]) * p[0] * (R[0] - p[0] * R[0] - p[1] * R[1])
            - p[1] * p[1] * (R[1] - p[0] * R[0] - p[1] * R[1]),
            0,
        ),
        note=f"{TARGET} A regime in which the finding is void: exact gradients, two responses.",
    ),
    Claim(
        id="wang2025.ppo-dynamic.likely-best",
        locator=LOCATOR,
        says="Where the best response is at least as likely as the second best, PPO's target is "
        "stable as well.",
        whose=Kind.OURS,
        given=(
            IS_ROW,
            R[0] > R[1],
            R[1] > R[2],
            p[0] >= p[1],
            *BEST_AT_END,
        ),
        holds=Gt(G, 0),
        note=f"{TARGET} Three responses, exact gradients.",
    ),
    Claim(
        id="wang2025.target.likelihood",
        locator=f"{LOCATOR}; its measure G, as notes on the paper have it",
        says="G is the speed at which the final responses become likelier under gradient flow: "
        "what it adds up to is what their likelihood has gained, for PPO as for DPO.",
        whose=Kind.OURS,
        given=(IS_ROW, *BEST_AT_END),
        holds=equal(G, flow[0] - sum(p_i * x for p_i, x in zip(p, flow, strict=True))),
        note="Exact gradients of the mean reward on three responses; on the right the slope of "
        "log p_1. So ∫G dt = NLL at the start − NLL at the end: the mean sign of G tells no "
        "supervised from reinforcement learning, its variation can.",
    ),
    Claim(
        id="wang2025.ppo-dynamic.ascent",
        locator=LOCATOR,
        says="PPO's update always serves the mean reward, whatever it does for the final "
        "responses.",
        whose=Kind.OURS,
        given=(IS_ROW, Gt((R[0] - R[1]) ** 2 + (R[1] - R[2]) ** 2, 0)),
        holds=Gt(sum(p_i**2 * (R_i - mean) ** 2 for p_i, R_i in zip(p, R, strict=True)), 0),
        note="The exact gradient and its square; what moves is not what PPO aims at but which "
        "responses stand for it.",
    ),
)  # fmt: skip
