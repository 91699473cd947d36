"""The catalogue: every objective, each one declaration, filed by mechanism."""

from collections.abc import Mapping
from types import MappingProxyType

from ..lookup import named
from ..objective import Objective
from . import density_ratio, divergence, length, margin, pointwise, policy_gradient, regularized
from .density_ratio import BCE, DDRO, LSIF, UKL
from .divergence import DPO_ALPHA, DPO_FKL, DPO_JS
from .length import DPO_NORM, IPO_NORM, SIMPO
from .margin import (
    CDPO,
    DISCOPOP,
    DPO,
    DPOP,
    EXO,
    HINGE,
    IPO,
    IPO_P,
    LD_DPO,
    R_DPO,
    ROBUST,
    TIDPO,
    WPO,
)
from .pointwise import APO_DOWN, APO_ZERO, BCO, KTO, NCA, SPPO
from .policy_gradient import PPO_CLIP
from .regularized import (
    CPO,
    CPO_SIMPO,
    MPO,
    ORPO,
    RPO,
    RRHF,
    SFT,
    SLIC,
    SLIC_HF,
    mix,
)
from .sorted import AOT, AOT_UNPAIRED, BatchObjective

# yuan2025's Table 2, in its order.
TABLE2 = (DPO, R_DPO, SIMPO, IPO, RRHF, SLIC_HF, CPO, DPOP, KTO, SPPO)

_ROOMS = (margin, length, divergence, pointwise, density_ratio, regularized, policy_gradient)

OBJECTIVES: tuple[Objective, ...] = (
    *TABLE2,
    *(o for room in _ROOMS for o in room.OBJECTIVES if o not in TABLE2),
)

# The names of all, by what each room says of its own; two rooms may say the same.
MECHANISMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        room.MECHANISM: tuple(
            objective.name
            for other in _ROOMS
            if other.MECHANISM == room.MECHANISM
            for objective in other.OBJECTIVES
        )
        for room in _ROOMS
    }
)

BATCH_OBJECTIVES = (AOT, AOT_UNPAIRED)

# What TRL 1.16 calls them: DPOTrainer's loss_type, then its f_divergence_type. ``find`` takes
# these names too, after the objectives' own: TRL's ipo is IPO-norm, but find("ipo") is IPO.
ALIASES: Mapping[str, Objective] = MappingProxyType(
    {
        "sigmoid": DPO,
        "hinge": HINGE,
        "ipo": IPO_NORM,
        "exo_pair": EXO,
        "nca_pair": NCA,
        "robust": ROBUST,
        "bco_pair": BCO,
        "sppo_hard": SPPO,
        "apo_zero": APO_ZERO,
        "apo_down": APO_DOWN,
        "discopop": DISCOPOP,
        "sft": SFT,
        "sigmoid_norm": DPO_NORM,
        "reverse_kl": DPO,
        "forward_kl": DPO_FKL,
        "js_divergence": DPO_JS,
        "alpha_divergence": DPO_ALPHA,
    }
)

__all__ = [
    "ALIASES",
    "AOT",
    "AOT_UNPAIRED",
    "APO_DOWN",
    "APO_ZERO",
    "BATCH_OBJECTIVES",
    "BCE",
    "BCO",
    "CDPO",
    "CPO",
    "CPO_SIMPO",
    "DDRO",
    "DISCOPOP",
    "DPO",
    "DPOP",
    "DPO_ALPHA",
    "DPO_FKL",
    "DPO_JS",
    "DPO_NORM",
    "EXO",
    "HINGE",
    "IPO",
    "IPO_NORM",
    "IPO_P",
    "KTO",
    "LD_DPO",
    "LSIF",
    "MPO",
    "NCA",
    "OBJECTIVES",
    "ORPO",
    "PPO_CLIP",
    "ROBUST",
    "RPO",
    "RRHF",
    "R_DPO",
    "SFT",
    "SIMPO",
    "SLIC",
    "SLIC_HF",
    "SPPO",
    "TABLE2",
    "TIDPO",
    "UKL",
    "WPO",
    "BatchObjective",
    "find",
    "mix",
]


def find(name: str) -> Objective:
    """Return the objective called ``name``, whatever its case, hyphens and underscores.

    Where hyphens alone tell two apart, they count: ``r-dpo`` is R-DPO and ``rdpo`` is rDPO.

    Raises:
        ValueError: No objective has that name.
    """
    return named(name, OBJECTIVES, ALIASES)
