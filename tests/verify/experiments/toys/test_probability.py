"""The toy experiment of jian2025: how it is judged, and that it can find either answer."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import ttest_1samp

from disband.sims.simplex.misallocation import (
    EXACT,
    KINDS,
    ONE_STEP,
    OWN,
    PLAIN,
    RUNNERS,
    RunSettings,
)
from disband.verify.claims import jian2025
from disband.verify.deciding.claim import Verdict
from disband.verify.deciding.decide import judge
from disband.verify.experiments.toys.probability import Evolution, curve, measure, of_worlds, used
from disband.verify.experiments.toys.probability_rules import CRITERIA, RULES, predictions
from disband.verify.experiments.toys.probability_run import curves, drawn_portraits, run

torch.set_num_threads(1)
SMALL = Evolution(seeds=(100, 101), worlds=12, course=RunSettings(lr=12.0, steps=14))


@pytest.fixture(scope="module")
def readings():
    told = []
    found = measure(SMALL, lambda share, name: told.append((share, name)))
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert len(told) == len(found) == len(KINDS) * len(RUNNERS)
    return found


def test_every_sentence_is_judged_on_every_seed(readings):
    judged = predictions(readings, SMALL)
    assert [p.name for p in judged] == [rule.name for rule in RULES] == list(CRITERIA)
    for prediction in judged:
        assert [o.seed for o in prediction.outcomes] == [100, 101]
        for outcome in prediction.outcomes:
            assert outcome.holds in (True, False, None)
            assert all(type(v) is float for v in outcome.numbers.values())
            # Too few worlds for an interval decide nothing.
            known = np.isfinite(list(outcome.numbers.values())).all()
            assert known or outcome.holds is not True


def test_a_seed_is_judged_by_its_own_worlds(readings):
    alone = replace(SMALL, seeds=(101,))
    own = {key: of_worlds(reading, slice(12, 24)) for key, reading in readings.items()}
    both, one = predictions(readings, SMALL), predictions(own, alone)
    for pair, single in zip(both, one, strict=True):
        assert pair.outcomes[1] == single.outcomes[0]


def test_exchanged_methods_turn_the_verdicts_around(readings):
    swap = {PLAIN: EXACT, EXACT: PLAIN}
    turned = {(kind, name): readings[kind, swap.get(name, name)] for kind, name in readings}
    for name in ("spo-chosen", "spo-mass"):
        (before,) = (p for p in predictions(readings, SMALL) if p.name == name)
        (after,) = (p for p in predictions(turned, SMALL) if p.name == name)
        assert all(o.holds for o in before.outcomes)
        assert not any(o.holds for o in after.outcomes)


def test_a_start_that_decides_nothing_is_found_not_to(readings):
    shuffled = {
        key: replace(reading, most=np.full_like(reading.most, 2.0))
        for key, reading in readings.items()
    }
    (found,) = (p for p in predictions(shuffled, SMALL) if p.name == "start-decides")
    assert all(o.holds is None for o in found.outcomes)


def test_a_curve_ends_where_half_of_the_worlds_do(readings):
    values = np.full((12, 3), np.nan)
    values[:, 0] = 0.0
    values[:6, 1] = np.arange(6)
    values[:5, 2] = np.arange(5)
    reading = replace(next(iter(readings.values())), misallocated=values, margins=np.arange(3.0))
    line = curve(reading)
    np.testing.assert_allclose(line.mean, [0, 2.5, np.nan])
    stated = ttest_1samp(np.arange(6), 0).confidence_interval(0.95)
    assert line.error[1] == pytest.approx((stated.high - stated.low) / 2)


def test_the_entries_of_the_ledger_are_decided_by_it(readings):
    outcomes = {
        p.name: [{"seed": o.seed, "holds": o.holds, "numbers": o.numbers} for o in p.outcomes]
        for p in predictions(readings, SMALL)
    }
    toys = [c for c in jian2025.CLAIMS if c.id.startswith("jian2025.toys")]
    assert {c.outcome for c in toys} == set(CRITERIA)
    verdicts = {c.outcome: judge(c, outcomes).verdict for c in toys}
    assert verdicts["spo-chosen"] is Verdict.SUPPORTED
    assert verdicts["spo-forgets"] is Verdict.CONTRADICTED
    assert used(SMALL)["seeds"] == [100, 101]


def test_what_it_keeps_can_be_drawn_again(monkeypatch, readings):
    module = "disband.verify.experiments.toys.probability_run"
    monkeypatch.setattr(f"{module}.Evolution", lambda: SMALL)
    monkeypatch.setattr(f"{module}.measure", lambda *_: readings)
    monkeypatch.setattr("disband.sims.simplex.portraits.COURSE", RunSettings(steps=3))
    told = []
    judged, arrays = run(lambda *said: told.append(said))
    assert len(judged) == len(RULES)
    assert told[-1][2] == "portraits"
    assert list(curves(arrays)) == [kind.name for kind in KINDS]
    assert list(curves(arrays)[OWN.name]) == list(RUNNERS)
    assert ONE_STEP in RUNNERS
    assert next(iter(drawn_portraits(arrays))).name == PLAIN
