"""The catalogue as a whole: names, mixtures, and what single objectives are known for."""

import numpy as np
import pytest
import sympy
import torch

from disband.theory.kernels.lowering import compile_kernel
from disband.theory.kernels.primitives import logsigmoid, sigmoid
from disband.theory.objectives import (
    ALIASES,
    BCE,
    BCO,
    CPO,
    CPO_SIMPO,
    DDRO,
    DPO,
    DPO_ALPHA,
    DPO_FKL,
    DPOP,
    HINGE,
    IPO,
    IPO_NORM,
    KTO,
    OBJECTIVES,
    PPO_CLIP,
    R_DPO,
    ROBUST,
    RRHF,
    SFT,
    SIMPO,
    SLIC_HF,
    SPPO,
    TABLE2,
    find,
    mix,
)
from disband.theory.objectives.divergence import alpha_divergence, forward_kl, jensen_shannon
from disband.theory.objectives.versions import VERSIONS
from disband.theory.symbols import DATA, alpha_f, beta, epsilon, lam, logp_l, logp_w, ref_l, ref_w


def close_data(seed, n=64):
    """Log-probabilities within three nats of each other, lengths, ``(n,)`` each."""
    rng = np.random.default_rng(seed)
    return (*-3 * rng.random((4, n)), *rng.integers(1, 20, (2, n)))


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("dpo", DPO),
        ("R_DPO", R_DPO),
        ("r-dpo", R_DPO),
        ("rdpo", ROBUST),
        ("sim-po", SIMPO),
        ("slic-hf", SLIC_HF),
        ("slichf", SLIC_HF),
        ("dpo_fkl", DPO_FKL),
        ("ppoclip", PPO_CLIP),
        ("sigmoid", DPO),
        ("HINGE", HINGE),
        ("sppo_hard", SPPO),
        ("ipo", IPO),
    ],
)
def test_objectives_are_found_by_name_however_written(name, objective):
    assert find(name) is objective


def test_names_are_unique_and_find_themselves():
    for written in (str, str.lower, str.upper, lambda name: name.replace("-", "_")):
        assert [find(written(o.name)) for o in OBJECTIVES] == list(OBJECTIVES)


def test_the_library_s_names_are_known_too():
    assert ALIASES["ipo"] is IPO_NORM
    shadowed = {"ipo"}
    assert all(find(name) is o for name, o in ALIASES.items() if name not in shadowed)
    assert set(ALIASES.values()) <= set(OBJECTIVES)


def test_table_2_comes_first():
    assert OBJECTIVES[:10] == TABLE2
    assert len({o.name for o in OBJECTIVES}) == len(OBJECTIVES)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("slics", "did you mean SLiC"), ("sigmoidd", "did you mean DPO"), ("xyzzy!", "one of")],
)
def test_an_unknown_objective_is_refused_with_the_nearest(name, hint):
    with pytest.raises(ValueError, match=hint):
        find(name)


@pytest.mark.parametrize(
    ("limit", "objective", "hyper"),
    [
        (DPO, find("cDPO"), {"epsilon": 1e-9}),
        (DPO, ROBUST, {"epsilon": 1e-9}),
        (DPO, find("WPO"), {"omega": 1.0}),
        (DPO, DPO_ALPHA, {"alpha_f": 1 - 1e-9}),
        (DPO_FKL, DPO_ALPHA, {"alpha_f": 0.0}),
        (DPO, find("RPO"), {"lam": 0.0}),
        (DPO, DPOP, {"lam": 0.0}),
        (IPO, find("IPO-P"), {"lam": 0.0}),
        (KTO, find("APO-zero"), {}),
        (SIMPO, CPO_SIMPO, {"lam": 0.0, "beta": 2.0}),
        (BCE, BCO, {"beta": 1.0}),
        (SFT, find("ORPO"), {"lam": 0.0}),
    ],
    ids=lambda v: getattr(v, "name", None),
)
def test_an_objective_contains_another_one(limit, objective, hyper):
    data = close_data(5)
    for what in ("d_w", "d_l"):
        got, want = objective.kernel(what, **hyper)(*data), limit.kernel(what)(*data)
        np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize(
    ("score", "slope"),
    [
        (forward_kl, lambda t: 1 - 1 / t),
        (jensen_shannon, lambda t: sympy.log(2 * t / (t + 1))),
        (alpha_divergence, lambda t: (t ** (alpha_f - 1) - 1) / (alpha_f - 1)),
    ],
    ids=lambda f: f.__name__,
)
def test_a_divergence_scores_a_ratio_by_its_slope(score, slope):
    for t in (0.01, 0.7, 1.0, 30.0):
        at = {alpha_f: sympy.Rational(1, 4)}
        got = score(sympy.log(sympy.Rational(t))).subs(at)
        assert float(got) == pytest.approx(float(slope(sympy.Rational(t)).subs(at)), abs=1e-12)


@pytest.mark.parametrize("what", ["loss", "d_w", "d_l"])
def test_a_mixture_is_the_weighted_sum_of_its_parts(what):
    mixed = mix("mine", {DPO: 0.25, IPO_NORM: lam, SFT: 2}, "a test", {lam: 0.5})
    data = close_data(6)
    dpo, ipo, sft = (o.kernel(what)(*data) for o in (DPO, IPO_NORM, SFT))
    got = mixed.kernel(what)(*data)
    np.testing.assert_allclose(got, 0.25 * dpo + 0.5 * ipo + 2 * sft, rtol=1e-12)
    assert set(mixed.defaults) == {beta, lam}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({DPO: 1, SPPO: 1}, "mine got beta 0.1 and 0.001; say which"),
        ({DPO: lam}, "mine lacks lam; add it"),
        ({}, "mine lacks any part"),
    ],
)
def test_a_mixture_without_one_meaning_is_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        mix("mine", parts, "a test")


def test_a_clip_ends_the_pull_and_the_push():
    start = dict.fromkeys(DATA[:4], np.float64(-5)) | dict.fromkeys(DATA[4:], 3)
    for symbol, reached, what in ((logp_w, 0.19, "d_w"), (logp_l, -0.21, "d_l")):
        for ratio, active in ((reached, symbol is logp_w), (reached + 0.02, symbol is logp_l)):
            point = start | {symbol: np.float64(-5 + np.log1p(ratio))}
            got = PPO_CLIP.kernel(what)(*point.values())
            assert got == pytest.approx(1 + ratio if active else 0)


@pytest.mark.parametrize("far", [800.0, 1e4])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_a_clipped_ratio_does_not_overflow(backend, far):
    point = [-1.0, -1.0 - far, -1.0 - far, -1.0, 3.0, 3.0]
    make = np.float64 if backend == "numpy" else lambda v: torch.tensor(v, dtype=torch.float64)
    values = [float(PPO_CLIP.kernel(what, backend)(*map(make, point))) for what in ("d_w", "d_l")]
    assert values == [0, 0]


def test_beyond_its_tangent_point_ddro_pushes_with_a_bounded_denominator():
    for ratio in (1.5, 2 - 1e-5, 2.0, 3.0, 40.0):
        point = dict.fromkeys(DATA, np.float64(-9)) | {logp_l: -9 + np.log(ratio)}
        expected = ratio / max(2 - ratio, 1e-6)
        assert DDRO.kernel("d_l")(*point.values()) == pytest.approx(expected, rel=1e-9)
    assert DDRO.signs_l.positive == sympy.true


def test_discopop_and_apo_down_also_push_the_wrong_way():
    point = {logp_w: -1.0, logp_l: -2.0, ref_w: -1.5, ref_l: -2.0}
    data = [np.float64(v) for v in point.values()]
    assert find("DiscoPOP").kernel("d_w")(*data, 5, 5) < 0
    sunk = [np.float64(v) for v in (-1.0, -9.0, -1.5, -2.0)]
    assert find("APO-down").kernel("d_w", beta=1.0)(*sunk, 5, 5) < 0


def wide_data(seed, n=256):
    """Log-probabilities down to -1000 nats and chosen responses near the reference."""
    rng = np.random.default_rng(seed)
    far = -(10 ** rng.uniform(-1, 3, (4, n)))
    far[1, ::4] = far[3, ::4] * 0.9
    return (*far, *rng.integers(1, 20, (2, n)))


@pytest.mark.parametrize("version", VERSIONS, ids=lambda v: f"{v.objective.name}, {v.who}")
def test_a_version_differs_as_it_says(version):
    objective = version.objective
    values = objective.defaults | version.defaults
    ours, theirs = (
        compile_kernel(loss.subs(values), DATA) for loss in (objective.loss, version.loss)
    )
    data = wide_data(7)
    with np.errstate(all="ignore"):
        agree = np.isclose(ours(*data), theirs(*data), rtol=1e-9, atol=1e-12)
    assert agree.all() == version.differs.startswith("same loss")
    if "default" in version.differs:
        assert {s: objective.defaults[s] for s in version.defaults} != version.defaults
    assert version.loss.free_symbols <= {*DATA, *values}
    assert version.who


def test_no_two_versions_are_one():
    named = [(v.objective.name, v.who) for v in VERSIONS]
    assert len(set(named)) == len(named)


def test_a_version_is_written_from_the_library_s_own_lines():
    """Spot checks against sums typed anew: BCO's shift, RRHF's weights, CPO's mean."""
    w, loser, ref_w, ref_l, len_w, len_l = data = close_data(8, 16)
    by = {(v.objective.name, v.who): v for v in VERSIONS}

    def value(objective, who, **hyper):
        version = by[objective.name, who]
        values = {
            s: hyper.get(s.name, v) for s, v in (objective.defaults | version.defaults).items()
        }
        return compile_kernel(version.loss.subs(values), DATA)(*data)

    def softplus(x):
        return np.log1p(np.exp(x))

    rewards = 0.1 * (w - ref_w), 0.1 * (loser - ref_l)
    shifted = softplus(-(rewards[0] - 0.03)) + softplus(rewards[1] - 0.03)
    assert value(BCO, "Jung et al. 2024", kl=0.3) == pytest.approx(shifted)
    hinge = np.maximum(0, loser / len_l - w / len_w)
    assert 0 < (hinge > 0).mean() < 1
    assert value(RRHF, "GanjinZero/RRHF, train.py") == pytest.approx(100 * hinge - w / len_w)
    mean = softplus(-0.1 * (w - loser)) - w / len_w
    assert value(CPO, "TRL 1.16, CPOTrainer, loss_type sigmoid") == pytest.approx(mean)
    sppo = (w - 1000) ** 2 + (loser + 1000) ** 2
    assert value(SPPO, "yuan2025, appendix A.2") == pytest.approx(sppo)
    simpo = softplus(-(2 * (w / len_w - loser / len_l - 0.25)))
    assert value(SIMPO, "princeton-nlp/SimPO, gamma_beta_ratio") == pytest.approx(simpo)


@pytest.mark.parametrize(
    ("name", "hyper"),
    [
        ("rDPO", {"epsilon": 0.5}),
        ("cDPO", {"epsilon": 0.5}),
        ("EXO", {"epsilon": 0.5}),
        ("PPO-clip", {"clip": 1.0}),
        ("DPO-alpha", {"alpha_f": 1.0}),
    ],
)
def test_a_hyperparameter_at_its_bound_is_refused(name, hyper):
    with pytest.raises(ValueError, match=f"of {name} is .*: got"):
        find(name).kernel(**hyper)


def test_the_incentive_of_exo_is_a_distance_to_its_target():
    d_w = find("EXO").d_w
    assert not d_w.has(logsigmoid)
    margin = (logp_w - ref_w) - (logp_l - ref_l)
    distance = sympy.log((1 - epsilon) / epsilon) - beta * margin
    slope = beta * sigmoid(beta * margin) * sigmoid(-beta * margin)
    assert sympy.expand_log(sympy.expand(d_w - slope * distance), force=True).expand() == 0
