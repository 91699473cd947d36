"""The second look: what it confirms, what it contradicts, and what it does not hide."""

import pytest
from sympy import Eq, Integer, Rational, Symbol, exp, false, true

from disband.job.second import Look, disagree, look_text, second_look
from disband.theory.kernels.primitives import sigmoid
from disband.theory.models.vocabulary import softmax_row
from disband.theory.symbols import A, B, X
from disband.verify.claims import LEDGER
from disband.verify.deciding import confirm as module
from disband.verify.deciding.claim import Claim, Decision, Verdict
from disband.verify.deciding.confirm import Answer, Confirmation, confirm, cvc5_answer
from disband.verify.deciding.decide import decide
from disband.verify.deciding.logic import equal, every
from disband.verify.deciding.smt import Problem

pytest.importorskip("cvc5", reason="the second solver: pip install cvc5")
x = Symbol("x", real=True)
p = softmax_row("p", 1)
IS_ROW = equal(p.total(), Integer(1))


def claim(holds, *given, **more):
    return Claim("test.claim", "", "", holds=holds, given=given, **more)


CLAIMS = {
    "by z3": claim(X**2 <= A * B),
    "an identity": claim(equal(sigmoid(x) + sigmoid(-x), Integer(1))),
    "an identity with a pole": claim(equal((x**2 - 1) / (x + 1), x - 1)),
    "an identity and an inequality": claim(every(equal((x + 1) ** 2, x**2 + 2 * x + 1), x**2 >= 0)),
    "a sum over tokens, with its lemma": claim(p @ p <= 1, IS_ROW),
    "a counterexample": claim(X <= A),
    "a transcendental counterexample": claim(exp(x) <= 1 + x),
    "a witness": claim(X > A, exists=True),
    "no such case": claim(X**2 > A * B, exists=True),
}


@pytest.mark.parametrize("stated", CLAIMS.values(), ids=CLAIMS.keys())
def test_a_right_verdict_is_confirmed(stated):
    assert confirm(stated, decide(stated)).answer is Answer.AGREES


WRONG = {
    "not a theorem": (claim(X <= A), Decision(Verdict.PROVED, "")),
    "no identity": (
        claim(Eq(sigmoid(x) * 2, sigmoid(2 * x), evaluate=False)),
        Decision(Verdict.PROVED, ""),
    ),
    "a counterexample where it holds": (
        claim(X <= A),
        Decision(Verdict.REFUTED, "", counterexample={A: Integer(1), B: Integer(1), X: Integer(1)}),
    ),
    "a witness that is none": (
        claim(X > A, exists=True),
        Decision(Verdict.PROVED, "", example={A: Integer(1), B: Integer(1), X: Integer(1)}),
    ),
    "there is such a case": (claim(X > A, exists=True), Decision(Verdict.REFUTED, "")),
}


@pytest.mark.parametrize(("stated", "decision"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_verdict_is_contradicted(stated, decision, monkeypatch):
    monkeypatch.setattr(module, "is_identity", lambda part: isinstance(part, Eq))
    assert confirm(stated, decision).answer is Answer.DISAGREES


def test_what_takes_too_long_is_said_to():
    late = confirm(CLAIMS["by z3"], decide(CLAIMS["by z3"]), timeout_ms=1)
    assert late == Confirmation(Answer.TIMED_OUT, "cvc5")


def test_a_lemma_that_fails_is_seen(monkeypatch):
    stated = CLAIMS["a sum over tokens, with its lemma"]
    decision = decide(stated)
    assert Problem([*stated.given, stated.holds]).lemmas
    monkeypatch.setattr(module, "_lemma_answer", lambda *_: "sat")
    assert confirm(stated, decision).answer is Answer.DISAGREES


def test_an_empty_conjunction_and_an_empty_disjunction_can_be_read():
    assert cvc5_answer(Problem([true]).text()) == "sat"
    assert cvc5_answer(Problem([false]).text()) == "unsat"


def test_text_that_is_no_problem_is_refused():
    with pytest.raises(RuntimeError, match="can read"):
        cvc5_answer("(assert (nonsense))")


def test_every_disagreement_and_time_out_is_named():
    looks = {
        "a.one": Look("proved", Confirmation(Answer.AGREES, "cvc5"), ""),
        "a.two": Look("proved", Confirmation(Answer.TIMED_OUT, "cvc5"), ""),
        "a.three": Look("refuted", Confirmation(Answer.DISAGREES, "digits"), ""),
    }
    text = look_text(looks)
    assert "timed out: a.two (proved; cvc5)" in text
    assert "disagrees: a.three (refuted; digits)" in text
    assert "a.one" not in text
    assert disagree(looks)
    del looks["a.three"]
    assert not disagree(looks)


def test_claims_are_found_by_name_in_other_processes():
    names = ["yuan2025.eq13", "yuan2025.eq9.repaired", "yuan2025.eq4"]
    looks = second_look(names, workers=1)
    assert [look.seen.answer for look in looks.values()] == [Answer.AGREES] * 3
    assert [look.verdict for look in looks.values()] == ["refuted", "proved", "proved"]


@pytest.mark.slow
def test_no_second_look_contradicts_the_ledger():
    """A sample: ``disband verify --second-solver`` looks at every claim, and keeps what it saw."""
    names = [stated.id for stated in LEDGER if isinstance(stated, Claim)][::12]
    looks = second_look(names, workers=1)
    assert list(looks) == names
    assert not disagree(looks), look_text(looks)
    late = [look for look in looks.values() if look.seen.answer is Answer.TIMED_OUT]
    assert len(late) < len(looks) * Rational(1, 20) + 1, look_text(looks)
