r"""The shape of the band, and how a ratio outside it fails.

Notation: :math:`A=\|a\|^2, B=\|b\|^2, X=\langle a,b\rangle`, :math:`r^*=\|b\|/\|a\|`, cosine
:math:`\rho`, :math:`r=d_w/d_l`; :math:`D_w, D_l` the first-order changes per unit of step.
"""

from sympy import And, Gt, Integer, Lt, Min, Symbol

from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.symbols import A, B, X, d_l, d_w, r_star

from ...deciding.claim import Claim
from ...deciding.logic import equal, every, iff

D_w, D_l = first_order(d_w, d_l, Gram(A, B, X))
POSITIVE = (d_w > 0, d_l > 0)
NORMS = (A > 0, B > 0)
rho = Symbol("rho", real=True)
t, u, v, w = (Symbol(name, positive=True) for name in "tuvw")
len_c, len_d = Symbol("c_w", positive=True), Symbol("c_l", positive=True)
COSINE = (rho >= -1, rho <= 1)
scaled_w, scaled_l = first_order(
    d_w / len_c, d_l / len_d, Gram(len_c**2 * A, len_d**2 * B, len_c * len_d * X)
)

CLAIMS = (
    Claim(
        id="disband.no-division",
        locator="Gram contract",
        says=r"Whatever the signs of the incentives: the chosen is preserved iff $d_w\|a\|^2 \ge "
        r"d_l\langle a,b\rangle$, the rejected suppressed iff $d_w\langle a,b\rangle \le "
        r"d_l\|b\|^2$.",
        holds=every(iff(D_w >= 0, d_w * A >= d_l * X), iff(D_l <= 0, d_w * X <= d_l * B)),
    ),
    Claim(
        id="disband.band.width",
        locator="Band shape",
        says=r"The ends of the band have the ratio $\rho^{-2}$: its log-width $-2\log\rho$ depends "
        r"on $\rho$ alone.",
        given=(*NORMS, X > 0),
        holds=equal((B / X) / (X / A), 1 / (X**2 / (A * B))),
    ),
    Claim(
        id="disband.band.centre",
        locator="Band shape",
        says=r"The geometric mean of the band's ends is $r^* = \|b\|/\|a\|$.",
        given=(*NORMS, X > 0),
        holds=equal((B / X) * (X / A), B / A),
    ),
    Claim(
        id="disband.band.nonempty",
        locator="Band shape",
        says="The band is never empty: its lower end is at most its upper end.",
        given=(*NORMS, X > 0),
        holds=X / A <= B / X,
    ),
    Claim(
        id="disband.band.centre-is-best",
        locator="Band shape",
        says=r"At fixed $d_w d_l$ the centre maximises $\min(D_w/\|a\|, -D_l/\|b\|)$.",
        given=(*COSINE, equal(u * v, t**2)),
        holds=Min(u - rho * v, v - rho * u) <= (1 - rho) * t,
        note="u = d_w‖a‖, v = d_l‖b‖, so the centre is u = v = t.",
    ),
    Claim(
        id="disband.band.centre-is-best.repaired",
        locator="Band shape",
        says=r"If $\langle a,b\rangle \ge 0$: at fixed $d_w d_l$ the centre maximises "
        r"$\min(D_w/\|a\|, -D_l/\|b\|)$.",
        given=(rho >= 0, rho <= 1, equal(u * v, t**2)),
        holds=Min(u - rho * v, v - rho * u) <= (1 - rho) * t,
        note="u = d_w‖a‖, v = d_l‖b‖.",
        tight={u: Integer(1), v: Integer(1), t: Integer(1), rho: Integer(0)},
    ),
    Claim(
        id="disband.fails.below",
        locator="Which way it fails",
        says="A ratio below the band makes both fall.",
        given=(*POSITIVE, d_w * A < d_l * X),
        holds=And(Lt(D_w, 0), Lt(D_l, 0)),
    ),
    Claim(
        id="disband.fails.above",
        locator="Which way it fails",
        says="A ratio above the band makes both rise.",
        given=(*POSITIVE, d_w * X > d_l * B),
        holds=And(Gt(D_l, 0), Gt(D_w, 0)),
    ),
    Claim(
        id="disband.fails.never-reversed",
        locator="Which way it fails",
        says="With positive incentives it never happens that the chosen falls and the rejected "
        "rises.",
        given=POSITIVE,
        holds=~And(Lt(D_w, 0), Gt(D_l, 0)),
    ),
    Claim(
        id="disband.margin.formula",
        locator="Margin",
        says=r"$D_w - D_l = d_w\|a\|^2 - (d_w + d_l)\langle a,b\rangle + d_l\|b\|^2$",
        holds=equal(D_w - D_l, d_w * A - (d_w + d_l) * X + d_l * B),
    ),
    Claim(
        id="disband.margin.shrinks",
        locator="Margin",
        says=r"The margin shrinks iff $\rho > \frac{r + (r^*)^2}{(1 + r)r^*}$.",
        given=COSINE,
        holds=iff(
            Lt(v**2 - (1 + v**2) * rho * r_star + r_star**2, 0),
            rho > (v**2 + r_star**2) / ((1 + v**2) * r_star),
        ),
        note="In units ‖a‖ = d_l = 1, with r = v².",
    ),
    Claim(
        id="disband.margin.safe-cosine",
        locator="Margin",
        says=r"If $\rho \le \mathrm{sech}(\frac{1}{2}\ln r)$ the margin grows or stays, whatever "
        "the norms.",
        given=(*COSINE, rho <= 2 * v / (1 + v**2)),
        holds=v**2 - (1 + v**2) * rho * r_star + r_star**2 >= 0,
        note="sech(½ ln r) = 2√r/(1 + r); r = v², in units ‖a‖ = d_l = 1.",
    ),
    Claim(
        id="disband.margin.unsafe-cosine",
        locator="Margin",
        says=r"If $\rho > \mathrm{sech}(\frac{1}{2}\ln r)$ the margin shrinks at the norms $r^* = "
        r"\sqrt r$.",
        given=(*COSINE, rho > 2 * v / (1 + v**2)),
        holds=Lt(v**2 - (1 + v**2) * rho * v + v**2, 0),
        note="As before, at r* = v.",
    ),
    Claim(
        id="disband.margin.in-band",
        locator="Margin",
        says="Inside the band the margin never shrinks.",
        given=(*POSITIVE, d_w * A >= d_l * X, d_w * X <= d_l * B),
        holds=D_w - D_l >= 0,
    ),
    Claim(
        id="disband.dpo.synchronised",
        locator="Synchronised motion",
        says=r"Under DPO both move the same way iff $\rho > \min(r^*, 1/r^*)$.",
        given=COSINE,
        holds=iff(
            Gt((1 - rho * r_star) * (rho * r_star - r_star**2), 0), rho > Min(r_star, 1 / r_star)
        ),
        note="In units ‖a‖ = 1.",
    ),
    Claim(
        id="disband.length-normalisation",
        locator="Length normalisation",
        says=r"Measuring $c_w\log\pi_w$ and $c_l\log\pi_l$ instead, in incentives and scores "
        "alike, changes no pair's membership in the band.",
        given=POSITIVE,
        holds=every(iff(d_w * A >= d_l * X, scaled_w >= 0), iff(d_w * X <= d_l * B, scaled_l <= 0)),
        note="An incentive with respect to c·log π is the old one divided by c.",
    ),
    Claim(
        id="disband.no-entanglement",
        locator="Edges",
        says=r"If $\langle a,b\rangle \le 0$ any positive incentives preserve the chosen "
        "and suppress the rejected.",
        given=(*POSITIVE, X <= 0),
        holds=And(D_w >= 0, D_l <= 0),
    ),
    Claim(
        id="disband.zero-norm",
        locator="Edges",
        says="If one score is zero, any positive incentives preserve the chosen and "
        "suppress the rejected.",
        given=(*POSITIVE, equal(A * B, Integer(0))),
        holds=And(D_w >= 0, D_l <= 0),
    ),
    Claim(
        id="disband.zero-rejected-incentive",
        locator="Edges",
        says=r"If $d_l = 0 < d_w$ the chosen is preserved; the rejected is suppressed iff "
        r"$\langle a,b\rangle \le 0$.",
        given=(d_w > 0, equal(d_l, Integer(0))),
        holds=And(D_w >= 0, iff(D_l <= 0, X <= 0)),
    ),
    Claim(
        id="disband.parallel",
        locator="Edges",
        says=r"At $\rho = 1$ the band is the single ratio $r = r^*$.",
        given=(*POSITIVE, *NORMS, X > 0, equal(X**2, A * B)),
        holds=iff(And(D_w >= 0, D_l <= 0), equal(d_w**2 * A, d_l**2 * B)),
    ),
)
