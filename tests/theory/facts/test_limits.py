"""Limits against the incentives far out, in high precision."""

import mpmath
import numpy as np
import pytest
import sympy
from sympy import exp, oo

from disband.theory.facts import facts
from disband.theory.facts.asymptotics import Germs, NotFoundError, T
from disband.theory.facts.limits import WAYS, ends, shortest, tightest
from disband.theory.facts.sentences import Words
from disband.theory.kernels.primitives import logsigmoid, relu, sigmoid, step
from disband.theory.objectives import find
from disband.theory.signs import known
from disband.theory.symbols import DATA, beta, lam, logp_l, logp_w, ref_w, tau
from tests.sampling import each, some

way = pytest.mark.parametrize("way", WAYS)
# One point of each objective is quickly looked at, three are not.
later = [pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2)]
seeds = pytest.mark.parametrize("seed", [0, *later])
# Far enough to see a limit; not so far that the exponential of an exponential fills the memory.
FAR = {"DPO-FKL": (12, 30), "DPO-alpha": (24, 60)}
PRECISION = 900


def held(objective, seed):
    rng = np.random.default_rng(seed)
    point = [sympy.Rational(-int(n), 16) for n in rng.integers(1, 90, 4)]
    lengths = [sympy.Integer(int(n)) for n in rng.integers(1, 9, 2)]
    hyper = {symbol: sympy.Rational(str(v)) for symbol, v in objective.defaults.items()}
    return {**dict(zip(DATA, [*point, *lengths], strict=True)), **hyper}


def values(expr, at, along, distances):
    here = expr.subs({s: v for s, v in at.items() if s != along}).rewrite(exp)
    f = sympy.lambdify(along, here, "mpmath")
    with mpmath.workdps(PRECISION):
        return [mpmath.mpf(f(mpmath.mpf(-t))) for t in distances]


def quantity(objective, name, at, along, distances):
    if name != "ratio":
        return values(getattr(objective, name), at, along, distances)
    pulls, pushes = (values(d, at, along, distances) for d in (objective.d_w, objective.d_l))
    with mpmath.workdps(PRECISION):
        return [pull / push for pull, push in zip(pulls, pushes, strict=True)]


@each
@way
@seeds
def test_limits_are_where_the_incentives_go(objective, way, seed):
    found = facts(objective).ends[way]
    distances = FAR.get(objective.name, (1500, 6000))
    at = held(objective, seed)
    for name in ("d_w", "d_l", "ratio"):
        limits = getattr(found, name)
        assert limits, f"the limit of {name} was not found"
        (limit,) = [one for one in limits if all(g.subs(at) == sympy.true for g in one.given)]
        pushes = values(objective.d_l, at, WAYS[way], distances)
        if limit.value is None:
            assert pushes == [0, 0]
        if name == "ratio" and pushes == [0, 0]:
            continue
        near, far = quantity(objective, name, at, WAYS[way], distances)
        if limit.value in (oo, -oo):
            assert mpmath.sign(far) == (1 if limit.value == oo else -1)
            assert abs(far) > 2 * abs(near)
        else:
            with mpmath.workdps(PRECISION):
                goal = mpmath.mpf(sympy.N(limit.value.subs(at).rewrite(exp), 60))
                closer = abs(far - goal) < 0.6 * abs(near - goal)
                assert closer or abs(far - goal) < mpmath.mpf("1e-50") * max(1, abs(goal))


@some
def test_the_end_that_is_told_comes(objective):
    said = Words(facts(objective), str).protection()
    for way, words in (("rejected", "As the rejected"), ("chosen", "As the chosen")):
        _, told, rest = said.partition(words)
        if not told:
            continue
        fate = rest.partition(".")[0]
        for cosine, ratio in ((0.99, 50.0), (0.01, 0.02)):
            at = held(objective, 1)
            distances = FAR.get(objective.name, (1, 9000))
            (_, far) = quantity(objective, "ratio", at, WAYS[way], distances)
            protected = cosine * ratio <= far
            assert ("every pair" in fate) == protected
            assert ("no pair" in fate) != protected


def test_a_limit_that_hyperparameters_decide_says_so():
    (limit,) = facts(find("discopop")).ends["chosen"].d_w
    assert limit.value == beta
    assert limit.given == (tau < 1,)
    (limit,) = facts(find("cpo")).ends["rejected"].ratio
    assert limit.given == (lam > 0,)


def test_another_default_decides_otherwise():
    own = find("discopop")
    for value, given in ((0.05, tau < 1), (2.0, tau > 1)):
        found = ends(own.d_w, own.d_l, own.ratio, "chosen", {**own.defaults, tau: value})
        (limit,) = found.d_w
        assert limit.given == (given,)
    assert limit.value == oo


def test_a_limit_that_what_is_held_decides_has_a_case_for_each():
    up, down = facts(find("sppo")).ends["chosen"].ratio
    assert {up.value, down.value} == {oo, -oo}
    assert up.given != down.given


def test_an_exact_zero_denominator_has_no_ratio():
    assert facts(find("sft")).ends["rejected"].ratio[0].value is None
    assert facts(find("hinge")).ends["rejected"].ratio[0].value is None


def test_what_cannot_be_found_is_not_made_up():
    wild = exp(exp(-logp_l)) / (1 + logp_w**2)
    found = ends(wild, sympy.Integer(1), wild, "rejected", {})
    assert found.d_w == ()
    assert found.d_l[0].value == 1


SMALL = exp(-T)
CASES = [
    (1 / (1 + exp(-beta * T)), 1),
    (T * SMALL, 0),
    ((exp(T) + T) / (2 * exp(T) - 1), sympy.Rational(1, 2)),
    (exp(T) * sigmoid(-T), 1),
    (logsigmoid(-T) + T, 0),
    (exp(2 * T) * (sigmoid(-T) - SMALL), -1),
    (relu(T - 3) - T, -3),
    (step(2 - T), 0),
    (sympy.log(3 + SMALL), sympy.log(3)),
    (sympy.log(5 * exp(2 * T)) - 2 * T, sympy.log(5)),
    (T**3 / (1 + T**2), oo),
    (sigmoid(beta + SMALL), sigmoid(beta)),
    (sympy.sqrt(4 + SMALL), 2),
    (sympy.Max(T, 5) - T, 0),
    (abs(1 - T) - T, -1),
    (sigmoid(exp(T)), 1),
    (T * sigmoid(-exp(T)), 0),
]


@pytest.mark.parametrize(("expr", "limit"), CASES, ids=lambda v: str(v)[:40])
def test_germs_have_the_limits_of_calculus(expr, limit):
    found = ends(expr.subs(T, -logp_l), sympy.Integer(1), expr.subs(T, -logp_l), "rejected", {})
    (one,) = found.d_w
    assert sympy.simplify(one.value - limit) == 0 or one.value == limit


def test_germs_raise_where_they_know_too_little():
    germs = Germs(known, 2)
    with pytest.raises(NotFoundError):
        germs.of(exp(exp(T)))
    with pytest.raises(NotFoundError):
        germs.of(sympy.log(-1 - SMALL))
    with pytest.raises(ZeroDivisionError):
        germs.inverse(germs.of(step(1 - T)))
    with pytest.raises(NotFoundError, match="cancel"):
        germs.leading(Germs(known, 0).of(sigmoid(-T) - SMALL))


def test_conditions_of_one_symbol_are_told_once():
    assert tightest([1 - 1 / tau < 0, 1 - 2 / tau < 0]) == (tau < 1,)
    kept = (logp_w > ref_w, lam > 0)
    assert set(tightest(kept)) == set(kept)


def test_the_shortest_form_is_an_equal_form():
    long = exp(beta * ref_w) * exp(-beta * ref_w - 1) * (2 + beta) / (2 + beta)
    assert shortest(long) == exp(-1)
