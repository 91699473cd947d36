"""Table 2: the ten losses as printed, and their coefficients by (7) and (8)."""

from dataclasses import dataclass

from sympy import Expr, Gt, Heaviside, Max, Min, Ne, Rational, Symbol, exp, log
from sympy.logic.boolalg import Boolean

from disband.theory.symbols import (
    beta,
    delta,
    gamma,
    lam_l,
    lam_w,
    len_l,
    len_w,
    logp_l,
    logp_w,
    ref_l,
    ref_w,
)
from tests.verify.second.alphabet import alpha_, lambda_, z_ref
from tests.verify.second.general import at, slope
from tests.verify.second.section_3_1 import dpo_loss
from tests.verify.second.statement import Second, named, same, sigma

a = Symbol("a")
c_ref = ref_w - ref_l
ZERO = Rational(0)


@dataclass(frozen=True)
class Row:
    """A row: its functions, its coefficients worked out by hand, and where they are defined."""

    name: str
    m: Expr
    h_w: Expr
    h_l: Expr
    d_w: Expr
    d_l: Expr
    Lambda: Expr = ZERO
    given: tuple[Boolean, ...] = ()
    remark: str = ""

    @property
    def margin(self) -> Expr:
        return at(self.h_w, logp_w) - at(self.h_l, logp_l)

    @property
    def loss(self) -> Expr:
        """The loss (6) of the row."""
        return -(at(self.m, self.margin) + at(self.Lambda, logp_w))

    @property
    def by_7(self) -> Expr:
        return slope(self.m, self.margin) * slope(self.h_w, logp_w) + slope(self.Lambda, logp_w)

    @property
    def by_8(self) -> Expr:
        return slope(self.m, self.margin) * slope(self.h_l, logp_l)


def logsigma(z: Expr) -> Expr:
    return log(sigma(z))


dpo_z = beta * (logp_w - logp_l) - c_ref
rdpo_z = dpo_z - alpha_ * (len_w - len_l)
simpo_z = beta * (logp_w / len_w - logp_l / len_l) - gamma
rrhf_z = logp_w / len_w - logp_l / len_l
slic_z = logp_w - logp_l - delta
cpo_z = beta * (logp_w - logp_l)
short = Heaviside(ref_w - logp_w)
dpop_z = dpo_z - lambda_ * Max(0, ref_w - logp_w)
kto_w, kto_l = beta * logp_w - (ref_w + z_ref), ref_l + z_ref - logp_l
ipo_pull = 2 * (logp_w - logp_l - c_ref - 1 / (2 * beta))

SCALE = "m subtracts c_ref where (2) subtracts β c_ref."
KINK = "At the kink of m the coefficients are undefined."
LOG_OF_LOG = "log c_ref^w is a logarithm of a logarithm as printed; read as log π_ref(y_w|x). "
ROWS = (
    Row(
        "DPO",
        m=logsigma(a - c_ref),
        h_w=beta * a,
        h_l=beta * a,
        d_w=beta * sigma(-dpo_z),
        d_l=beta * sigma(-dpo_z),
        remark=SCALE,
    ),
    Row(
        "R-DPO",
        m=logsigma(a - (c_ref + alpha_ * (len_w - len_l))),
        h_w=beta * a,
        h_l=beta * a,
        d_w=beta * sigma(-rdpo_z),
        d_l=beta * sigma(-rdpo_z),
        remark=f"{SCALE} The sign of α is not printed.",
    ),
    Row(
        "SimPO",
        m=logsigma(a - gamma),
        h_w=beta / len_w * a,
        h_l=beta / len_l * a,
        d_w=beta / len_w * sigma(-simpo_z),
        d_l=beta / len_l * sigma(-simpo_z),
    ),
    Row(
        "IPO",
        m=(a - (c_ref + 1 / (2 * beta))) ** 2,
        h_w=a,
        h_l=a,
        d_w=ipo_pull,
        d_l=ipo_pull,
        remark="(6) has a minus before m: as printed the squared distance is made larger.",
    ),
    Row(
        "RRHF",
        m=Min(0, a),
        h_w=a / len_w,
        h_l=a / len_l,
        Lambda=lambda_ * a,
        d_w=Heaviside(-rrhf_z) / len_w + lambda_,
        d_l=Heaviside(-rrhf_z) / len_l,
        given=(Ne(rrhf_z, 0),),
        remark=KINK,
    ),
    Row(
        "SlicHF",
        m=Min(0, a - delta),
        h_w=a,
        h_l=a,
        Lambda=lambda_ * a,
        d_w=Heaviside(-slic_z) + lambda_,
        d_l=Heaviside(-slic_z),
        given=(Ne(slic_z, 0),),
        remark=KINK,
    ),
    Row(
        "CPO",
        m=logsigma(a),
        h_w=beta * a,
        h_l=beta * a,
        Lambda=lambda_ * a,
        d_w=beta * sigma(-cpo_z) + lambda_,
        d_l=beta * sigma(-cpo_z),
    ),
    Row(
        "DPOP",
        m=logsigma(a - c_ref),
        h_w=beta * a - lambda_ * Max(0, ref_w - a),
        h_l=beta * a,
        d_w=(beta + lambda_ * short) * sigma(-dpop_z),
        d_l=beta * sigma(-dpop_z),
        given=(Ne(logp_w, ref_w),),
        remark=f"{LOG_OF_LOG}{SCALE} λ is not multiplied by β.",
    ),
    Row(
        "KTO",
        m=a,
        h_w=lam_w * sigma(beta * a - (ref_w + z_ref)),
        h_l=lam_l * sigma((ref_l + z_ref) - a),
        d_w=lam_w * beta * sigma(kto_w) * sigma(-kto_w),
        d_l=-lam_l * sigma(kto_l) * sigma(-kto_l),
        remark=(
            f"{LOG_OF_LOG}h_l lacks β and, for the rejected response to be pushed down, its "
            "sign; β multiplies log π_w but not the reference. z_ref is held constant."
        ),
    ),
    Row(
        "SPPO",
        m=a,
        h_w=(a - 1 / beta) ** 2,
        h_l=(a + 1 / beta) ** 2,
        d_w=2 * (logp_w - 1 / beta),
        d_l=2 * (logp_l + 1 / beta),
        remark="The loss of appendix A.2 has the other sign of the chosen term, h_w.",
    ),
)
BY_NAME = {row.name: row for row in ROWS}
# The loss of appendix A.2.
sppo_loss = (logp_w - 1 / beta) ** 2 + (logp_l + 1 / beta) ** 2
DATA = {logp_w: -1, logp_l: -1, ref_w: -1, ref_l: -1, beta: 1}
# Where the coefficients of a row as printed are not both positive.
NOT_POSITIVE = {
    "IPO": DATA,
    "RRHF": DATA | {logp_l: -2, len_w: 1, len_l: 1, lambda_: 1},
    "SlicHF": DATA | {logp_l: -3, delta: 1, lambda_: 1},
    "KTO": DATA | {lam_w: 1, lam_l: 1, z_ref: 0},
    "SPPO": DATA,
}

ref_prob_w = named(
    "ref_prob_w", "log π_ref(y_w|x), of which KTO and DPOP print the logarithm", negative=True
)


def _table(name: str, words: str, **rest: object) -> Second:
    return Second(key=f"yuan2025 Table 2, {name}", where="3.2", words=words, **rest)


ENTRIES = [
    *(
        _table(
            row.name,
            "Instantiation of margin-based preference optimization losses",
            given=row.given,
            states=(same(row.by_7, row.d_w), same(row.by_8, row.d_l)),
            remark=row.remark,
        )
        for row in ROWS
    ),
    *(
        _table(
            f"positive incentives of {row.name}",
            "Condition 2 for different algorithms by using their specialized",
            given=(*row.given, lambda_ >= 0) if row.by_7.has(lambda_) else row.given,
            states=(Gt(row.d_w, 0, evaluate=False), Gt(row.d_l, 0, evaluate=False)),
            remark="Not printed; what Condition 2 needs to be applied. λ ≥ 0 is granted.",
            fails_at=NOT_POSITIVE.get(row.name),
        )
        for row in ROWS
    ),
    _table(
        "DPO against (2)",
        "Instantiation of margin-based preference optimization losses",
        given=(),
        states=(same(exp(BY_NAME["DPO"].loss), exp(dpo_loss)),),
        reading="as printed",
        remark=SCALE,
        fails_at={logp_w: -1, logp_l: -1, ref_w: -1, ref_l: -2, beta: 2},
    ),
    _table(
        "DPO against (2)",
        "Instantiation of margin-based preference optimization losses",
        given=(),
        states=(same(exp(-at(logsigma(a - beta * c_ref), BY_NAME["DPO"].margin)), exp(dpo_loss)),),
        reading="with β c_ref for c_ref",
    ),
    _table(
        "SPPO against appendix A.2",
        "Now we take a look at non-pairwise loss",
        given=(),
        states=(same(BY_NAME["SPPO"].loss, sppo_loss),),
        reading="as printed",
        fails_at={logp_w: -1, logp_l: -1, beta: 1},
    ),
    _table(
        "SPPO against appendix A.2",
        "Now we take a look at non-pairwise loss",
        given=(),
        states=(same(-(-((logp_w - 1 / beta) ** 2) - at(BY_NAME["SPPO"].h_l, logp_l)), sppo_loss),),
        reading="with -h_w for h_w",
    ),
    _table(
        "IPO with the other sign",
        "Instantiation of margin-based preference optimization losses",
        given=(logp_w - logp_l < c_ref + 1 / (2 * beta),),
        states=(-BY_NAME["IPO"].by_7 > 0, -BY_NAME["IPO"].by_8 > 0),
        reading="with -m for m, below the target of the margin",
        remark="As printed both incentives are negative there, and the margin shrinks.",
    ),
    _table(
        "logarithm of c_ref^w",
        "where we denote",
        given=(),
        states=(Gt(ref_prob_w, 0, evaluate=False),),
        reading="literally: log c_ref^w needs c_ref^w > 0, where c_ref^w is log π_ref(y_w|x)",
        remark="So KTO and DPOP must be read with c_ref^w for log c_ref^w.",
        fails_at={ref_prob_w: -1},
    ),
    _table(
        "DPOP above the reference",
        "behaves the same as DPO when the chosen response's log-ratio",
        given=(logp_w > ref_w,),
        states=(
            same(BY_NAME["DPOP"].by_7, BY_NAME["DPO"].by_7),
            same(BY_NAME["DPOP"].by_8, BY_NAME["DPO"].by_8),
        ),
        remark=LOG_OF_LOG,
    ),
]
