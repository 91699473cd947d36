"""Losses of one's own, typed or declared with sympy: what is taken, and that it is right."""

# ruff: noqa: E741 (l is the rejected response)

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from sympy import Abs, Function, I, Integral, Max, Min, Piecewise, Symbol, exp, oo, pi, sin

from disband.theory.kernels.primitives import logsigmoid, relu, step
from disband.theory.objective import Objective
from disband.theory.objectives import CPO
from disband.theory.own_loss.declare import hyperparameters_of, objective_of
from disband.theory.own_loss.names import PAIR
from disband.theory.own_loss.source_text import FormulaError
from disband.theory.symbols import DATA, A, beta, d_w, lam, len_w, logp_l, logp_w

logsig = torch.nn.functional.logsigmoid


def random_data(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return (*(-30 * rng.random((4, n))), *rng.integers(1, 20, (2, n)).astype(float))


def test_a_typed_loss_is_the_objective_of_the_catalogue():
    typed = objective_of("-logsigmoid(beta*(w - l)) - lam*logp_w", beta=0.1, lam=1)
    assert typed.loss == CPO.loss
    assert typed.defaults == CPO.defaults
    assert (typed.d_w, typed.d_l, typed.ratio) == (CPO.d_w, CPO.d_l, CPO.ratio)


def test_names_are_the_pair_known_hyperparameters_and_new_ones():
    own = objective_of("c_1*(w + logp_l + ref_w + ref_l)*len_w*len_l*beta", beta=1, c_1=-2.5)
    assert {s.name for s in own.loss.free_symbols} == {*PAIR, "beta", "c_1"} - {"w", "l"}
    assert own.defaults == {beta: 1, Symbol("c_1", real=True): -2.5}
    assert hyperparameters_of("w*zeta + alpha*exp(w) + zeta*l") == ["zeta", "alpha"]


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("beta*w", {}, "every hyperparameter has a value, and beta has none: got 'beta' at col"),
        ("w + c*k*c", {"k": 1}, "c has none: got 'c' at column 5 of 'w + ▸c*k*c'; set c=NUMBER"),
        ("w - logpl", {}, "did you mean logp_l?"),
        ("w", {"beta": 1}, "the loss has the hyperparameters (none): got beta"),
        ("beta*w", {"beta": 1, "bta": 1}, "the hyperparameters beta: got bta"),
        ("beta*w", {"beta": 1, "w": 1}, "got w; set only these"),
        ("beta*w", {"beta": -1}, "beta of own is positive: got -1"),
        ("beta*w", {"beta": 0}, "beta of own is positive: got 0"),
        ("lam*w", {"lam": -1}, "lam of own is at least zero: got -1"),
        ("beta*w", {"beta": math.nan}, "finite"),
        ("c*w", {"c": math.inf}, "finite"),
        ("c*w", {"c": True}, "number"),
        ("c*w", {"c": "1"}, "number"),
        ("w*log(c)", {"c": -1}, "got log(c) = nan with c = -1"),
        ("w/(beta - 0.1)", {"beta": 0.1}, "with beta = 0.1"),
        ("w*exp(exp(c))", {"c": 1e50}, "up to 1e100"),
        ("w + d_w", {}, "a name is one of w, l"),
        ("w + eta", {}, "a name is one of w, l"),
        ("w + X", {}, "a name is one of w, l"),
        ("w + Beta", {"Beta": 1}, "a name is one of w, l"),
        ("w + _b", {}, "a name is one of w, l"),
        ("w*" + "a" * 21, {}, "at most 20 small letters"),
        ("w + exp", {}, "arguments in brackets"),
        ("ref_w + beta", {"beta": 1}, "a loss changes with w or l"),
        ("sqrt(expm1(linlog(linlog(step(0.5/beta))**-8))**3)", {"beta": 1}, "algebra can find"),
        ("stop(w)*ref_l", {}, "or only in jumps or within stop"),
        ("detach(w)*l", {}, "in a loss write stop(x)"),
        ("w - w", {}, "a loss changes with w or l"),
        ("step(w - l)", {}, "a loss changes with w or l"),
        ("w/step(l - ref_l)", {}, "an indicator step(...) is a factor"),
        ("exp(step(w - l)*w)", {}, "an indicator step(...) is a factor"),
        ("log(w)", {}, "a logarithm is of a positive number"),
        ("sqrt(w)", {}, "a root is of a number that is not negative"),
        ("(w + l + ref_w + ref_l + beta)**8", {"beta": 1}, "at most 120 terms, written out"),
        ("*".join(f"(w-{i})" for i in range(1, 12)), {}, "derivatives of a loss have at most"),
        ("+".join(f"relu(w-l-{i})" for i in range(1, 7)), {}, "both sides of every relu"),
        ("w < l", {}, "an expression is made of"),
    ],
)  # fmt: skip
def test_a_wrong_loss_or_setting_is_refused(text, values, said):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (said below)
        objective_of(text, **values)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_faults_of_the_text_point_at_the_column():
    for text in ("w + * l", "beta*w", "w + y + 1/0", "step(w)/step(l)", "(w+l+ref_w+len_w)**8*w"):
        with pytest.raises(FormulaError, match=r"at column \d+ of"):
            objective_of(text)


@pytest.mark.parametrize(
    ("text", "by_torch"),
    [
        ("abs(w - l)", lambda w, l: (w - l).abs()),
        ("max(w, l, -10)", lambda w, l: torch.maximum(torch.maximum(w, l), torch.tensor(-10.0))),
        ("min(w, 2*l, -4)", lambda w, l: torch.minimum(w, 2 * l).clamp(max=-4.0)),
        ("sqrt((w - l)**2)", lambda w, l: (w - l).abs()),
        ("max(min(w, l), w + 5)", lambda w, l: torch.maximum(torch.minimum(w, l), w + 5)),
    ],
)  # fmt: skip
def test_kinks_have_the_slopes_of_torch(text, by_torch):
    own, data = objective_of(text), random_data(seed=3)
    w, loser = (torch.tensor(v, requires_grad=True) for v in data[:2])
    loss = by_torch(w, loser)
    slope_w, slope_l = torch.autograd.grad(loss.sum(), (w, loser), allow_unused=True)
    for what, expected in (("loss", loss.detach()), ("d_w", -slope_w), ("d_l", slope_l)):
        np.testing.assert_allclose(own.kernel(what)(*data), expected, rtol=1e-12)


def test_the_slope_of_an_absolute_value_at_its_kink_is_zero_as_in_torch():
    assert objective_of("abs(w - l)").kernel("d_w")(-3.0, -3.0, -1.0, -1.0, 1, 1) == 0


SINGLE = {
    "sigmoid({})": torch.sigmoid,
    "logsigmoid({})": logsig,
    "relu({})": torch.relu,
    "abs({})": torch.abs,
    "exp(-abs({}))": lambda x: torch.exp(-x.abs()),
    "log(1 + ({})**2)": lambda x: torch.log1p(x**2),
    "sqrt(1 + ({})**2)": lambda x: (1 + x**2).sqrt(),
    "expm1(logsigmoid({}))": lambda x: torch.expm1(logsig(x)),
    "logodds(logsigmoid({}))": lambda x: x,
    "linlog(exp({}/10))": lambda x: x / 10,
    "-({})": lambda x: -x,
    "({})**3": lambda x: x**3,
    "({})/len_w": None,
}
DOUBLE = {
    "({} + {})": torch.add,
    "({} - {})": torch.sub,
    "({}*{})": torch.mul,
    "max({}, {})": torch.maximum,
    "min({}, {})": torch.minimum,
    "({}/(1 + ({})**2))": lambda x, y: x / (1 + y**2),
}
losses = st.recursive(
    st.sampled_from(["w", "l", "ref_w", "ref_l", "beta", "2", "0.3"]),
    lambda part: st.one_of(
        st.tuples(st.sampled_from(sorted(SINGLE)), part),
        st.tuples(st.sampled_from(sorted(DOUBLE)), part, part),
    ),
    max_leaves=5,
)


def text_of(tree):
    return tree if isinstance(tree, str) else tree[0].format(*map(text_of, tree[1:]))


def torch_of(tree, point):
    if isinstance(tree, str):
        return point[tree] if tree in point else torch.full_like(point["w"], float(tree))
    values = [torch_of(part, point) for part in tree[1:]]
    if tree[0] == "({})/len_w":
        return values[0] / point["len_w"]
    return (SINGLE | DOUBLE)[tree[0]](*values)


@given(losses, st.integers(0, 9))
def test_incentives_of_any_typed_loss_are_those_of_autograd(tree, seed):
    text = text_of(tree)
    try:
        own = objective_of(text, **dict.fromkeys(hyperparameters_of(text), 0.7))
    except ValueError as error:
        assume(not re.search("derivatives of a loss|a loss changes", str(error)))
        raise
    data = [v / 10 for v in random_data(5, seed)[:4]] + list(random_data(5, seed)[4:])
    names = ("w", "l", "ref_w", "ref_l", "len_w", "len_l")
    point = {n: torch.tensor(v) for n, v in zip(names, data, strict=True)}
    point["beta"] = torch.full((5,), 0.7, dtype=torch.float64)
    for name in "wl":
        point[name].requires_grad_()
    loss = torch_of(tree, point)
    slope_w, slope_l = torch.autograd.grad(
        loss.sum(), (point["w"], point["l"]), allow_unused=True, materialize_grads=True
    )
    expected = {"loss": loss.detach(), "d_w": -slope_w, "d_l": slope_l}
    for what, value in expected.items():
        scale = float(value.abs().max()) + 1e-3
        np.testing.assert_allclose(own.kernel(what)(*data), value, rtol=1e-9, atol=1e-9 * scale)


def test_a_sympy_expression_is_an_objective():
    k = Symbol("k", positive=True)
    own = objective_of(-logsigmoid(k * (logp_w - logp_l)), name="mine", k=2.0)
    assert isinstance(own, Objective)
    assert (own.name, own.source) == ("mine", "declared with sympy")
    assert own.kernel("d_w")(-1.0, -1.0, -1.0, -1.0, 1, 1) == 1.0
    assert objective_of(pi * Abs(logp_w) + Max(logp_w, logp_l) - Min(logp_w, 1.5)).d_w.has(step)


@pytest.mark.parametrize(
    ("loss", "values", "said"),
    [
        (logp_w * beta, {}, "got none for beta; set beta=NUMBER"),
        (logp_w, {"beta": 1}, "the hyperparameters (none): got beta"),
        (logp_w * beta, {"beta": -1}, "beta of own is positive"),
        (Symbol("logp_w") * lam, {"lam": 1}, "got another symbol logp_w; import"),
        (logp_w * d_w, {"d_w": 1}, "got another symbol d_w"),
        (logp_w * A, {"A": 1}, "got another symbol A"),
        (logp_w * beta + Symbol("beta"), {"beta": 1}, "got two called beta"),
        (sin(logp_w), {}, "got sin(logp_w); write it with these"),
        (Function("f")(logp_w), {}, "got f(logp_w)"),
        (Piecewise((logp_w, logp_w > -1), (0, True)), {}, "got Piecewise"),
        (I * logp_w, {}, "got I"),
        (oo * logp_w, {}, "got"),
        (Integral(logp_w, logp_w), {}, "got Integral"),
        (len_w * 2, {}, "a loss changes with w or l"),
        (relu(logp_w + 1) / step(logp_l + 1), {}, "an indicator step(...) is a factor"),
    ],
    # sympy prints two symbols of one name in an order of its own, different in each process
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_expression_is_refused(loss, values, said):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (said below)
        objective_of(loss, **values)
    assert said in str(caught.value)


@pytest.mark.parametrize("loss", [3, None, b"w", ["w"]])
def test_what_is_no_loss_at_all_is_refused(loss):
    with pytest.raises(TypeError, match="a loss is a text, a sympy expression or a function"):
        objective_of(loss)


def weighted(w, l, ref_w, ref_l, len_w, len_l):
    weight = torch.exp(w / len_w + l / len_l).detach()
    return -weight * logsig(0.1 * (w - ref_w - l + ref_l))


def clipped(w, l, ref_w, ref_l, len_w, len_l):  # noqa: ARG001
    ratio = torch.exp((w.detach() - ref_w) / 30)
    return -torch.minimum(ratio * w, 2 * w - 5) + (l - w.detach()).relu()


def nested(w, l, ref_w, ref_l, len_w, len_l):  # noqa: ARG001
    return torch.exp((w * l.detach() + (l * w.detach()).detach()) / 100) / (len_w - l.detach())


@pytest.mark.parametrize(
    ("text", "coded"),
    [
        ("-stop(exp(w/len_w + l/len_l))*logsigmoid(0.1*(w - ref_w - l + ref_l))", weighted),
        ("-min(exp((stop(w) - ref_w)/30)*w, 2*w - 5) + relu(l - stop(w))", clipped),
        ("exp((w*stop(l) + stop(l*stop(w)))/100)/(len_w - stop(l))", nested),
    ],
    ids=["weighted", "clipped", "nested"],
)
def test_what_stands_in_stop_is_constant_as_detach_makes_it(text, coded):
    typed, data = objective_of(text), random_data()
    tensors = [torch.tensor(v, requires_grad=True) for v in data]
    expected = coded(*tensors)
    d_w, d_l = torch.autograd.grad(expected.sum(), tensors[:2], materialize_grads=True)
    found = typed.kernel("incentives")(*data)
    np.testing.assert_allclose(found, [-d_w.numpy(), d_l.numpy()], rtol=1e-11, atol=1e-14)
    loss = typed.kernel("loss", "torch")(*tensors)
    np.testing.assert_allclose(loss.detach(), expected.detach(), rtol=1e-12)
    np.testing.assert_allclose(typed.kernel("loss")(*data), expected.detach(), rtol=1e-12)
    by_loss = torch.autograd.grad(loss.sum(), tensors[:2], materialize_grads=True)
    np.testing.assert_allclose(by_loss, [d_w, d_l], rtol=1e-11, atol=1e-14)


def test_incentives_move_with_what_was_stopped():
    """A stop is one in the loss alone: its weight changes from step to step."""
    typed = objective_of("-stop(exp(w))*w")
    assert typed.d_w == exp(logp_w)
    w = torch.tensor([-2.0], requires_grad=True)
    typed.kernel("d_w", "torch")(w, w.detach(), *[torch.ones(1)] * 4).backward()
    assert w.grad == pytest.approx(math.exp(-2))


def test_a_score_gap_is_a_number_for_each_pair_or_a_hyperparameter():
    text, gaps = "-logsigmoid(beta*(w - l) - gap)", np.linspace(-2, 3, 40)
    own, data = objective_of(text, beta=0.1), random_data()
    assert own.arguments == (*(s.name for s in DATA), "gap")
    margin = torch.tensor(0.1 * (data[0] - data[1]) - gaps)
    expected = 0.1 * torch.sigmoid(-margin)
    for found in own.kernel("incentives")(*data, gaps):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(own.kernel()(*data, gaps), -logsig(margin), rtol=1e-12)
    with pytest.raises(TypeError, match="len_l, gap: got 6 arguments"):
        own.kernel("incentives")(*data)
    fixed = objective_of(text, beta=0.1, gap=gaps[7])
    assert fixed.kernel("d_w")(*data)[7] == pytest.approx(float(expected[7]))
    assert fixed.arguments == objective_of("w").arguments
