"""The defaults of objectives, against what papers print and TRL's configurations hold.

The numbers here are copied from there by hand: nothing of the package is asked for them.
"""

import dataclasses

import pytest

from disband.theory.objectives import OBJECTIVES, find

# What papers and official codes take; where they take none, this project's choice, so that a change
# of it is seen. A weight of one is a loss as it is printed.
CHOSEN = {
    "DPO": {"beta": 0.1},  # Rafailov et al. 2023, appendix B
    "R-DPO": {"beta": 0.1, "alpha": 0.2},
    "SimPO": {"beta": 2.0, "gamma": 0.5},
    "IPO": {"beta": 0.1},
    "RRHF": {"lam": 1.0},  # Yuan et al. 2023, eq. 5: both terms weigh the same
    "SLiC-HF": {"delta": 1.0, "lam": 1.0},
    "CPO": {"beta": 0.1, "lam": 1.0},  # Xu et al. 2024
    "DPOP": {"beta": 0.1, "lam": 50.0},  # Pal et al. 2024
    "KTO": {"beta": 0.1, "lam_w": 1.0, "lam_l": 1.0, "kl": 0.0},
    "SPPO": {"beta": 0.001},  # Wu et al. 2024: η = 1e3
    "Hinge": {"beta": 0.1},
    "cDPO": {"beta": 0.1, "epsilon": 0.1},
    "rDPO": {"beta": 0.1, "epsilon": 0.1},
    "EXO": {"beta": 0.1, "epsilon": 0.001},
    "DiscoPOP": {"beta": 0.1, "tau": 0.05},
    "IPO-P": {"beta": 0.1, "lam": 50.0},
    "WPO": {"beta": 0.1, "omega": 1.0},
    "TIDPO": {"beta": 0.1},
    "LD-DPO": {"beta": 0.1},
    "DPO-norm": {"beta": 0.1},
    "IPO-norm": {"beta": 0.1},
    "DPO-FKL": {"beta": 0.1},
    "DPO-JS": {"beta": 0.1},
    "DPO-alpha": {"beta": 0.1, "alpha_f": 0.5},
    "BCO": {"beta": 0.1},
    "NCA": {"beta": 0.1},
    "APO-zero": {"beta": 0.1},
    "APO-down": {"beta": 0.1},
    "BCE": {},
    "LSIF": {},
    "UKL": {},
    "DDRO": {},
    "SFT": {},
    "SLiC": {"delta": 1.0, "lam": 1.0},
    "ORPO": {"lam": 0.1},
    "RPO": {"beta": 0.1, "lam": 1.0},
    "CPO-SimPO": {"beta": 0.1, "gamma": 0.5, "lam": 1.0},
    "MPO": {"beta": 0.1},
    "PPO-clip": {"adv_w": 1.0, "adv_l": 1.0, "clip": 0.2},  # Schulman et al. 2017, section 6.1
}

# Our name, our symbol, TRL's configuration and what it calls the number.
IN_TRL = [
    *((name, "beta", "DPOConfig", "beta") for name in ("DPO", "Hinge", "NCA", "BCO", "APO-zero")),
    *((name, "beta", "DPOConfig", "beta") for name in ("APO-down", "IPO-norm", "DPO-norm", "EXO")),
    *((name, "beta", "DPOConfig", "beta") for name in ("DPO-FKL", "DPO-JS", "DPO-alpha", "MPO")),
    ("DiscoPOP", "beta", "DPOConfig", "beta"),
    ("DiscoPOP", "tau", "DPOConfig", "discopop_tau"),
    ("DPO-alpha", "alpha_f", "DPOConfig", "f_alpha_divergence_coef"),
    ("KTO", "beta", "KTOConfig", "beta"),
    ("KTO", "lam_w", "KTOConfig", "desirable_weight"),
    ("KTO", "lam_l", "KTOConfig", "undesirable_weight"),
]


def defaults(name):
    return {symbol.name: value for symbol, value in find(name).defaults.items()}


def test_every_default_is_the_one_that_was_looked_up():
    assert {o.name: defaults(o.name) for o in OBJECTIVES} == CHOSEN


@pytest.mark.slow
@pytest.mark.parametrize(("name", "symbol", "config", "field"), IN_TRL)
def test_a_default_is_that_of_the_trainer(name, symbol, config, field):
    trl = pytest.importorskip("trl")
    fields = {f.name: f.default for f in dataclasses.fields(getattr(trl, config))}
    assert defaults(name)[symbol] == fields[field]
