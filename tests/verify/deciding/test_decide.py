"""The decision procedures: known truths, known falsehoods, and what they must refuse."""

from dataclasses import replace

import pytest
from sympy import And, Eq, Float, Gt, IndexedBase, Integer, Le, Or, Rational, Symbol, exp, sqrt
from sympy.logic.boolalg import Boolean

from disband.theory.kernels.primitives import logsigmoid, relu, sigmoid, step
from disband.theory.models.vocabulary import TokenVector, V, k, one_hot, softmax_row
from disband.theory.symbols import A, B, X, d_l, d_w
from disband.verify.deciding import smt
from disband.verify.deciding.claim import Claim, LedgerError, Prediction, Verdict
from disband.verify.deciding.decide import check, decide, judge
from disband.verify.deciding.logic import equal, every, iff, implies
from disband.verify.deciding.search import is_legal, smallest_point, truth

x, y = Symbol("x", real=True), Symbol("y", real=True)
n = Symbol("n", integer=True, positive=True)
p, q = softmax_row("p", 1), softmax_row("q", 1)
ROWS = (equal(p.total(), Integer(1)), equal(q.total(), Integer(1)))
token = one_hot(p.sizes, 0)
SIGNED = IndexedBase("y", real=True)[k]


def claim(holds: Boolean, *given: Boolean) -> Claim:
    return Claim(id="test.claim", locator="", says="", holds=holds, given=given)


TRUE = {
    "Cauchy-Schwarz": claim(X**2 <= A * B),
    "arithmetic and geometric mean": claim(A + B >= 2 * X),
    "a zero norm has zero products": claim(implies(equal(A, Integer(0)), equal(X, Integer(0)))),
    "an identity of sigmoids": claim(equal(sigmoid(x) + sigmoid(-x), Integer(1))),
    "sigmoid increases": claim(implies(x < y, sigmoid(x) < sigmoid(y))),
    "sigmoid against the mirrored sigmoid": claim(iff(sigmoid(x) <= sigmoid(-y), x <= -y)),
    "sigmoid at one half": claim(iff(sigmoid(x) >= Rational(1, 2), x >= 0)),
    "logsigmoid is negative": claim(Le(logsigmoid(x) * step(x), 0, evaluate=False)),
    "the hinge is above its argument": claim(relu(x) >= x),
    "a root is a root": claim(sqrt(A) * sqrt(B) >= X),
    "a softmax row is at most one": claim(p.entries[0] <= 1, *ROWS),
    "a row's squares sum to at most one": claim(p @ p <= 1, *ROWS),
    "a quotient where it is defined": claim(implies(d_w / d_l > 1, Gt(d_l / d_w, 0))),
}
FALSE = {
    "products are bounded by one norm": claim(X <= A),
    "the weak inequality is not strict": claim(X**2 < A * B),
    "a quotient forgets signs": claim(iff(d_w / d_l >= 1, d_w >= d_l)),
    "sigmoid is below one half": claim(sigmoid(x) < Rational(1, 2)),
    "the hinge is its argument": claim(equal(relu(x), x)),
    "the indicator is always one": claim(equal(step(x), Integer(1))),
    "a signed sum is positive": claim(TokenVector((V,), (SIGNED,)).total() >= 0, -SIGNED >= -1),
    "squares of signed numbers are below the square of their sum": claim(
        TokenVector((V,), (SIGNED**2,)).total() <= TokenVector((V,), (SIGNED,)).total() ** 2,
        SIGNED <= 1,
    ),
    "every exponential is its tangent": claim(exp(x) <= 1 + x),
    "two rows agree": claim(equal(p.entries[0], q.entries[0]), *ROWS),
    "integers only": claim(n >= 2),
    "the wrong sign": claim((token - p) @ (token - p) <= 0, *ROWS),
    "a product of zero with everything": claim(
        implies(equal(A, Integer(0)), equal(sigmoid(x), Rational(1, 2)))
    ),
    "one part of a conjunction": claim(every(X <= A + B, X <= A)),
}


@pytest.mark.parametrize("true", TRUE.values(), ids=TRUE.keys())
def test_a_true_statement_is_proved(true: Claim) -> None:
    assert decide(true).verdict is Verdict.PROVED


@pytest.mark.parametrize("false", FALSE.values(), ids=FALSE.keys())
def test_a_false_statement_is_refuted_at_an_exact_legal_point(false: Claim) -> None:
    decision = decide(false)
    assert decision.verdict is Verdict.REFUTED
    assert decision.counterexample is not None
    assert is_legal(decision.counterexample)
    assert check(false, decision.counterexample)


def test_what_can_happen_is_proved_by_a_witness_and_refuted_for_all() -> None:
    may = replace(claim(X > A), exists=True)
    assert decide(may).verdict is Verdict.PROVED
    assert truth(X > A, decide(may).example)
    never = replace(claim(X**2 > A * B), exists=True)
    assert decide(never).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ({A: 1, B: 1, X: Integer(0)}, "the claim holds there"),
        ({A: Integer(-1), B: Integer(1), X: Integer(0)}, "it breaks a declared sign"),
        ({A: Integer(1), B: Integer(1), X: Integer(2)}, "no vectors realise it"),
        ({A: Integer(1), B: Integer(4), X: Float(1.5)}, "it is not exact"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_bad_counterexample_is_refused(point: dict[Symbol, Integer], why: str) -> None:
    point = {s: v if isinstance(v, Float) else Integer(v) for s, v in point.items()}
    assert not check(claim(X <= A), point), why


def test_where_a_conclusion_is_undefined_it_does_not_fail() -> None:
    assert not check(claim(1 / x > 0), {x: Integer(0)})
    assert check(claim(1 / x > 0), {x: Integer(-1)})


def test_equal_digits_are_no_equality() -> None:
    near = Eq(exp(1), exp(1) + exp(-200), evaluate=False)
    assert truth(near, {}) is None
    assert truth(exp(1) >= exp(1) + exp(-200) * x, {x: Integer(1)}) is None


def test_one_is_a_positive_integer_to_the_solver_too() -> None:
    answer, model = smt.Problem([n <= 1]).check()
    assert answer == "sat"
    assert model == {n: 1}
    assert smt.Problem([n < 1]).check()[0] == "unsat"


STRICT = {
    "a strict failure": (claim(X <= A), False),
    "a failure at equality alone": (claim(x**2 > 0), True),
    "an equivalence that fails at equality alone": (claim(iff(x >= 0, x > 0)), True),
    "an equivalence that fails strictly": (claim(iff(x > 0, x > 1)), False),
}


@pytest.mark.parametrize(("false", "at_equality"), STRICT.values(), ids=STRICT.keys())
def test_a_failure_at_equality_alone_says_so(false: Claim, at_equality: object) -> None:
    decision = decide(false)
    assert decision.verdict is Verdict.REFUTED
    assert decision.decided_by.endswith("at equality only") is at_equality


def test_a_counterexample_is_strict_and_in_the_intended_regime_where_one_is() -> None:
    assert decide(claim(x <= 1)).counterexample == {x: 2}
    edge = decide(claim(X < A)).counterexample
    assert edge is not None
    assert edge[X] > edge[A]
    meant = decide(replace(claim(x <= 1), regime=(x > 10,))).counterexample
    assert meant is not None
    assert meant[x] > 10
    nowhere = decide(replace(claim(x <= 1), regime=(x < 0,))).counterexample
    assert nowhere == {x: 2}


def test_parts_that_share_nothing_are_met_apart() -> None:
    many = [Symbol(f"x_{i}", positive=True) for i in range(12)]
    may = replace(claim(every(*(s > 3 for s in many))), exists=True)
    decision = decide(may)
    assert decision.verdict is Verdict.PROVED
    assert set(decision.example) == set(many)
    impossible = replace(claim(every(many[0] > 3, x**2 + 1 < x)), exists=True)
    assert decide(impossible).verdict is Verdict.REFUTED


def test_a_point_outside_the_assumptions_is_no_counterexample() -> None:
    point = {A: Integer(1), B: Integer(4), X: Integer(2)}
    assert check(claim(X <= A), point)
    assert not check(claim(X <= A, X <= 1), point)


def test_a_point_that_no_scores_realise_is_no_counterexample() -> None:
    zero = claim(implies(equal(A, Integer(0)), equal(X, Integer(0))))
    assert not check(zero, {A: Integer(0), X: Integer(1)})
    hidden = claim(implies(equal(A, Integer(0)), equal(sigmoid(X), Rational(1, 2))))
    assert decide(hidden).verdict is Verdict.PROVED


def test_what_is_undefined_wherever_its_assumptions_hold_is_refused() -> None:
    with pytest.raises(LedgerError, match="value"):
        decide(claim(equal(d_w / d_l, Integer(5)), equal(d_l, Integer(0))))


def test_a_conclusion_about_the_generic_token_is_refused() -> None:
    total = TokenVector((V,), (SIGNED,)).total()
    with pytest.raises(LedgerError, match="generic token"):
        decide(claim(SIGNED <= 0, equal(total, Integer(-1))))


def test_vacuous_assumptions_are_refused() -> None:
    with pytest.raises(LedgerError, match="vacuous"):
        decide(claim(X <= A, x > 1, x < 0))


def test_floats_are_refused() -> None:
    with pytest.raises(LedgerError, match="float"):
        decide(claim(x <= Float(0.5)))


def test_a_statement_that_evaluates_away_is_refused() -> None:
    with pytest.raises(LedgerError, match="evaluated"):
        decide(claim(A >= 0))


def test_a_statement_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="comparisons"):
        decide(claim(Symbol("p")))  # a bare proposition


def test_a_proof_that_times_out_leaves_the_claim_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smt.Problem, "check", lambda *_: ("unknown", None))
    assert decide(claim(X**2 <= A * B)).verdict is Verdict.OPEN


def test_what_abstraction_cannot_prove_is_open_not_refuted() -> None:
    true = claim(sigmoid(x) * (1 + exp(-x)) + 0 * y <= 1)
    assert decide(true).verdict in {Verdict.PROVED, Verdict.OPEN}
    beyond = claim(sigmoid(x) ** 2 >= sigmoid(2 * x) - Rational(1, 2))
    assert decide(beyond).verdict is Verdict.OPEN


def test_truth_is_three_valued() -> None:
    assert truth(x > 0, {x: Integer(1)}) is True
    assert truth(x > 0, {x: Integer(-1)}) is False
    assert truth(1 / x > 0, {x: Integer(0)}) is None
    assert truth(Or(1 / x > 0, x <= 0), {x: Integer(0)}) is None
    assert (
        truth(Eq(sigmoid(x), sigmoid(y), evaluate=False), {x: Integer(1), y: Integer(2)}) is False
    )


def test_the_smallest_point_is_simple() -> None:
    assert smallest_point([And(X > A, X < B)]) == {A: 1, B: 4, X: 2} or smallest_point(
        [And(X > A, X < B)]
    ) == {A: Rational(1, 2), B: 2, X: 1}


def test_a_sum_over_no_tokens_is_decided() -> None:
    rows = softmax_row("s", 2)
    alone = claim(rows.entries[0] + rows.entries[1] < 1, equal(rows.total(), Integer(1)))
    point = decide(alone).counterexample
    assert point is not None
    assert point[V] == 2


@pytest.mark.parametrize(
    ("holds", "verdict"),
    [
        ([True, True, True], Verdict.SUPPORTED),
        ([False, False, False], Verdict.CONTRADICTED),
        ([True, False, True], Verdict.OPEN),
        ([], Verdict.OPEN),
    ],
)
def test_an_experiment_decides_only_unanimously(holds: list[bool], verdict: Verdict) -> None:
    prediction = Prediction("test.p", "", "", experiment="e", outcome="o")
    runs = [{"seed": i, "holds": h, "numbers": {"x": 1.0}} for i, h in enumerate(holds)]
    assert judge(prediction, {"o": runs}).verdict is verdict


def test_an_experiment_that_was_not_run_decides_nothing() -> None:
    prediction = Prediction("test.p", "", "", experiment="e", outcome="o")
    one = [{"seed": 0, "holds": True, "numbers": {}}]
    assert judge(prediction, {"o": one}).verdict is Verdict.OPEN
    assert judge(prediction, None).verdict is Verdict.OPEN
    assert "not run" in judge(prediction, None).decided_by
