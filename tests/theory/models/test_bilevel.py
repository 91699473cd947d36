"""The bilevel problem as incentives in a metric: weights, effective incentives, the metric."""

import numpy as np
import pytest

from disband.theory.band import Case, band, case
from disband.theory.gram import Gram
from disband.theory.models.bilevel import effective_incentives, metric
from tests.theory.full_metric import gram_in


def scores(seed, count=60, width=4):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, count, width))
    root = rng.standard_normal((count, width, width))
    return a, b + 0.5 * a, root @ root.swapaxes(1, 2) / width


def test_the_metric_is_the_inverse_square():
    a, _, hessian = scores(0)
    half = np.eye(4) + hessian / 0.7
    np.testing.assert_allclose(
        half @ metric(hessian, 0.7) @ half, np.eye(4) + 0 * hessian, atol=1e-9
    )
    plain = gram_in(metric(hessian, np.inf), a, a)
    np.testing.assert_allclose(plain.dot, (a * a).sum(-1))


def test_a_lower_level_without_strength_is_refused():
    with pytest.raises(ValueError, match="positive strength"):
        metric(np.eye(2), 0.0)


def test_effective_incentives_do_in_the_plain_metric_what_was_done_in_the_other():
    a, b, hessian = scores(2)
    inner, plain = gram_in(metric(hessian, 0.5), a, b), Gram.of_scores(a, b)
    e_w, e_l = effective_incentives(0.3, 0.2, plain, inner)
    np.testing.assert_allclose(
        e_w * plain.sq_w - e_l * plain.dot, 0.3 * inner.sq_w - 0.2 * inner.dot
    )
    np.testing.assert_allclose(
        e_w * plain.dot - e_l * plain.sq_l, 0.3 * inner.dot - 0.2 * inner.sq_l
    )
    np.testing.assert_array_equal(case(e_w, e_l, plain), case(0.3, 0.2, inner))
    both = (e_w > 0) & (e_l > 0) & (inner.dot > 0)
    edges = band(plain)
    inside = (edges.low <= e_w / e_l) & (e_w / e_l <= edges.high)
    np.testing.assert_array_equal(inside[both], (case(0.3, 0.2, inner) == Case.IDEAL)[both])
