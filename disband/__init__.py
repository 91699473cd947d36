"""What an outsider may rely on: objectives, Grams, bands and first-order steps.

>>> from disband import DPO, Gram, band
>>> low, high = band(Gram.of_angle(cosine=0.9, norm_ratio=1.3))

Names are imported when they are first used, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disband.monitor.callback import Monitor
    from disband.monitor.config import MonitorConfig
    from theory.band import Band, Case, band, calibration, case
    from theory.gram import Gram
    from theory.objective import Objective
    from theory.objectives import (
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
    from theory.step import first_order

__version__ = "0.1.0"

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
]

_HOMES = {
    "Band": "theory.band",
    "Case": "theory.band",
    "Gram": "theory.gram",
    "Monitor": "disband.monitor.callback",
    "MonitorConfig": "disband.monitor.config",
    "Objective": "theory.objective",
    "band": "theory.band",
    "calibration": "theory.band",
    "case": "theory.band",
    "first_order": "theory.step",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "theory.objectives")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
