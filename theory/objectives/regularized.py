r"""Objectives with a likelihood term on the chosen response, and weighted sums in general."""

from collections.abc import Mapping

from sympy import Expr, Integer, Rational, Symbol

from ..kernels.primitives import logodds, logsigmoid, relu
from ..objective import Objective
from ..symbols import DATA, beta, delta, gamma, lam, len_l, len_w, logp_l, logp_w
from .length import SIMPO
from .margin import DPO
from .pointwise import BCO


def mix(
    name: str,
    parts: Mapping[Objective, float | Expr],
    source: str,
    defaults: Mapping[Symbol, float] | None = None,
    note: str = "",
) -> Objective:
    r"""Return the objective :math:`\ell = \sum_i c_i \ell_i`.

    Parts share their hyperparameters: a mixture has one :math:`\beta`.

    Args:
        name: Its name.
        parts: The weight :math:`c_i` of each objective, a number or an expression.
        source: Where the mixture was published.
        defaults: Values of hyperparameters, before those of the parts.
        note: One sentence for the reader.

    Raises:
        ValueError: Nothing is mixed, parts disagree about a default, or a symbol has none.
    """
    given, values = dict(defaults or {}), dict[Symbol, float]()
    loss: Expr = Integer(0)
    for part, weight in parts.items():
        loss += (weight if isinstance(weight, Expr) else Rational(str(weight))) * part.loss
        for symbol, value in part.defaults.items():
            if symbol not in given and values.setdefault(symbol, value) != value:
                raise ValueError(
                    f"parts of a mixture share their hyperparameters: {name} got {symbol} "
                    f"{values[symbol]:g} and {value:g}; say which in defaults"
                )
    values |= given
    own = loss.free_symbols - set(DATA)
    if not own <= set(values) or not parts:
        lacking = ", ".join(sorted(str(s) for s in own - set(values))) or "any part"
        raise ValueError(
            f"a mixture has parts, and a default for each symbol: {name} lacks {lacking}; add it"
        )
    return Objective(name, loss, source, {s: v for s, v in values.items() if s in own}, note)


SFT = Objective(
    name="SFT",
    loss=-logp_w / len_w,
    source="cross-entropy on the chosen response; TRL 1.16: sft",
    note="A mean per response; TRL's is a mean over all chosen tokens of the batch.",
)

CPO = Objective(
    name="CPO",
    loss=-logsigmoid(beta * (logp_w - logp_l)) - lam * logp_w,
    defaults={beta: 0.1, lam: 1.0},
    source="Xu et al. 2024, contrastive preference optimization",
)

RRHF = Objective(
    name="RRHF",
    loss=relu(logp_l / len_l - logp_w / len_w) - lam * logp_w,
    defaults={lam: 1.0},
    source="Yuan et al. 2023, ranking loss with a likelihood term",
)

SLIC_HF = Objective(
    name="SLiC-HF",
    loss=relu(delta - logp_w + logp_l) - lam * logp_w,
    defaults={delta: 1.0, lam: 1.0},
    source="Zhao et al. 2023, rank calibration loss with a likelihood term",
)

SLIC = Objective(
    name="SLiC",
    loss=SLIC_HF.loss,
    defaults=SLIC_HF.defaults,
    source="chen2026, official code: SLiC-HF by another name",
    note="The defaults are those of SLiC-HF; chen2026 writes γ for δ.",
)

# The odds are those of the geometric mean of a response's token probabilities.
ORPO = Objective(
    name="ORPO",
    loss=SFT.loss - lam * logsigmoid(logodds(logp_w / len_w) - logodds(logp_l / len_l)),
    defaults={lam: 0.1},
    source="Hong et al. 2024; TRL 1.16: experimental ORPOTrainer",
    note="With p = π^(1/|y|), logodds is log(p/(1 - p)) and expm1 is p - 1. The default λ is TRL's "
    "beta; TRL's likelihood term counts the prompt's tokens too.",
)

RPO = mix(
    "RPO",
    {DPO: 1, SFT: lam},
    "Pang et al. 2024, iterative reasoning preference optimization",
    {lam: 1.0},
    "λ is the paper's α; the likelihood term is a mean per token.",
)

CPO_SIMPO = mix(
    "CPO-SimPO",
    {SIMPO: 1, SFT: lam},
    "Xu et al. 2024 with Meng et al. 2024; TRL 1.16: CPOTrainer, simpo",
    {beta: 0.1, gamma: 0.5, lam: 1.0},
    "λ is TRL's cpo_alpha, and the defaults are TRL's; SimPO itself needs λ = 0.",
)

MPO = mix(
    "MPO",
    {DPO: 0.8, BCO: 0.2, SFT: 1.0},
    "Wang et al. 2024 (InternVL), mixed preferences; TRL 1.16: loss_weights",
    note="The weights are those of TRL's documentation.",
)

MECHANISM = "with a likelihood term"
OBJECTIVES = (CPO, RRHF, SLIC_HF, SFT, SLIC, ORPO, RPO, CPO_SIMPO, MPO)
