"""What an outsider may rely on: objectives, Grams, bands and first-order steps.

>>> from disband import DPO, Gram, band
>>> low, high = band(Gram.of_angle(cosine=0.9, norm_ratio=1.3))

Names are imported when they are first used, so that the command line starts at once.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disband.theory.band import Band, Case, band, calibration, case
    from disband.theory.first_order import first_order
    from disband.theory.gram import Gram
    from disband.theory.objective import Objective
    from disband.theory.objectives import (
        ALIASES,
        AOT,
        AOT_UNPAIRED,
        APO_DOWN,
        APO_ZERO,
        BATCH_OBJECTIVES,
        BCE,
        BCO,
        CDPO,
        CPO,
        CPO_SIMPO,
        DDRO,
        DISCOPOP,
        DPO,
        DPO_ALPHA,
        DPO_FKL,
        DPO_JS,
        DPO_NORM,
        DPOP,
        EXO,
        HINGE,
        IPO,
        IPO_NORM,
        IPO_P,
        KTO,
        LD_DPO,
        LSIF,
        MPO,
        NCA,
        OBJECTIVES,
        ORPO,
        PPO_CLIP,
        R_DPO,
        ROBUST,
        RPO,
        RRHF,
        SFT,
        SIMPO,
        SLIC,
        SLIC_HF,
        SPPO,
        TABLE2,
        TIDPO,
        UKL,
        WPO,
        BatchObjective,
        find,
        mix,
    )
    from disband.theory.own_loss import objective_of

    from .monitor.callback import Monitor
    from .monitor.config import MonitorConfig

__version__ = "0.2.0"

# theory, sims, lm, verify and figures are links here to the folders beside this one. In a checkout
# whose links are plain files, and in an unpacked source archive, those folders are found by this.
_beside = Path(__file__).parent.parent
if not Path(__file__).with_name("theory").is_dir() and (_beside / "theory").is_dir():
    __path__.append(str(_beside))

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
    "Band",
    "BatchObjective",
    "Case",
    "Gram",
    "Monitor",
    "MonitorConfig",
    "Objective",
    "band",
    "calibration",
    "case",
    "find",
    "first_order",
    "mix",
    "objective_of",
]

_HOMES = {
    "Band": "disband.theory.band",
    "Case": "disband.theory.band",
    "Gram": "disband.theory.gram",
    "Monitor": "disband.monitor.callback",
    "MonitorConfig": "disband.monitor.config",
    "Objective": "disband.theory.objective",
    "band": "disband.theory.band",
    "calibration": "disband.theory.band",
    "case": "disband.theory.band",
    "first_order": "disband.theory.first_order",
    "objective_of": "disband.theory.own_loss",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "disband.theory.objectives")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
