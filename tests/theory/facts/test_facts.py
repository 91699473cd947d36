"""What follows from each objective, checked against its incentives as numbers."""

import numpy as np
import pytest
import sympy
from sympy import oo

from disband.theory.facts import facts
from disband.theory.facts.outcomes import SIGNS
from disband.theory.facts.protection import rho
from disband.theory.objectives import find
from disband.theory.signs import LOGS
from disband.theory.symbols import DATA, logp_l, logp_w, r_star
from tests.sampling import each, some
from tests.theory.conditions import holds, number

N = 3000


def states(objective, seed=0, n=N):
    """Random pairs and geometries of the scores, in arrays by symbol."""
    rng = np.random.default_rng(seed)
    deep = rng.choice((0.5, 3, 30, 200), (4, n)) * rng.random((4, n))
    values = dict(zip(DATA[:4], -deep - 1e-3, strict=True))
    values |= dict(zip(DATA[4:], rng.integers(1, 30, (2, n)).astype(float), strict=True))
    values |= {rho: rng.uniform(-0.99, 0.99, n), r_star: np.exp(rng.uniform(-6, 6, n))}
    return values | {symbol: np.full(n, float(v)) for symbol, v in objective.defaults.items()}


def incentives(objective, values):
    with np.errstate(all="ignore"):
        return tuple(objective.kernel(w)(*(values[x] for x in DATA)) for w in ("d_w", "d_l"))


def clear(gap, *terms):
    """Whether a difference is more than rounding."""
    return np.abs(gap) > 1e-9 * np.maximum.reduce([np.abs(term) for term in terms])


def at(values, mask):
    return {symbol: v[mask] for symbol, v in values.items()}


@each
@pytest.mark.parametrize("side", ["chosen", "rejected"])
def test_protection_is_the_first_order_condition(objective, side):
    values = states(objective)
    d_w, d_l = incentives(objective, values)
    one, other = {
        "chosen": (d_w, d_l * values[rho] * values[r_star]),
        "rejected": (d_l * values[r_star], d_w * values[rho]),
    }[side]
    rules = getattr(facts(objective).protection, side)
    regions = np.array([holds(rule.where, values) for rule in rules])
    assert (regions.sum(0) == 1).all()
    said = np.array([holds(rule.iff, values) for rule in rules])
    sure = clear(one - other, one, other) & np.isfinite(one) & np.isfinite(other)
    assert sure.mean() > 0.3
    right = (regions & said).any(0) == (one >= other)
    assert right[sure].all()


@each
def test_the_rules_hold_exactly_at_every_combination_of_signs(objective):
    for region in facts(objective).regions:
        if region.point is None:
            continue
        d_w, d_l = (_exact(d, region.point) for d in (objective.d_w, objective.d_l))
        for cosine in (0.6, -0.6):
            point = {**region.point, rho: sympy.Rational(str(cosine)), r_star: sympy.Integer(2)}
            rules = facts(objective).protection.chosen
            (rule,) = [r for r in rules if r.where.subs(point) == sympy.true]
            said = rule.iff
            if said not in (sympy.true, sympy.false):
                said = said.func(_exact(said.lhs - said.rhs, point), 0)
            if abs(d_w - d_l * cosine * 2) > 1e-9 * abs(d_w) or d_w == d_l == 0:
                assert bool(said) == (d_w >= d_l * cosine * 2)


def _exact(expr, point):
    return float(expr.subs(point).rewrite(sympy.exp).evalf(30))


@some
def test_the_bounds_are_bounds_and_sharp(objective):
    found = facts(objective).protection
    values = states(objective, seed=1)
    d_w, d_l = incentives(objective, values)
    product = values[rho] * values[r_star]
    gap = d_w - d_l * product
    sure = (d_l > 0) & clear(gap, d_w, d_l * product) & np.isfinite(gap)
    safe = gap >= 0
    if found.enough is not None:
        covered = sure & (product <= number(found.enough, values))
        assert covered.any()
        assert safe[covered].all()
        _reaches(objective, values, found.enough, "chosen")
    if found.needed is not None:
        beyond = sure & (product > number(found.needed, values))
        assert beyond.any()
        assert not safe[beyond].any()
        _reaches(objective, values, found.needed, "chosen")


def _reaches(objective, values, bound, way):
    """The ratio comes as near to its bound as one likes."""
    far = {**values, {"chosen": logp_w, "rejected": logp_l}[way]: np.full(N, -2e4)}
    d_w, d_l = incentives(objective, far)
    np.testing.assert_allclose(d_w / d_l, number(bound, far), rtol=1e-3)


@some
def test_the_band_is_solved_for_the_cosine_and_for_the_norm_ratio(objective):
    band = facts(objective).protection.band
    values = states(objective, seed=2)
    d_w, d_l = incentives(objective, values)
    both = (d_w > 0) & (d_l > 0)
    if band is None:
        assert not both.any()
        return
    assert (holds(band.where, values) == both)[clear(d_w, d_w) & clear(d_l, d_l)].all()
    cosine, ratio = values[rho], values[r_star]
    up, down = d_w - d_l * cosine * ratio, d_w * cosine - d_l * ratio
    good = (up >= 0) & (down <= 0)
    sure = (
        both
        & clear(up, d_w, d_l * ratio)
        & clear(down, d_w, d_l * ratio)
        & np.isfinite(number(band.cosine, values))
    )
    assert good[sure].any()
    assert not good[sure].all()
    assert ((cosine <= number(band.cosine, values)) == good)[sure].all()
    within = (number(band.low, values) <= ratio) & (ratio <= number(band.high, values))
    assert (within == good)[sure & (cosine > 0)].all()


@each
@pytest.mark.parametrize("along", [logp_w, logp_l], ids=str)
def test_the_ratio_moves_as_it_is_said_to(objective, along):
    motions = facts(objective).motions
    if motions is None:
        return
    found = motions[(logp_w, logp_l).index(along)]
    values = states(objective, seed=3)
    ahead = 1 if along == logp_w else -1
    small = {**values, along: values[along] + ahead * 1e-4}
    before, after = (_log_ratio(objective, v) for v in (values, small))
    jump = np.zeros(N, bool)
    for one in found.jumps:
        jump |= np.sign(number(one.at, values)) != np.sign(number(one.at, small))
    change = after - before
    sure = np.isfinite(change) & ~jump & (small[along] < 0)
    signs = {sign: holds(found.smooth.of(sign), values) for sign in (1, -1)}
    moved = sure & (np.abs(change) > 1e-9)
    assert (signs[1] | signs[-1])[moved].all()
    agree = np.where(change > 0, signs[1], signs[-1])
    assert agree[moved & (np.abs(change) > 1e-7)].all()
    if found.way == 0:
        assert not moved.any()


@some
@pytest.mark.parametrize("along", [logp_w, logp_l], ids=str)
def test_a_ratio_that_never_falls_never_falls_over_long_ways(objective, along):
    motions = facts(objective).motions
    way = None if motions is None else motions[(logp_w, logp_l).index(along)].way
    if way is None:
        return
    values = states(objective, seed=4)
    ahead = 1 if along == logp_w else -1
    stride = np.random.default_rng(5).exponential(5, N)
    long = {**values, along: values[along] + ahead * stride}
    change = _log_ratio(objective, long) - _log_ratio(objective, values)
    sure = np.isfinite(change) & (long[along] < 0)
    assert sure.any()
    assert (way * change[sure] >= -1e-9).all() if way else (abs(change[sure]) < 1e-9).all()


def _log_ratio(objective, values):
    with np.errstate(all="ignore"):
        d_w, d_l = incentives(objective, values)
        both = (d_w > 1e-300) & (d_l > 1e-300)
        return np.where(both, np.log(d_w) - np.log(d_l), np.nan)


def test_a_jump_is_seen():
    (chosen, rejected) = facts(find("dpop")).motions
    assert chosen.way == -1
    assert rejected.way == 0
    (jump,) = chosen.jumps
    assert jump.signs.negative != sympy.false
    assert jump.signs.positive == sympy.false


@some
def test_every_combination_of_signs_that_occurs_is_listed_with_a_point(objective):
    found = {(one.d_w, one.d_l): one for one in facts(objective).regions}
    values = states(objective, seed=6)
    seen = set(zip(*(np.sign(d).astype(int) for d in incentives(objective, values)), strict=True))
    moving = {key for key in seen if 0 not in key}
    assert moving <= set(found)
    assert all(found[key].reached and found[key].usual for key in moving)
    for (sign_w, sign_l), one in found.items():
        assert one.reached
        if one.point is not None:
            assert one.where.subs(one.point) == sympy.true
            for sign, d in ((sign_w, objective.d_w), (sign_l, objective.d_l)):
                assert np.sign(_exact(d, one.point)) == sign


@some
def test_conditions_for_each_sign_exclude_one_another(objective):
    values = states(objective, seed=7)
    for found in (objective.signs_w, objective.signs_l):
        assert (sum(holds(found.of(sign), values).astype(int) for sign in SIGNS) == 1).all()


@some
def test_nothing_is_undefined_that_has_a_value(objective):
    values = states(objective, seed=8)
    defined = ~holds(facts(objective).undefined, values)
    assert np.isfinite(objective.kernel()(*(values[x] for x in DATA)))[defined].all()


@some
def test_short_names_stand_for_what_they_say(objective):
    chart = facts(objective).chart
    values = states(objective, seed=9)
    named = values | {name: number(meaning, values) for name, meaning in chart.meanings.items()}
    for formula in (objective.d_w, objective.d_l):
        short = chart.short(formula)
        assert not short.free_symbols & LOGS
        plain = number(formula, values)
        fine = np.isfinite(plain) & (np.abs(plain) > 1e-250)
        np.testing.assert_allclose(number(short, named)[fine], plain[fine], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "names"),
    [("dpo", "m̃"), ("cpo", "m"), ("kto", "h_w h_l"), ("simpo", "m̄"), ("ipo-norm", "m̃̄"),
     ("orpo", "z̄_w z̄_l"), ("dpop", "m̃ h_w"), ("sft", "")],
)  # fmt: skip
def test_names_are_those_a_person_would_choose(name, names):
    assert [str(one) for one in facts(find(name)).chart.meanings] == names.split()


def test_dpo_in_full():
    found = facts(find("dpo"))
    (rule,) = found.protection.chosen
    assert rule.iff == sympy.Le(rho * r_star, 1)
    assert found.protection.band.cosine == sympy.Min(r_star, 1 / r_star)
    assert found.undefined == sympy.false
    assert [ends.ratio[0].value for ends in found.ends.values()] == [1, 1]
    assert [one.way for one in found.motions] == [0, 0]


def test_cpo_is_protected_by_its_likelihood_term():
    found = facts(find("cpo")).protection
    beta, lam = sympy.symbols("beta", positive=True), sympy.symbols("lam", nonnegative=True)
    assert sympy.simplify(found.enough - (beta + lam) / beta) == 0
    assert facts(find("cpo")).ends["rejected"].ratio[0].value == oo
