"""The catalogue: every objective, each one declaration, filed by mechanism."""

from difflib import get_close_matches

from theory.objective import Objective
from theory.objectives.margin import DPO, DPOP, IPO, R_DPO, SIMPO
from theory.objectives.pointwise import KTO, SPPO
from theory.objectives.regularized import CPO, RRHF, SLIC_HF

OBJECTIVES = (DPO, R_DPO, SIMPO, IPO, RRHF, SLIC_HF, CPO, DPOP, KTO, SPPO)

__all__ = [
    "CPO",
    "DPO",
    "DPOP",
    "IPO",
    "KTO",
    "OBJECTIVES",
    "RRHF",
    "R_DPO",
    "SIMPO",
    "SLIC_HF",
    "SPPO",
    "find",
]


def find(name: str) -> Objective:
    """Return the objective called ``name``, whatever its case, hyphens and underscores.

    Raises:
        ValueError: No objective has that name.
    """
    by_key = {_key(o.name): o for o in OBJECTIVES}
    if (key := _key(name)) in by_key:
        return by_key[key]
    known = ", ".join(o.name for o in OBJECTIVES)
    near = get_close_matches(key, by_key, n=1)
    hint = f"did you mean {by_key[near[0]].name}?" if near else "choose one of these"
    raise ValueError(f"an objective is one of {known}: got {name!r}; {hint}")


def _key(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
