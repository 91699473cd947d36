"""The second formalisation: nothing is vacuous, and evaluation gives what each entry says."""

import re

import pytest
from sympy import Eq, Rational, exp, false, true

from tests.verify.second.contents import CONTENTS, WITHOUT_STATEMENT
from tests.verify.second.entries import ENTRIES
from tests.verify.second.statement import value

POINTS = 200

each = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)


def legal(point):
    """Whether the values of symbols have the signs that their symbols carry."""
    return all(Eq(symbol, Rational(number)) != false for symbol, number in point.items())


@each
def test_the_assumptions_can_be_met_and_evaluation_gives_what_the_entry_says(entry):
    if entry.exists:
        assert any(entry.holds(point) for point in entry.points(20 * POINTS))
        return
    if entry.fails_at is not None:
        assert not all(map(entry.holds, entry.points(POINTS)))
        return
    holds = [entry.holds(point) for point in entry.points(POINTS)]
    assert len(holds) == POINTS
    assert all(holds)


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.fails_at is not None], ids=lambda entry: entry.name
)
def test_a_statement_that_fails_does_so_at_the_point_given(entry):
    assert legal(entry.fails_at)
    point = entry.met(entry.fails_at)
    assert point is not None
    assert not entry.holds(point)


@each
def test_evaluation_agrees_with_sympy(entry):
    for point in entry.points(1):
        numbers = {symbol: Rational(number) for symbol, number in point.items()}
        for part in entry.given + entry.states:
            if not part.has(exp):
                assert value(part, point) == bool(part.xreplace(numbers))


@each
def test_an_entry_says_something(entry):
    assert entry.states
    assert not {true, false} & {*entry.given, *entry.states}
    assert set(entry.where_symbols) == set(entry.symbols)
    assert len(entry.words) <= 120


def test_no_two_entries_are_called_the_same():
    names = [entry.name for entry in ENTRIES]
    assert len(set(names)) == len(names)


def test_every_numbered_item_is_written_down_or_has_a_reason_not_to_be():
    def has_entry(item):
        return any(re.search(rf"{re.escape(item)}(?![\w.])", entry.key) for entry in ENTRIES)

    missing = [item for item in CONTENTS if has_entry(item) == (item in WITHOUT_STATEMENT)]
    assert not missing
    assert set(WITHOUT_STATEMENT) <= set(CONTENTS)
