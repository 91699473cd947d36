"""Horizons on a tiny model: every means is set beside the run, and judged by hand-made numbers."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from disband.lm.horizon.run import follow
from disband.lm.training.optimizers import Rule
from disband.theory.objectives import CPO
from disband.verify.experiments.gpt2.findings import findings, horizon, tables
from disband.verify.experiments.gpt2.findings.horizon import METHODS
from disband.verify.experiments.gpt2.protocol import Supervision
from disband.verify.experiments.gpt2.questions import horizon as asked
from disband.verify.experiments.gpt2.questions.horizon import Horizon, run_horizon
from tests.lm.tiny import TWEETS, model_of, tokenizer_of

PIECE = Horizon(
    "long suffix", Rule("adamw", 1e-3), batch=4, epoch=2, pairs=8,
    supervision=Supervision("correct", 2, 4, 1e-3), objectives=("DPO", "CPO"), updates=(4, 8),
    anchors=3, pretrained=True,
)  # fmt: skip
EACH = {"path": 1.0, "frozen": 1.0, "pilot": 1.0, "line": 1.0, "coarse": 1.0, "advised": 1.0}


@pytest.fixture(scope="module")
def ran():
    tokenizer = tokenizer_of()
    model = model_of(tokenizer)
    prepared, shares = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked, "restore", lambda _: (deepcopy(model), tokenizer))
        own = asked._prepared
        patch.setattr(
            asked, "_prepared", lambda *given: prepared.append(own(*given)) or prepared[0]
        )
        found = run_horizon(PIECE, 3, TWEETS, {}, shares.append)
    return found, prepared[0], shares


def test_what_is_called_real_is_a_run_of_that_objective(ran):
    found, ready, _ = ran
    chosen, rejected = (asked._joined([pair[side] for pair in ready.batches]) for side in (0, 1))
    run = follow(
        ready.model.float(), chosen, rejected, CPO, PIECE.rule, steps=8, batch_size=4,
        held_out=ready.held_out, at=(2, 4), seed=3,
    )  # fmt: skip
    for j, step in enumerate(PIECE.updates):
        np.testing.assert_array_equal(found["real"][1, j].ravel(), run.change(step))
        line = found["said"][METHODS.index("line"), 1, j].ravel()
        np.testing.assert_allclose(line, 2 * run.change(step // 2), rtol=1e-12)


def test_every_means_said_something_of_every_response_and_took_its_time(ran):
    found, _, shares = ran
    assert found["real"].shape == (2, 2, 4, 8)
    assert found["said"].shape == (len(METHODS), 2, 2, 4, 8)
    assert np.isfinite(found["said"]).all()
    assert (found["seconds"][:2, 0] > 0).all()
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    rows = tables({("horizon", 3, PIECE): found})["horizon"]
    assert [(row["objective"], row["updates"], row["pairs"]) for row in rows[:3]] == [
        ("DPO", 4, "trained"), ("DPO", 4, "held out"), ("DPO", 8, "trained"),
    ]  # fmt: skip
    assert rows[0]["chosen"] == found["real"][0, 0, 0].mean()


def arrays(piece, real, **said):
    """Each objective's mean change, at every horizon and on both parts; and what was said of it."""
    shape = (len(piece.objectives), len(piece.updates), 4, 2)
    spread = np.array([-0.01, 0.01])
    changes = np.broadcast_to(np.array(real)[:, None, None, None] + spread, shape)
    factors = np.array([(EACH | said)[name] for name in METHODS])
    return {
        "real": changes,
        "said": factors[:, None, None, None, None] * changes,
        "seconds": np.ones((1 + len(METHODS), len(piece.objectives))),
        **dict.fromkeys(("advice", "distance", "apart"), np.zeros(len(piece.objectives))),
    }


def judged(piece, real, styles=("long suffix",), **said):
    pieces = [replace(piece, style=style) for style in styles]
    found = findings({("horizon", 0, one): arrays(one, real, **said) for one in pieces})
    return {one.name.removeprefix("horizon-"): one.outcomes[0] for one in found}


SMALL = replace(PIECE, rule=Rule("adam", 1e-5), pretrained=False)
BOTH = ("long suffix", "free text")
FAST = replace(SMALL, rule=Rule("adam", 3e-5))


def test_a_forecast_with_the_wrong_sign_fails_and_first_order_that_is_right_does_too():
    good = judged(SMALL, (0.5, -0.5), frozen=-1.0, pilot=-1.0)
    assert all(outcome.holds for outcome in good.values())
    # CPO is judged by the lower bar, with the fast Adam.
    assert good["signs"].numbers["decisions"] == good["signs-hard"].numbers["decisions"] == 4
    bad = judged(SMALL, (0.5, -0.5), path=-1.0)
    assert not any(outcome.holds for outcome in bad.values())
    assert "signs" not in judged(FAST, (0.5, -0.5))


def test_only_what_exceeds_two_standard_errors_counts():
    # Of two values 0.02 apart the standard error is 0.01.
    assert "signs" not in judged(SMALL, (0.019, 0.5), path=-1.0)
    assert judged(SMALL, (0.021, 0.5), path=-1.0)["signs"].holds is False


def test_a_size_off_by_more_than_a_quarter_fails_and_what_diverged_is_infinitely_off():
    assert judged(SMALL, (0.5, 0.4), path=1.24)["size"].holds
    assert judged(SMALL, (0.5, 0.4), path=1.26)["size"].holds is False
    lost = judged(SMALL, (0.5, 0.4), path=np.inf)["size"]
    assert lost.holds is False
    assert lost.numbers["path"] == np.inf


def test_a_run_that_diverged_has_no_change_to_tell_and_no_place():
    three = replace(SMALL, objectives=("DPO", "CPO", "IPO"))
    found = judged(three, (0.5, np.nan, -0.5))
    assert found["signs"].numbers["decisions"] == 2 * len(three.updates) * 2
    assert found["rank"].numbers == EACH
    assert found["rank"].holds


def test_the_pretrained_model_has_rules_and_bars_of_its_own():
    good = judged(PIECE, (0.5, -0.5), BOTH, frozen=-1.0)
    assert set(good) == {
        "pretrained-signs", "pretrained-rank", "pretrained-first-order-fails"
    }  # fmt: skip
    assert all(outcome.holds for outcome in good.values())
    bad = judged(PIECE, (0.5, -0.5), BOTH, path=-1.0)
    assert not any(outcome.holds for outcome in bad.values())
    assert not judged(PIECE, (0.5, -0.5))
    assert {rule.name for rule in horizon.PRETRAINED}.isdisjoint(r.name for r in horizon.RULES)
