"""Every verdict a second time, by other means: another solver, other arithmetic.

What z3 finds unsatisfiable is asked of cvc5 through SMT-LIB text. What sympy finds identical is
evaluated at random rational points, and brought to a second normal form. What an exact point
shows is computed again in fractions, or to ``DIGITS`` digits where it is transcendental.
"""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from random import Random

from mpmath import mp, workdps
from sympy import Derivative, Expr, Integer, Not, Rational, Subs, cancel, lambdify, together
from sympy.core.function import AppliedUndef
from sympy.core.relational import Eq
from sympy.logic.boolalg import Boolean

from disband.theory.kernels.primitives import PRIMITIVES
from disband.theory.models.vocabulary import V

from .claim import Claim, Decision, Point, Verdict
from .decide import conjuncts, instance, is_identity
from .logic import Comparison, canonical, fold
from .search import DIGITS, unknowns_of
from .smt import Problem, of_some_token

POINTS = 5
# Of points drawn, some may lie where a side has no value.
TRIES = 10 * POINTS
TIMEOUT_MS = 10_000
_ASK = """
import sys, cvc5
solver = cvc5.Solver()
solver.setLogic("QF_NRA")
parser = cvc5.InputParser(solver)
parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, sys.stdin.read(), "problem")
symbols = parser.getSymbolManager()
while not (command := parser.nextCommand()).isNull():
    print(command.invoke(solver, symbols), end="")
"""


class Answer(StrEnum):
    """What the second look came to; a time-out is no agreement."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Confirmation:
    """A second look at a verdict.

    Args:
        answer: Whether it agrees.
        by: What looked, in words.
    """

    answer: Answer
    by: str


def confirm(claim: Claim, decision: Decision, timeout_ms: int = TIMEOUT_MS) -> Confirmation:
    """Look at a decided claim again by other means than those that decided it."""
    if decision.verdict is Verdict.OPEN:
        return Confirmation(Answer.AGREES, "nothing to confirm: it is open")
    if decision.counterexample is not None:
        return _at_a_point([*claim.given, Not(claim.holds)], decision.counterexample)
    if claim.exists and decision.verdict is Verdict.PROVED:
        return _at_a_point([*claim.given, claim.holds], decision.example)
    if claim.exists:
        return _solved([[*claim.given, claim.holds]], timeout_ms)
    parts = conjuncts(claim.holds)
    looks = [_identical(part) for part in parts if is_identity(part)]
    if rest := [[*claim.given, Not(part)] for part in parts if not is_identity(part)]:
        looks.append(_solved(rest, timeout_ms))
    return _together(looks)


def cvc5_answer(text: str, timeout_ms: int = TIMEOUT_MS) -> str:
    """Return what cvc5 says of a problem in SMT-LIB: ``sat``, ``unsat`` or ``unknown``.

    It runs in a process of its own, for it does not keep to its time by itself.

    Raises:
        RuntimeError: cvc5 is not installed, or cannot read the problem.
    """
    command = [sys.executable, "-c", _ASK]
    try:
        done = subprocess.run(  # noqa: S603 (this Python, and our own text)
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_ms / 1000,
        )
    except subprocess.TimeoutExpired:
        return "unknown"
    if done.returncode:
        raise RuntimeError(
            "a second look takes cvc5 and a problem that it can read: got "
            f"{done.stderr.strip().rpartition(chr(10))[2]}; pip install cvc5"
        )
    return done.stdout.strip()


def _solved(problems: Iterable[Sequence[Boolean]], timeout_ms: int) -> Confirmation:
    """Ask cvc5 whether each problem, and each lemma that it rests on, is unsatisfiable."""
    answers = set()
    for statements in problems:
        problem = Problem(statements)
        answers.add(cvc5_answer(problem.text(), timeout_ms))
        answers |= {_lemma_answer(lemma, timeout_ms) for lemma in problem.lemmas}
    found = Answer.AGREES
    if "sat" in answers:
        found = Answer.DISAGREES
    elif answers != {"unsat"}:
        found = Answer.TIMED_OUT
    return Confirmation(found, "cvc5")


@cache
def _lemma_answer(lemma: tuple[Boolean, ...], timeout_ms: int) -> str:
    return cvc5_answer(Problem(of_some_token(lemma)).text(), timeout_ms)


def _identical(statement: Boolean) -> Confirmation:
    """Look at an identity at random rational points, and in a second normal form."""
    gap = _with_values(statement.lhs - statement.rhs)
    equation = Eq(gap, 0, evaluate=False)
    random = Random(0)  # noqa: S311 (points, not secrets)
    unknowns = sorted(unknowns_of([equation]), key=str)
    valued = 0
    for _ in range(TRIES):
        try:
            holds = _holds(equation, {u: _value(u, random) for u in unknowns})
        except ZeroDivisionError:
            continue
        if not holds:
            return Confirmation(Answer.DISAGREES, "random rational points")
        valued += 1
        if valued == POINTS:
            break
    normal = cancel(together(canonical(gap))) == 0
    if valued < POINTS:
        answer = Answer.AGREES if normal else Answer.TIMED_OUT
        return Confirmation(answer, "a second normal form")
    by = "random rational points" + (" and a second normal form" if normal else "")
    return Confirmation(Answer.AGREES, by)


def _with_values(gap: Expr) -> Expr:
    """Give functions left open, and their derivatives, values of their own."""
    done = gap.doit()
    for kind in (Subs, Derivative, AppliedUndef):
        for number, node in enumerate(sorted(done.atoms(kind), key=str)):
            done = done.xreplace({node: -Rational(number + 2, 2 * number + 5)})
    return done


def _value(unknown: Expr, random: Random) -> Expr:
    top, bottom = random.randint(1, 9), random.randint(1, 9)
    size = Integer(top) if unknown.is_integer else Rational(top, bottom)
    return -size if unknown.is_negative or (top % 2 and not unknown.is_nonnegative) else size


def _at_a_point(statements: Sequence[Boolean], point: Point) -> Confirmation:
    """Compute each statement again at an exact point."""
    written = instance(statements, point.get(V))
    agrees = all(_holds(statement, point) for statement in written)
    return Confirmation(
        Answer.AGREES if agrees else Answer.DISAGREES, f"{DIGITS} digits of mpmath at the point"
    )


def _holds(statement: Boolean, point: Point) -> bool:
    """Whether a statement is true at a point in mpmath's arithmetic, ties within its digits."""
    unknowns = sorted(point, key=str)
    tie = mp.mpf(10) ** (10 - DIGITS)

    def atom(gap: Expr, how: Comparison) -> bool:
        at = lambdify(unknowns, _elementary(gap.doit()), modules="mpmath")
        value = at(*(mp.mpf(int(v.p)) / int(v.q) for v in map(point.__getitem__, unknowns)))
        tied = abs(value) < tie
        return bool({">=": value > -tie, ">": value > tie, "==": tied, "!=": not tied}[how])

    with workdps(DIGITS):
        return fold(statement, atom, all, any, lambda value: not value)


def _elementary(gap: Expr) -> Expr:
    """Write the primitives out in exponentials, and nothing else."""
    return gap.replace(lambda node: isinstance(node, PRIMITIVES), lambda node: node.rewrite("exp"))


def _together(looks: Sequence[Confirmation]) -> Confirmation:
    """Return the worst of several answers, and all that looked."""
    order = [Answer.DISAGREES, Answer.TIMED_OUT, Answer.AGREES]
    worst = min((look.answer for look in looks), key=order.index)
    return Confirmation(worst, "; ".join(dict.fromkeys(look.by for look in looks)))
