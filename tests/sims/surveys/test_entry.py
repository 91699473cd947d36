"""Entry into the band: the toy is the real policy, and what is proved is seen."""

import numpy as np
import pytest

from disband.sims.pairs.descent import train
from disband.sims.pairs.policies import LogLinear, Pair, view
from disband.sims.surveys.entry import FROZEN, Fate, Start, entry, grid, scores
from disband.theory.band import Case, case
from disband.theory.gram import Gram
from disband.theory.objectives import (
    BCE,
    BCO,
    CPO,
    DDRO,
    DPO,
    HINGE,
    IPO,
    LSIF,
    OBJECTIVES,
    SIMPO,
    SLIC_HF,
    SPPO,
    UKL,
)
from disband.theory.symbols import logp_l, logp_w
from tests.sampling import some

MAP = grid(np.linspace(-4, 4, 5), np.exp(np.linspace(-1.5, 1.5, 7)), np.linspace(-0.95, 0.95, 7))
STILL = MAP._replace(level=FROZEN)
CONSTANT = [o for o in OBJECTIVES if not (o.ratio.has(logp_w) or o.ratio.has(logp_l))]


def real(start):
    """The toy as a policy: two contexts of two tokens, the first token emitted in each."""
    p_w, p_l = (np.exp(start.level + s * start.margin / 2) for s in (1, -1))
    norm_l = start.norm_ratio * (1 - p_w) / (1 - p_l)
    angle = np.arccos(start.cosine)
    features = np.array([[1, 0], [norm_l * np.cos(angle), norm_l * np.sin(angle)]])
    offsets = np.array([[np.log(p / (1 - p)), 0.0] for p in (p_w, p_l)])
    counts = np.zeros((2, 2, 2))
    counts[0, 0, 0] = counts[1, 1, 0] = 1
    return LogLinear(features, offsets), Pair(*counts), np.zeros((2, 2))


STARTS = [Start(0.5, 2.0, 0.6), Start(-3.0, 0.5, 0.9), Start(1.0, 1.0, -0.4, -1.0)]


@pytest.mark.parametrize("start", STARTS)
def test_the_start_has_the_scores_it_was_asked_for(start):
    gram = scores(start)
    assert gram.norm_ratio == pytest.approx(start.norm_ratio)
    assert gram.cosine == pytest.approx(start.cosine)
    seen = view(*real(start))
    assert seen.logp_w - seen.logp_l == pytest.approx(start.margin)
    assert seen.logp_w + seen.logp_l == pytest.approx(2 * start.level)
    # Both tokens of a row move, which doubles every product.
    for ours, theirs in zip(
        (gram.sq_w, gram.sq_l, gram.dot),
        (seen.gram.sq_w, seen.gram.sq_l, seen.gram.dot),
        strict=True,
    ):
        assert theirs == pytest.approx(2 * ours)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("objective", [CPO, SIMPO, SLIC_HF], ids=lambda o: o.name)
def test_the_flow_is_small_steps_of_real_training(objective, start):
    """Objectives without a reference, for training takes its start as one."""
    run = train(*real(start), objective, lr=1e-3, steps=2000)
    margins = run.logp_w - run.logp_l
    cases = case(run.d_w, run.d_l, run.gram)
    odds = [z - np.log(-np.expm1(z)) for z in (run.logp_w, run.logp_l)]
    gone = np.maximum(*(np.abs(np.diff(x, prepend=x[0])) for x in odds)).cumsum()
    got = entry(objective, start, way=float(gone[-1]), stride=float(gone[-1]) / 400)
    if got.gone > 0.999 * gone[-1]:  # strides were not cut
        assert got.margin == pytest.approx(margins[-1], abs=2e-3)
    inside = cases == Case.IDEAL
    assert np.isnan(got.entered_at) == (not inside.any())
    if inside.any():
        assert got.entered_at == pytest.approx(gone[np.argmax(inside)], abs=0.02)


@some
def test_fates_are_consistent(objective):
    got = entry(objective, MAP, way=4.0)
    assert got.fate.shape == (5, 7, 7)
    entered, left = ~np.isnan(got.entered_at), ~np.isnan(got.left_at)
    assert (~left | entered).all()
    assert (got.left_at[left] > got.entered_at[left]).all()
    fate = got.fate[~(got.fate == Fate.LOST)]
    assert fate.size > 0.9 * got.fate.size
    assert ((got.fate == Fate.OUTSIDE) <= ~entered).all()
    assert ((got.fate == Fate.INSIDE) <= (got.entered_at == 0)).all()
    assert ((got.fate == Fate.ENTERS) <= (got.entered_at > 0)).all()
    assert (np.isin(got.fate, (Fate.LEAVES, Fate.RETURNS)) <= left).all()
    assert sum(got.shares().values()) == pytest.approx(1)
    assert (got.gone <= 4.0 + 1e-9).all()


@some
def test_at_a_right_or_obtuse_angle_positive_incentives_are_always_inside(objective):
    start = MAP._replace(cosine=-np.abs(MAP.cosine))
    data = (start.level + start.margin / 2, start.level - start.margin / 2, -3.0, -3.0, 1, 1)
    d_w, d_l = (objective.kernel(d)(*data) for d in ("d_w", "d_l"))
    got = entry(objective, start, way=0.05)
    assert (got.entered_at[(d_w > 0) & (d_l > 0)] == 0).all()


@pytest.mark.parametrize("objective", CONSTANT, ids=lambda o: o.name)
def test_proved_a_constant_ratio_never_enters_or_leaves_while_scores_stand_still(objective):
    """disband.early-stage.proportional; what decides is ρ ≤ min(s, 1/s)."""
    got = entry(objective, STILL, way=6.0)
    inside = STILL.cosine <= np.minimum(STILL.norm_ratio, 1 / STILL.norm_ratio)
    safe = got.fate[np.isin(got.fate, (Fate.INSIDE, Fate.OUTSIDE))]
    if objective in (DPO, SIMPO, IPO):
        np.testing.assert_array_equal(got.fate == Fate.INSIDE, inside)
        assert safe.size == got.fate.size


@pytest.mark.parametrize("objective", [BCE, BCO, UKL, DDRO, SPPO], ids=lambda o: o.name)
def test_proved_separate_convex_losses_never_leave_while_scores_stand_still(objective):
    """disband.early-stage.separate."""
    # SPPO's incentives are positive up to its targets, which here lie beyond the way.
    hyper = {"beta": 1 / 36} if objective is SPPO else {}
    got = entry(objective, STILL, way=15.0, hyper=hyper)
    assert set(np.unique(got.fate)) <= {Fate.INSIDE, Fate.ENTERS, Fate.OUTSIDE}
    assert (got.fate == Fate.ENTERS).any()


def test_proved_logistic_losses_end_at_equal_and_opposite_motion():
    """disband.early-stage.exponential: the tails of BCO."""
    start = Start(0.0, np.array([0.3, 1.0, 3.0]), 0.8, FROZEN)
    gram = scores(start)
    wanted = (gram.sq_l + gram.dot) / (gram.sq_w + gram.dot)
    got = entry(BCO, start, way=30.0, hyper={"beta": 1.0})
    assert np.isin(got.fate, (Fate.INSIDE, Fate.ENTERS)).all()
    x = got.margin / 2  # both go the same way from their start
    assert (x > 5).all()
    assert (wanted > gram.dot / gram.sq_w).all()


def test_proved_a_likelihood_term_leads_out_above():
    """disband.early-stage.likelihood-term.leaves."""
    start = Start(0.0, 3.0, 0.9, FROZEN)  # the band is 2.7 to 3.3
    got = entry(CPO, start, way=10.0, hyper={"beta": 1.0, "lam": 1.0})
    assert got.fate == Fate.LEAVES
    d = 1 / (1 + np.exp(got.margin))
    assert (d + 1) * 2.7 > d * 9  # above: the rejected rises too


def test_proved_moving_scores_carry_the_band_up_past_a_constant_ratio():
    """disband.early-stage.moving-scores.edges: in above, out below."""
    norms = np.array([0.4, 1.0])
    start = Start(0.0, norms, 0.9, -1.0)
    assert case(1.0, 1.0, scores(start)).tolist() == [Case.BOTH_RISE, Case.IDEAL]
    got = entry(DPO, start, way=12.0)
    assert (got.entered_at[0] > 0) | np.isnan(got.entered_at[0])
    assert got.left_at[1] > 0


def test_a_measured_map_differs_between_objectives_and_is_reproducible():
    one, other = entry(LSIF, MAP, way=6.0), entry(LSIF, MAP, way=6.0)
    np.testing.assert_array_equal(one.fate, other.fate)
    assert (one.fate != entry(DPO, MAP, way=6.0).fate).any()


def test_half_the_stride_hardly_changes_the_map():
    for objective in (DPO, BCE, LSIF, CPO):
        one, other = (entry(objective, MAP, way=6.0, stride=s) for s in (0.05, 0.025))
        assert (one.fate == other.fate).mean() > 0.95


def test_a_target_is_reached_and_rested_at():
    """IPO's margin stops at its target, where both incentives are zero."""
    got = entry(IPO, Start(0.0, 1.0, 0.2, FROZEN), way=20.0, hyper={"beta": 0.25})
    assert got.margin == pytest.approx(2.0, abs=1e-3)
    assert got.fate == Fate.INSIDE
    assert got.gone < 2


def test_without_incentives_a_pair_rests_inside():
    got = entry(HINGE, Start(2.0, 4.0, 0.9), way=5.0, hyper={"beta": 1.0})
    assert got.fate == Fate.INSIDE
    assert got.margin == pytest.approx(2)


def test_fates_have_words():
    assert len({fate.words for fate in Fate}) == len(Fate)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (Start(6.0, 1.0, 0.0), "margin"),
        (Start(0.0, 1.0, 0.0, 0.0), "margin"),
        (Start(np.nan, 1.0, 0.0), "margin"),
        (Start(0.0, 0.0, 0.0), "norm ratio"),
        (Start(0.0, 1.0, 1.1), "cosine"),
        (Start(0.0, 1.0, np.nan), "cosine"),
    ],
)
def test_a_start_keeps_its_ranges(start, message):
    with pytest.raises(ValueError, match=message):
        entry(DPO, start)


@pytest.mark.parametrize(("way", "stride"), [(1.0, 0.0), (0.01, 0.05), (np.inf, 0.05)])
def test_a_way_is_made_of_strides(way, stride):
    with pytest.raises(ValueError, match="stride"):
        entry(DPO, Start(0.0, 1.0, 0.0), way=way, stride=stride)


def test_the_gram_of_the_map_is_the_toys():
    gram = scores(MAP)
    assert isinstance(gram, Gram)
    np.testing.assert_allclose(gram.cosine, MAP.cosine, atol=1e-12)
