"""Second finding, PPO: negative learning and exploration, and the size of advantages."""

from sympy import Gt, IndexedBase, Integer, Le, Lt, Sum, Symbol, log

from disband.theory.models.exploration import collision_slope, entropy_slope, success_halves
from disband.theory.models.vocabulary import V, k
from disband.theory.objectives import PPO_CLIP
from disband.theory.symbols import clip, logp_w, ref_w

from ...deciding.claim import Claim, Kind
from ...deciding.logic import equal, every

NEGATIVE = "Abstract, negative learning in PPO"
WEIGHTS = "Abstract, loss reweighting in PPO"
s, ell = IndexedBase("s", nonnegative=True), IndexedBase("ell", real=True)
p, ell_y = Symbol("p", positive=True), Symbol("ell_y", nonnegative=True)
IS_ROW = equal(Sum(s[k], (k, 1, V)), Integer(1))
second, third = Sum(s[k] ** 2, (k, 1, V)), Sum(s[k] ** 3, (k, 1, V))
mean_surprise = Sum(s[k] ** 2 * ell[k], (k, 1, V))
LIKELIEST = s[k] <= p
slack = Sum(p * s[k] ** 2 - s[k] ** 3, (k, 1, V))
D = Symbol("D", real=True)
spared = Sum(s[k] * p * ell_y - s[k] ** 2 * ell[k], (k, 1, V))
# What each half adds to the logit of response 1; sigma is how often an advantage is positive.
sigma = IndexedBase("sigma", nonnegative=True)
share = Symbol("q", positive=True)
positive_half = s[1] * sigma[1] - s[1] * Sum(s[k] * sigma[k], (k, 1, V))
negative_half = -(s[1] * (1 - sigma[1]) - s[1] * Sum(s[k] - s[k] * sigma[k], (k, 1, V)))
h = Symbol("h", positive=True)
halves = success_halves(share, h)
u_1, u_2 = Symbol("p_1", positive=True), Symbol("p_2", positive=True)

# Two first tokens worth Q_1 > Q_2, the first of them taken; after it a token that changes nothing.
Q_1, Q_2, Q = Symbol("Q_1", real=True), Symbol("Q_2", real=True), Symbol("Q", real=True)
pivot, idle = Symbol("A_pivot", real=True), Symbol("A_idle", real=True)
mean = u_1 * Q_1 + u_2 * Q_2
BRANCH = (equal(u_1 + u_2, Integer(1)), Q_1 > Q_2, equal(pivot, Q_1 - mean))

CLAIMS = (
    Claim(
        id="wang2025.ppo-negative.same-vector",
        locator=NEGATIVE,
        says="On policy, positive and negative learning with even weights are one and the same "
        "update on average: they cannot have different roles.",
        whose=Kind.OURS,
        given=(IS_ROW, sigma[k] <= 1),
        holds=equal(positive_half, negative_half),
        note="Read off the logit of response 1, under any rewards: σ_k is how often response k "
        "has a positive advantage, and else it is negative. Scores average to nothing. What "
        "tells the halves apart is reweighting, sampling, or data of another policy.",
    ),
    Claim(
        id="wang2025.ppo-negative.target",
        locator=NEGATIVE,
        says="It is not negative learning in PPO that primarily determines the targets: it serves "
        "them no more than positive learning.",
        quote="In PPO, negative learning primarily supports exploration rather than "
        "determining the targets.",
        given=(share < 1,),
        holds=Le(halves.negative, halves.positive),
        why="Once success is the rule, it is the failures that are rare, and pushing them "
        "down does more for success than pushing successes up.",
        note="Determining is read as serving the target more. A response succeeds with "
        "probability q or fails; exact advantages; the target are successes.",
    ),
    Claim(
        id="wang2025.ppo-negative.target.repaired",
        locator=NEGATIVE,
        says="While success is rarer than failure, negative learning in PPO serves the targets "
        "less than positive learning.",
        given=(share < Integer(1) / 2,),
        holds=Lt(halves.negative, halves.positive),
        note="Their ratio is q/(1−q): once success is the rule, negative learning determines the "
        "target.",
    ),
    Claim(
        id="wang2025.ppo-negative.two-responses",
        locator=NEGATIVE,
        says="Between two responses negative learning of one is positive learning of the other.",
        whose=Kind.OURS,
        given=(equal(u_1 + u_2, Integer(1)),),
        holds=every(
            equal(-u_2 * (0 - u_1), u_1 * (1 - u_1)), equal(-u_2 * (1 - u_2), u_1 * (0 - u_2))
        ),
        note="Logit by logit, each weighted with its probability. So there it determines the "
        "target alone: a regime in which the finding is void.",
    ),
    Claim(
        id="wang2025.ppo-negative.exploration",
        locator=NEGATIVE,
        says="Negative learning primarily supports exploration: pushing a response down makes two "
        "draws from the policy differ no less often.",
        quote="In PPO, negative learning primarily supports exploration rather than "
        "determining the targets.",
        given=(IS_ROW, equal(p, s[1])),
        holds=Le(-collision_slope(p, second, third), 0),
        why="An unlikely response that is pushed down gives its mass to the likely ones, "
        "which makes draws more alike.",
        note="The chance that two draws agree is Σs². To first order, one prompt, logits of its "
        "own. An unlikely response pushed down gives its mass to the likely ones.",
    ),
    Claim(
        id="wang2025.ppo-negative.exploration.repaired",
        locator=NEGATIVE,
        says="Pushing the likeliest response down makes two draws from the policy differ no less "
        "often.",
        given=(LIKELIEST,),
        holds=every(
            slack >= 0,
            equal(collision_slope(p, second, third), 2 * ((p - second) ** 2 + slack)),
        ),
        note="The slope is that of a push up.",
    ),
    Claim(
        id="wang2025.ppo-negative.entropy",
        locator=NEGATIVE,
        says="Pushing the likeliest response down never lowers the entropy.",
        whose=Kind.OURS,
        given=(IS_ROW, LIKELIEST, ell[k] <= ell_y),
        holds=every(spared >= 0, equal(entropy_slope(p, ell_y, mean_surprise), -spared)),
        note="ℓ_k = log s_k + H, largest for the likeliest response and at least 0 there. The "
        "slope is that of a push up.",
    ),
    Claim(
        id="wang2025.ppo-negative.entropy-even",
        locator=NEGATIVE,
        says="Negative learning that does not look at rewards leaves the entropy as it is on "
        "average.",
        whose=Kind.OURS,
        given=(IS_ROW, equal(mean_surprise, D)),
        holds=equal(Sum(s[k] * D - s[k] ** 2 * ell[k], (k, 1, V)), Integer(0)),
        note="Every response pushed down as often as the policy gives it; D is the mean of "
        "s_k ℓ_k. So exploration is a matter of which responses are bad, not of the sign.",
    ),
    Claim(
        id="wang2025.ppo-weights.clipped",
        locator=WEIGHTS,
        says="Loss reweighting in PPO is related to the size of the advantage, but not beyond the "
        "clip: there a token weighs nothing, however large it is.",
        quote="loss reweighting, related to absolute values of token-level advantages, "
        "indicates the distinct roles of token groups in updating targets.",
        given=(logp_w - ref_w > log(1 + clip),),
        holds=equal(PPO_CLIP.d_w, 0),
        note="Of a positive advantage; ε is the clip.",
    ),
    Claim(
        id="wang2025.ppo-weights.idle-token",
        locator=WEIGHTS,
        says="A token after which every choice is worth the same is not pushed: its advantage is "
        "zero.",
        whose=Kind.OURS,
        given=(IS_ROW,),
        holds=equal(Q - Sum(Q * s[k], (k, 1, V)), Integer(0)),
        note="Every choice has the value Q; the advantage of a perfect critic.",
    ),
    Claim(
        id="wang2025.ppo-weights.separates",
        locator=WEIGHTS,
        says="The size of token-level advantages of a perfect critic separates the tokens that "
        "matter from those that do not.",
        whose=Kind.OURS,
        given=(*BRANCH, equal(idle, Q_1 - (u_1 * Q_1 + u_2 * Q_1))),
        holds=Gt(pivot**2, idle**2),
        note="Of the token that decides between two values, and of one after it that does not.",
    ),
)  # fmt: skip
