"""What the strategies draw is legal, exact and realised, and its edges do occur."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from disband.sims.pairs.policies import view
from disband.theory.first_order import first_order
from disband.theory.objectives import DPO
from disband.verify import strategies
from disband.verify.kept.provenance import PACKAGES, ROOT, imports
from disband.verify.strategies import (
    batches,
    data_batches,
    data_points,
    floats_of,
    gram_of,
    grams,
    hyperparameters,
    incentives,
    inner,
    nonzero_vectors,
    positive,
    rationals,
    score_pairs,
    signed,
    simplex_points,
    softmax_models,
    vectors,
)
from tests.sampling import some

searching = settings(
    max_examples=2000,
    derandomize=True,
    database=None,
    phases=[Phase.generate],  # any example will do: no shrinking
    suppress_health_check=list(HealthCheck),
)


def occurs(strategy, condition):
    """Whether an example that meets the condition is drawn; an error if none is found."""
    return condition(find(strategy, condition, settings=searching))


def squeezed(gram):
    """Whether Cauchy-Schwarz is an equality."""
    return gram.dot**2 == gram.sq_w * gram.sq_l


GRAM_EDGES = {
    "nothing at all": lambda g: g.sq_w == g.sq_l == 0,
    "no chosen score": lambda g: g.sq_w == 0 < g.sq_l,
    "no rejected score": lambda g: g.sq_l == 0 < g.sq_w,
    "equal scores": lambda g: g.sq_w == g.sq_l == g.dot > 0,
    "parallel scores": lambda g: squeezed(g) and g.dot > 0 and g.sq_w != g.sq_l,
    "opposite scores": lambda g: squeezed(g) and g.dot < 0,
    "orthogonal scores": lambda g: g.dot == 0 < g.sq_w * g.sq_l,
    "an obtuse angle": lambda g: g.dot < 0 and not squeezed(g),
    "entangled and below the chosen norm": lambda g: 0 < g.dot < min(g.sq_w, g.sq_l),
    "entangled beyond the chosen norm": lambda g: g.sq_w < g.dot < g.sq_l,
    "entangled beyond the rejected norm": lambda g: g.sq_l < g.dot < g.sq_w,
}


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_row_sums_to_exactly_one_and_has_no_zero(size):
    @given(simplex_points(size))
    def check(row):
        assert len(row) == size
        assert sum(row) == 1
        assert all(isinstance(p, Fraction) and 0 < p <= 1 for p in row)

    check()


def test_uniform_and_peaked_rows_occur():
    assert occurs(simplex_points(4), lambda row: len(set(row)) == 1)
    assert occurs(simplex_points(2, most=9), lambda row: max(row) == Fraction(9, 10))
    assert occurs(simplex_points(4), lambda row: len(set(row)) == 4)


@given(gram=grams())
def test_a_gram_meets_cauchy_and_schwarz_exactly(gram):
    fields = (gram.sq_w, gram.sq_l, gram.dot)
    assert all(isinstance(v, Fraction) for v in fields)
    assert gram.sq_w >= 0 <= gram.sq_l
    assert gram.dot**2 <= gram.sq_w * gram.sq_l


@given(pair=score_pairs())
def test_a_gram_is_realised_by_its_vectors(pair):
    a, b = pair
    gram = gram_of(a, b)
    assert (gram.sq_w, gram.sq_l, gram.dot) == (inner(a, a), inner(b, b), inner(a, b))
    assert floats_of(gram).dot == np.dot(a, b)


@pytest.mark.parametrize("edge", GRAM_EDGES.values(), ids=GRAM_EDGES)
def test_every_edge_of_a_gram_is_drawn(edge):
    assert occurs(grams(), edge)


@pytest.mark.parametrize("edge", ["parallel scores", "opposite scores", "orthogonal scores"])
def test_edges_that_chance_would_not_meet_are_drawn(edge):
    def meets(pair):
        return min(abs(x) for v in pair for x in v) > 5 and GRAM_EDGES[edge](gram_of(*pair))

    assert occurs(score_pairs(vectors(6, most=1000)), meets)


def test_an_edge_that_no_vectors_have_is_not_drawn():
    with pytest.raises(NoSuchExample):
        occurs(grams(), lambda g: g.dot**2 > g.sq_w * g.sq_l)


@pytest.mark.parametrize("size", [1, 2, 4])
def test_scores_from_nonzero_vectors_are_not_zero(size):
    @given(score_pairs(nonzero_vectors(size, most=2)))
    def check(pair):
        assert all(len(v) == size and any(v) for v in pair)

    check()


@given(vectors(2, most=3))
def test_vectors_keep_to_their_bound(vector):
    assert len(vector) == 2
    assert all(isinstance(x, int) and abs(x) <= 3 for x in vector)


@given(low=positive, number=signed, between=rationals(-1, 1))
def test_rationals_keep_to_their_bounds(low, number, between):
    assert 0 < low <= 64
    assert -64 <= number <= 64
    assert -1 <= between <= 1
    assert max(x.denominator for x in (low, number, between)) <= 64


SIGNS = [(u, v) for u in (-1, 0, 1) for v in (-1, 0, 1)]


@pytest.mark.parametrize("signs", SIGNS, ids=str)
def test_incentives_of_all_signs_are_drawn(signs):
    assert occurs(incentives(), lambda pair: tuple(np.sign([float(d) for d in pair])) == signs)


def test_equal_and_unequal_incentives_are_drawn():
    assert occurs(incentives(), lambda pair: pair[0] == pair[1])
    assert occurs(incentives(positive), lambda pair: pair[0] > 2 * pair[1])


@given(incentives(positive))
def test_incentives_are_drawn_from_what_was_asked(pair):
    assert min(pair) > 0


@given(model=softmax_models())
def test_a_model_predicts_its_rows_and_has_its_exact_scores(model):
    assert (model.rows.sum(-1) == 1).all()
    assert model.rows.min() > 0
    seen = view(model.policy, model.pair, model.theta)
    np.testing.assert_allclose(np.exp(seen.log_probs), model.rows.astype(float), rtol=1e-14)
    score_w, score_l = model.scores
    np.testing.assert_allclose(seen.score_w, score_w.astype(float), atol=1e-13)
    np.testing.assert_allclose(seen.score_l, score_l.astype(float), atol=1e-13)
    exact, got = floats_of(model.gram), seen.gram
    assert (got.sq_w, got.sq_l, got.dot) == pytest.approx(
        (exact.sq_w, exact.sq_l, exact.dot), rel=1e-12, abs=1e-12
    )


@given(model=softmax_models())
def test_a_model_s_scores_sum_to_zero_over_the_tokens(model):
    for score in model.scores:
        assert not score.sum(-1).any()
    assert model.gram.dot**2 <= model.gram.sq_w * model.gram.sq_l


MODEL_EDGES = {
    "a context that learns nothing": lambda m: not m.features[0].any(),
    "two contexts that share their logits": lambda m: (
        len(m.features) > 1 and (m.features[0] == m.features[1]).all() and m.features[0].any()
    ),
    "equal responses": lambda m: (m.counts_w == m.counts_l).all() and m.counts_w.any(),
    "an empty response": lambda m: not m.counts_l.any(),
    "a chosen one that falls": lambda m: 0 <= m.gram.sq_w < m.gram.dot,
    "disentangled": lambda m: m.gram.dot < 0,
}


@pytest.mark.parametrize("edge", MODEL_EDGES.values(), ids=MODEL_EDGES)
def test_every_edge_of_a_model_is_drawn(edge):
    assert occurs(softmax_models(), edge)


@given(model=softmax_models(contexts=1, vocabulary=2, features=1))
def test_a_model_keeps_to_its_size(model):
    assert model.rows.shape == model.counts_w.shape == model.counts_l.shape == (1, 2)
    assert model.features.shape == (1, 1)


@given(batch=batches())
def test_the_whole_gram_of_a_batch_is_that_of_its_scores(batch):
    n = len(batch.weights)
    scores = [*batch.scores_w, *batch.scores_l]
    assert batch.gram.tolist() == [[inner(u, v) for v in scores] for u in scores]
    assert batch.gram.shape == (2 * n, 2 * n)
    for i in range(n):
        own = batch.pair(i)
        assert (own.sq_w, own.sq_l) == (batch.gram[i, i], batch.gram[n + i, n + i])
        assert own.dot == batch.gram[i, n + i] == batch.gram[n + i, i]


@given(batch=batches())
def test_weights_sum_to_exactly_one(batch):
    assert batch.weights.sum() == 1
    assert batch.weights.min() > 0


@given(batch=batches())
def test_the_whole_gram_says_what_a_step_on_the_batch_does(batch):
    pulls = np.concatenate([batch.weights * batch.d_w, -batch.weights * batch.d_l])
    scores = np.concatenate([batch.scores_w, batch.scores_l])
    assert (batch.gram @ pulls).tolist() == (scores @ batch.direction).tolist()


@given(batch=batches(pairs=1))
def test_a_batch_of_one_is_a_pair(batch):
    change_w, change_l = first_order(batch.d_w[0], batch.d_l[0], batch.pair(0))
    assert inner(batch.scores_w[0], batch.direction) == change_w
    assert inner(batch.scores_l[0], batch.direction) == change_l


def test_batches_of_many_pairs_and_of_pairs_that_help_or_hinder_each_other_are_drawn():
    assert occurs(batches(), lambda b: len(b.weights) == 4)
    assert occurs(batches(), lambda b: len(b.weights) == 2 and b.gram[0, 1] < 0)
    assert occurs(batches(), lambda b: len(b.weights) == 2 and b.gram[0, 1] > 0)
    assert occurs(batches(), lambda b: len(set(b.weights)) > 1)


@given(data_points())
def test_an_example_s_data_are_legal_and_add_exactly(point):
    *logps, len_w, len_l = point
    assert all(-512 <= x < 0 and (64 * x).is_integer() for x in logps)
    assert {len_w, len_l} <= {1, 2, 4, 8, 16}
    w, loser, ref_w, ref_l = logps
    exact = (Fraction(w) - Fraction(ref_w)) - (Fraction(loser) - Fraction(ref_l))
    assert exact == (w - ref_w) - (loser - ref_l)


@given(data=data_batches(5))
def test_a_batch_of_data_is_what_a_kernel_takes(data):
    assert [column.shape for column in data] == [(5,)] * 6
    assert DPO.kernel("d_w")(*data).shape == (5,)


@some
def test_hyperparameters_are_all_set_and_legal(objective):
    @given(hyperparameters(objective))
    @settings(max_examples=10)
    def check(hyper):
        assert set(hyper) == {symbol.name for symbol in objective.defaults}
        assert set(objective.values(hyper).values()) == set(hyper.values())

    check()


def test_only_the_strategies_need_hypothesis():
    users = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if any(
            name.startswith(("hypothesis", "disband.verify.strategies")) for name in imports(path)
        )
    }
    assert users == {"verify/strategies.py"}


@given(st.data())
def test_what_is_documented_works_as_written(data):
    gram = data.draw(strategies.grams())
    d_w, d_l = data.draw(strategies.incentives())
    change_w, change_l = first_order(d_w, d_l, gram)
    assert d_w * change_w - d_l * change_l >= 0  # a step never raises the loss, to first order
