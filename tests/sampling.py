"""Which objectives a test takes: all of them where the loss itself is in question, else a sample.

What follows from a loss by one procedure for all follows for a sample too: of each mechanism what
differs in kind (a kink, a pole, a negative incentive, lengths, a hyperparameter without a default).
"""

import pytest

from disband.theory.objectives import (
    CPO,
    DDRO,
    DISCOPOP,
    DPO,
    DPO_JS,
    DPOP,
    IPO,
    KTO,
    OBJECTIVES,
    ORPO,
    PPO_CLIP,
    RRHF,
    SIMPO,
    SPPO,
)

SAMPLE = (
    *(DPO, IPO, DISCOPOP, DPOP),
    SIMPO,
    DPO_JS,
    *(KTO, SPPO),
    DDRO,
    *(CPO, RRHF, ORPO),
    PPO_CLIP,
)


def of(objectives):
    return pytest.mark.parametrize("objective", objectives, ids=lambda o: o.name)


each = of(OBJECTIVES)
some = of(SAMPLE)
