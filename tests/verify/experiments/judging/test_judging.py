"""One interval, and how every statement is judged."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from disband.verify.experiments.gpt2.findings import RULES
from disband.verify.experiments.judging.intervals import (
    above,
    around,
    below,
    difference,
    interval,
    named,
)
from disband.verify.experiments.judging.prediction import Rule, judge
from disband.verify.experiments.sentiment import rules
from disband.verify.kept.recorded import recorded

VALUES = np.array([0.9, 1.1, 1.0, 1.2, 0.7, 1.3])


def test_the_interval_is_students():
    stated = ttest_1samp(VALUES, 0).confidence_interval(0.95)
    expected = [VALUES.mean(), stated.low, stated.high]
    np.testing.assert_allclose(interval(VALUES), expected)
    with_gaps = np.stack([[*VALUES, np.nan], [np.nan, *VALUES]])
    np.testing.assert_allclose(interval(with_gaps), np.transpose([expected] * 2))


def test_of_fewer_than_five_values_there_is_none():
    assert np.isnan(interval(np.array([1.0, 2.0, np.nan, 3.0, 4.0]))).all()
    assert np.isfinite(interval(np.array([1.0, 2.0, np.nan, 3.0, 4.0, 5.0]))).all()
    assert np.isnan(interval(np.array([]))).all()
    assert np.isnan(difference(np.arange(4), np.arange(9))).all()


def test_a_difference_is_welchs():
    other = np.array([0.1, 0.9, 2.3, 0.2, 0.5, 0.6, 0.8])
    stated = ttest_ind(VALUES, other, equal_var=False).confidence_interval(0.95)
    _, low, high = difference(VALUES, other)
    assert (low, high) == pytest.approx((stated.low, stated.high))
    np.testing.assert_allclose(difference(np.ones(6), np.zeros(7)), 1.0)


@pytest.mark.parametrize(
    ("criterion", "true", "false"), [(above, 0.5, 1.5), (below, 1.5, 0.5)], ids=["above", "below"]
)
def test_a_criterion_holds_where_every_interval_lies_on_its_side(criterion, true, false):
    numbers = named("x", np.array([1.0, 0.8, 1.2]))
    assert criterion(true)(numbers) is True
    assert criterion(false)(numbers) is False
    assert criterion(1.0)(numbers) is None
    assert criterion(1.0)({}) is None
    nan = named("y", np.full(3, np.nan))
    assert criterion(true)(numbers | nan) is None
    assert criterion(false)(numbers | nan) is False
    beyond = named("y", around(2 * true - 1, 0.01, 50))
    assert criterion(true)(numbers | beyond) is False


def test_a_statement_is_judged_on_the_seeds_that_have_its_numbers():
    rule = Rule(name="n", says="s", criterion="c", numbers=lambda x: x, holds=lambda n: n["x"] > 0)
    (prediction,) = judge([rule], {7: {"x": 1.0}, 8: {}, 9: {"x": -1.0}})
    assert (prediction.name, prediction.says, prediction.criterion) == ("n", "s", "c")
    assert [(o.seed, o.holds) for o in prediction.outcomes] == [(7, True), (9, False)]
    assert prediction.count == 1
    assert judge([rule], {8: {}}) == ()


def test_a_rule_is_written_by_names_alone():
    with pytest.raises(TypeError):
        Rule("n", "s", "c", dict, bool)


def test_the_kept_records_are_judged_as_their_numbers_say_today():
    by_name = {rule.name: rule for rule in (*RULES, *rules.RULES)}
    judged = 0
    for record in recorded().values():
        for prediction in record["predictions"]:
            for outcome in prediction["per_seed"]:
                numbers = {
                    n: float("nan") if v is None else v for n, v in outcome["numbers"].items()
                }
                assert by_name[prediction["name"]].holds(numbers) is outcome["holds"], prediction
                judged += 1
    assert judged > 100


def test_intervals_kept_from_before_students_decide_the_same_with_it():
    """Of ``mass`` the ends were 1.96 standard errors away; 64 pairs make it 1.998."""
    by_name = {rule.name: rule for rule in RULES}
    mass = recorded()["mass"]
    seen = 0
    for prediction in mass["predictions"]:
        for outcome in prediction["per_seed"]:
            numbers = dict(outcome["numbers"])
            for name in [n.removesuffix(", low") for n in numbers if n.endswith(", low")]:
                mean = numbers[f"{name}, mean"]
                error = (numbers[f"{name}, high"] - mean) / 1.96
                numbers |= named(name, around(mean, error, 63))
                seen += 1
            assert by_name[prediction["name"]].holds(numbers) is outcome["holds"]
    assert seen > 10
