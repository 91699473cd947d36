"""Nothing that is typed does harm: it is read or refused, in bounded work, and never evaluated."""

import ast
import builtins
import os
import re
import string
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import CodeType
from typing import Any

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Expr, Rational
from sympy.logic.boolalg import Boolean

from disband.theory.own_loss import time_limit
from disband.theory.own_loss.expression import FUNCTIONS, MAX_INTEGER
from disband.theory.own_loss.names import PAIR
from disband.theory.own_loss.source_text import FormulaError
from disband.theory.symbols import A, X, beta, lam
from tests.theory.own_loss.reading import read_expression, read_statement

NAMES = {**PAIR, "A": A, "X": X, "beta": beta, "lam": lam}

ALGEBRA = tuple(str(Path(module.__file__).parent) for module in (sympy, mpmath))

WORDS = """w l ref_w ref_l len_w len_l beta A X lam exp log sqrt abs min max sigmoid relu step
    logsigmoid expm1 logodds linlog and or not implies iff if else for in is lambda await yield
    import None True __class__ __import__ _"""
SIGNS = """( ) ( ) ( ) + - * / ** ** , . < <= > >= == != = := -> : ; [ ] { } ' " # @ % & | ^ ~ ` $
    ? ! \\ ''' 0 1 2 8 9 0.1 .5 5. 1e3 1e-99 1e999 99999999 0x1F 1_0 1j 007"""
TOKENS = f"{WORDS} {SIGNS}".split()
VALID = [
    "-logsigmoid(beta*(w - ref_w - l + ref_l)) - lam*w/len_w",
    "relu(1 - beta*(w/len_w - l/len_l)) + abs(w - ref_w)**2",
    "max(w, l, ref_w) - min(w*l, 0.5) + exp(w)/(1 - exp(l))",
    "log(1 + exp(-beta*(w - l)))*sqrt(len_w)",
    "implies(A > 0 and X < A, not X**2 >= 2*A) or iff(w < l, l > w)",
    "((w - l)**2 - 1e-3)**3 / (len_w + len_l)**-2",
]
HOSTILE = [
    "__import__('os').system('true')", "().__class__.__bases__[0].__subclasses__()",
    "(lambda: w)()", "[x for x in (w, l)]", "{w: l}", "(y := w)", "f'{w}'", "w.__class__.__mro__",
    "getattr(w, 'args')", "exec('w')", "eval('w')", "open('/etc/passwd').read()", "print(w)",
    "exp(*[w])", "exp(**{'x': w})", "exp(x=w)", "min(w, l, key=exp)", "9**9**9", "9**9**9**9",
    "(((9**8)**8)**8)**8", "1e999", "1e999999999", "1e-999999999", "0e999999999", "-1e999",
    "10**-9**9", "logsigmoid(1e9) + w",
    "w*relu(logodds(min(linlog(logsigmoid(1e3)), A)))", "exp(exp(exp(exp(exp(9)))))",
    "max(w, ref_w/sqrt(A*w))", "min(l, sqrt(lam*w))",
    "sqrt((expm1(linlog((linlog(step((0.5/beta))))**-8)))**3)",
    "exp(1e50*log(2*beta))", "max(w, " * 120 + "l" + ")" * 120, "exp(1e9*log(2))",
    "expm1(w + 1e99*log(3))", "exp(1e50*log(beta))*w", "log(0)", "sqrt(-1)",
    "1/0", "max(w, relu(2) - 2)", "max(w, sigmoid(1) + sigmoid(-1) - 1)",
    "min(sqrt(2)*sqrt(3) - sqrt(6), l, (sqrt(2) + sqrt(3))**2 - 5 - 2*sqrt(6))",
    "1/(relu(2) - 2)", "abs(relu(2) - 2)", "sqrt(sigmoid(1) + sigmoid(-1) - 1)", "0/0", "0**-1",
    "w/(w-w)", "(" * 10_000 + "w" + ")" * 10_000, "(" * 190 + "w" + ")" * 190, "-" * 990 + "w",
    "not " * 240 + "w < l", "w" + "**2" * 300, "abs(" * 100 + "w" + ")" * 100,
    "max(" * 90 + "w" + ", l)" * 90, "max(" + "w," * 400 + "l)", "exp(" * 150 + "w" + ")" * 150,
    "w+" * 499 + "w", "w*" * 499 + "w", "1/(" * 200 + "w" + ")" * 200, "w<" * 400 + "l",
    "1" * 900, "0." + "3" * 900, "w" * 5000,
    "\u0435xp(w)",  # a Cyrillic e
    "w\uff0bl",  # a full-width plus
    "\uff10",  # a full-width zero
    "w\u00b2",
    "\ufb01",  # a ligature
    "\u212f", "w\u200bl", "w\u2212l", "\ud800", "w\x00", "\x00", "w\x1b[31m", "w # comment",
    "w \\\n + l", "w\n+\n\tl", "\n\n", "w;l", "w\rl", "import os", "'w'", "'\\d'", "b'w'",
    "1or w", "1if w else l", "0xFor w", "w is 1", "(1)(w)", "w if l else w", "w, l", "*w",
    "await w", "yield w", "w[0]", "w[:]", "...", "1_000", "w**True", "w**-False", "True + 1",
    "0b1", "0o7", "0777", "1__0", "1.2.3", "1e", ".", "", " ", "w \x0c l", "w\xa0+ l", "Typed",
    "self", "w.real", "1.real", "1 .real", "d_w + d_l", "eta", "E + pi + I + oo + zoo + nan",
]  # fmt: skip
LOOKALIKES = "еοаѕр０²ﬁ𝑤∑−×÷·’“\u200b\u00a0\ufeff\x00\x07\ud800"


def random_tree(random: Random, size: int) -> str:
    """A text that the grammar allows, though its numbers and domains may be wrong."""
    if size <= 1:
        return random.choice(["w", "l", "ref_w", "len_l", "beta", "A", "2", "0.5", "1e3", "lam"])
    kind, left = random.random(), random.randrange(1, size)
    if kind < 0.25:
        return f"{random.choice([*FUNCTIONS])}({random_tree(random, size - 1)})"
    if kind < 0.35:
        return f"({random_tree(random, size - 1)})**{random.choice([-8, -2, -1, 2, 3, 8, 9])}"
    one, other = random_tree(random, left), random_tree(random, size - left)
    if kind < 0.45:
        return f"{random.choice(['min', 'max'])}({one}, {other})"
    return f"({one} {random.choice('+-*/')} {other})"


def random_statement(random: Random) -> str:
    """A text that the grammar of statements allows."""
    sides = [random_tree(random, random.randint(1, 6)) for _ in range(4)]
    first, second = (
        f"{one} {random.choice(['<', '<=', '>', '>=', '==', '!='])} {other}"
        for one, other in (sides[:2], sides[2:])
    )
    whole = [first, f"not {first}", f"{first} and {second}", f"{first} or ({second})"]
    return random.choice([*whole, f"implies({first}, {second})", f"iff({first}, not {second})"])


def mutant(random: Random) -> str:
    """A text with a piece cut out, doubled, or put in from another."""
    make = random.choice([lambda: random.choice(VALID + HOSTILE), lambda: random_statement(random)])
    text, other = make(), random.choice([*VALID, *TOKENS, *HOSTILE, *LOOKALIKES])
    i, j, k = sorted(random.randint(0, min(len(text), 80)) for _ in range(3))
    return text[:i] + other[: random.randint(0, 12)] + text[j:k] + text[random.choice([i, k]) :]


def random_text(random: Random) -> str:
    """A text to read: of tokens, of characters, a mutant, or one of the grammar."""
    make: list[Callable[[], str]] = [
        lambda: " ".join(random.choices(TOKENS, k=random.randint(0, 14))),
        lambda: "".join(random.choices(TOKENS, k=random.randint(0, 10))),
        lambda: "".join(random.choices(string.printable + LOOKALIKES, k=random.randint(0, 25))),
        lambda: "".join(chr(random.randrange(0x110000)) for _ in range(random.randint(0, 12))),
        lambda: random_tree(random, random.randint(1, 12)),
        lambda: random_statement(random),
    ]
    mutants = [lambda: mutant(random)] * 3
    return random.choice([*make, *make[:3], *mutants])()


@contextmanager
def traps() -> Iterator[None]:
    """Fail if anything is evaluated, run, opened or imported, and on every warning.

    Only sympy may load more of itself, and Python's parser may parse.
    """
    sprung: list[str] = []
    real = {name: getattr(builtins, name) for name in ("exec", "compile", "__import__")}

    def trap(name: str) -> Callable[..., Any]:
        return lambda *args, **_: sprung.append(f"{name}{args!r}")

    def run(code: Any, *rest: Any) -> None:
        module = isinstance(code, CodeType) and code.co_filename.startswith(ALGEBRA)
        if not module and not str(code).startswith("def monomial_"):  # sympy's polynomials
            sprung.append(f"exec({code!r})")
        real["exec"](code, *rest)

    def parse(source: Any, name: str, mode: str, flags: int = 0, *rest: Any, **more: Any) -> Any:
        if not flags & ast.PyCF_ONLY_AST and not name.startswith(ALGEBRA):
            sprung.append(f"compile({source!r})")
        return real["compile"](source, name, mode, flags, *rest, **more)

    def load(name: str, *args: Any) -> Any:
        own = len(args) > 3 and args[3] > 0  # a relative import
        if not own and name.partition(".")[0] not in sys.modules:
            sprung.append(f"import {name}")
        return real["__import__"](name, *args)

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("error")
        for home, name in ((os, "system"), (os, "popen"), (subprocess, "Popen")):
            patch.setattr(home, name, trap(name))
        for name, replacement in {"exec": run, "compile": parse, "__import__": load}.items():
            patch.setattr(builtins, name, replacement)
        for name in ("eval", "open", "input"):
            patch.setattr(builtins, name, trap(name))
        yield
    assert not sprung


def check(text: str) -> bool:
    """Read ``text`` as an expression and as a statement; tell whether either was accepted."""
    accepted = False
    for read, kind in ((read_expression, Expr), (read_statement, Boolean)):
        try:
            result = read(text, NAMES)
        except FormulaError as error:
            check_message(text, str(error))
            continue
        accepted = True
        assert isinstance(result, kind)
        assert result.free_symbols <= set(NAMES.values())
        numbers = result.atoms(Rational)
        assert all(max(abs(n.p), n.q) <= MAX_INTEGER for n in numbers)
    return accepted


def check_message(text: str, message: str) -> None:
    """It is one line of bounded length, and its column shows what it says came."""
    assert len(message) < 500
    assert len(message.splitlines()) == 1
    if found := re.search(r"got (.+) at column (\d+) of ", message):
        came, column = ast.literal_eval(found[1]), int(found[2])
        assert 1 <= column <= len(text) + 1
        said = came.removesuffix("…") if len(came) > 1 else came
        typed = re.sub(r"[\t\n\r]", " ", text[column - 1 :])
        assert typed.startswith(said) or (came == "the end" and not typed.strip())
    else:
        assert re.search(r"characters: got|only blanks|nests less deeply|takes at most", message), (
            message
        )


# An end may come while garbage is collected, where Python only warns; it comes again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take ten seconds is given up after one."""
    monkeypatch.setattr(time_limit, "SECONDS", 1.0)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:40]))
def test_a_hostile_text_is_refused_or_harmless(text: str) -> None:
    with traps():
        check(text)


@settings(max_examples=400)
@given(
    st.one_of(
        st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join),
        st.text(string.printable + LOOKALIKES, max_size=25),
        st.text(max_size=15),
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    with traps():
        check(text)


def read_many(seed: int, count: int) -> int:
    random = Random(seed)
    with traps():
        return sum(check(random_text(random)) for _ in range(count))


@given(st.integers(0, 2**64))
def test_fifty_random_texts_are_read_or_refused(seed: int) -> None:
    """HYPOTHESIS_PROFILE=thorough reads a hundred thousand."""
    read_many(seed, 50)


def test_random_texts_are_often_enough_accepted_to_test_what_is_read() -> None:
    assert read_many(0, 1000) >= 80
