r"""Property tests as a product: hypothesis strategies for all that the theory speaks of.

What is drawn is exact, integers and fractions, so that a theorem is tested with no tolerance; a
function of floats takes dyadic numbers, which floating point adds exactly. The edges, such as zero
norms, parallel scores and incentives that push the wrong way, are drawn often.

.. code-block:: python

    from hypothesis import given
    from . import strategies as preferences

    @given(gram=preferences.grams(), incentives=preferences.incentives())
    def test_my_theorem(gram, incentives): ...

Needs ``pip install disband[testing]``; nothing else of this project imports hypothesis.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, inf
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from numpy.typing import NDArray

from disband.sims.pairs.policies import LogLinear, Pair
from disband.theory.gram import Gram
from disband.theory.objective import Objective
from disband.theory.symbols import BELOW

Vector = list[int]
ScorePair = tuple[Vector, Vector]
DataPoint = tuple[float, float, float, float, int, int]
Exact = NDArray[np.object_]  # an array of integers or fractions


def rationals(
    low: Fraction | int | None = None, high: Fraction | int | None = None
) -> SearchStrategy[Fraction]:
    """Fractions of denominator at most 64, from ``low`` to ``high`` inclusive."""
    return st.fractions(low, high, max_denominator=64)


positive = rationals(Fraction(1, 64), 64)
signed = rationals(-64, 64)


def simplex_points(size: int = 3, most: int = 9) -> SearchStrategy[list[Fraction]]:
    r"""Softmax rows: ``size`` positive fractions that sum to one.

    The odds of two entries are :math:`n/m` with :math:`1 \le n, m \le` ``most``.
    """
    weights = st.lists(st.integers(1, most), min_size=size, max_size=size)
    return weights.map(lambda w: [Fraction(n, sum(w)) for n in w])


def vectors(size: int = 3, most: int = 4) -> SearchStrategy[Vector]:
    """Scores: ``size`` integers of absolute value at most ``most``; the zero vector is one."""
    return st.lists(st.integers(-most, most), min_size=size, max_size=size)


def nonzero_vectors(size: int = 3, most: int = 4) -> SearchStrategy[Vector]:
    """Scores as in :func:`vectors`, but for zero."""
    return vectors(size, most).filter(any)


@st.composite
def score_pairs(draw: DrawFn, of: SearchStrategy[Vector] | None = None) -> ScorePair:
    r"""Scores :math:`(a, b)` of one pair, integer vectors of one size.

    Unrelated, parallel, opposite or orthogonal, a quarter each. Both come from ``of``, or are
    multiples or combinations of what does: by default :func:`vectors`, so that either may be
    zero; neither is zero where ``of`` never is.
    """
    of = vectors() if of is None else of
    a, relation = draw(of), draw(st.sampled_from(("any", "parallel", "opposite", "orthogonal")))
    if relation in ("parallel", "opposite"):
        scale = draw(st.integers(1, 5)) * (1 if relation == "parallel" else -1)
        return a, [scale * x for x in a]
    b = draw(of)
    if relation == "orthogonal":
        rest = [inner(a, a) * y - inner(a, b) * x for x, y in zip(a, b, strict=True)]
        assume(any(rest) or not any(a) or not any(b))
        b = [y // (gcd(*rest) or 1) for y in rest] if any(a) else b
    return a, b


def inner(one: Iterable[Any], other: Iterable[Any]) -> Any:
    """Exact inner product of two vectors of integers or fractions."""
    return sum(x * y for x, y in zip(one, other, strict=True))


def gram_of(a: Iterable[Any], b: Iterable[Any]) -> Gram:
    """Return the exact Gram of two vectors of integers or fractions; its fields are fractions."""
    a, b = list(a), list(b)
    return Gram(*(Fraction(inner(*pair)) for pair in ((a, a), (b, b), (a, b))))


def floats_of(gram: Gram) -> Gram:
    """Turn an exact Gram into one of floats."""
    return Gram(float(gram.sq_w), float(gram.sq_l), float(gram.dot))


def grams(of: SearchStrategy[Vector] | None = None) -> SearchStrategy[Gram]:
    r"""Exact Grams of one pair, each realised by integer vectors: those of :func:`score_pairs`.

    So :math:`\langle a,b\rangle^2 \le \|a\|^2\|b\|^2`, with equality, zero norms and
    :math:`\langle a,b\rangle \le 0` among them. Scalar fields, fractions.
    """
    return score_pairs(of).map(lambda pair: gram_of(*pair))


def incentives(of: SearchStrategy[Fraction] | None = None) -> SearchStrategy[tuple[Any, Any]]:
    """Incentives ``(d_w, d_l)`` of one pair: fractions of any sign, or what ``of`` draws.

    Often equal, as every objective that sees only the margin has them.
    """
    of = signed if of is None else of
    return st.tuples(of, of) | of.map(lambda d: (d, d))


@dataclass(frozen=True, eq=False)
class Softmax:
    r"""A log-linear policy with exact softmax rows, and one pair of responses.

    Args:
        features: :math:`\phi`, integers, ``(C, d)``.
        rows: The softmax row of each context at the start, fractions, ``(C, V)``.
        counts_w: How often the chosen response emits each token, integers, ``(C, V)``.
        counts_l: The same of the rejected one.
    """

    features: Exact
    rows: Exact
    counts_w: Exact
    counts_l: Exact

    @property
    def policy(self) -> LogLinear:
        """The policy in floats; the rows are its predictions at ``theta``."""
        return LogLinear(self.features.astype(float), np.log(self.rows.astype(float)))

    @property
    def pair(self) -> Pair:
        """Both responses in floats."""
        return Pair(self.counts_w.astype(float), self.counts_l.astype(float))

    @property
    def theta(self) -> NDArray[np.float64]:
        """The start, zeros ``(d, V)``."""
        return np.zeros((self.features.shape[1], self.rows.shape[1]))

    @property
    def scores(self) -> tuple[Exact, Exact]:
        r"""Exact scores :math:`\phi^\top(N - \mathrm{diag}(N\mathbf 1)s)`, ``(d, V)`` each."""
        score_w, score_l = (
            self.features.T @ (n - n.sum(-1, keepdims=True) * self.rows)
            for n in (self.counts_w, self.counts_l)
        )
        return score_w, score_l

    @property
    def gram(self) -> Gram:
        """Exact Gram of the pair."""
        score_w, score_l = self.scores
        return gram_of(score_w.ravel(), score_l.ravel())


@st.composite
def softmax_models(
    draw: DrawFn, contexts: int = 3, vocabulary: int = 4, features: int = 3
) -> Softmax:
    r"""Softmax policies with a pair: up to so many contexts, tokens (at least two) and features.

    Features are integers up to 2, so that contexts share parameters, own them or have none; each
    token is emitted up to twice in each context, and sometimes both responses are the same.
    """
    rows, tokens = draw(st.integers(1, contexts)), draw(st.integers(2, vocabulary))
    width = draw(st.integers(1, features))

    def matrix(entries: SearchStrategy[Vector] | SearchStrategy[list[Fraction]]) -> Exact:
        return np.array([draw(entries) for _ in range(rows)], dtype=object)

    counts = st.lists(st.integers(0, 2), min_size=tokens, max_size=tokens)
    phi, s, chosen = matrix(vectors(width, 2)), matrix(simplex_points(tokens)), matrix(counts)
    rejected = matrix(counts) if draw(st.integers(0, 7)) else chosen
    return Softmax(phi, s, chosen, rejected)


@dataclass(frozen=True, eq=False)
class Batch:
    r"""A batch of n preference pairs with weights.

    One step moves along :math:`\sum_i \omega_i\,(d_{w,i}\,a_i - d_{l,i}\,b_i)`.

    Args:
        scores_w: :math:`a_i`, integers, ``(n, parameters)``.
        scores_l: :math:`b_i`, the same shape.
        d_w: Incentives on the chosen responses, fractions, ``(n,)``.
        d_l: Incentives on the rejected ones, ``(n,)``.
        weights: :math:`\omega_i`, positive fractions that sum to one, ``(n,)``.
    """

    scores_w: Exact
    scores_l: Exact
    d_w: Exact
    d_l: Exact
    weights: Exact

    @property
    def gram(self) -> Exact:
        """All score products, ``(2n, 2n)``: first the chosen scores, then the rejected ones."""
        scores = np.concatenate([self.scores_w, self.scores_l])
        return np.asarray(scores @ scores.T)

    @property
    def direction(self) -> Exact:
        """The step in units of the learning rate, ``(parameters,)``."""
        pull, push = self.weights * self.d_w, self.weights * self.d_l
        return np.asarray(pull @ self.scores_w - push @ self.scores_l)

    def pair(self, i: int) -> Gram:
        """Exact Gram of pair number ``i`` alone."""
        return gram_of(self.scores_w[i], self.scores_l[i])


@st.composite
def batches(draw: DrawFn, pairs: int = 4, size: int = 3) -> Batch:
    """Batches of up to ``pairs`` pairs with incentives of any sign and weights that sum to one.

    Scores are integer vectors of ``size`` entries, as in :func:`score_pairs`; pairs of one batch
    may share scores, for with few entries many coincide.
    """
    n = draw(st.integers(1, pairs))
    scores = [draw(score_pairs(vectors(size))) for _ in range(n)]
    pushes = [draw(incentives()) for _ in range(n)]
    columns = (*zip(*scores, strict=True), *zip(*pushes, strict=True), draw(simplex_points(n)))
    return Batch(*(np.array(column, dtype=object) for column in columns))


dyadic_logps = st.integers(-(2**15), -1).map(lambda n: n / 64)
lengths = st.sampled_from([1, 2, 4, 8, 16])


def data_points(logps: SearchStrategy[float] = dyadic_logps) -> SearchStrategy[DataPoint]:
    """One example's ``(logp_w, logp_l, ref_w, ref_l, len_w, len_l)``, what a kernel takes.

    Log-probabilities in nats from -512 to -1/64 and lengths in tokens, all dyadic, so that
    floating point forms every margin exactly.
    """
    return st.tuples(logps, logps, logps, logps, lengths, lengths)


def data_batches(size: int = 4) -> SearchStrategy[tuple[NDArray[np.float64], ...]]:
    """Six arrays ``(size,)`` for a kernel: the columns of so many :func:`data_points`."""
    examples = st.lists(data_points(), min_size=size, max_size=size)
    return examples.map(lambda rows: tuple(np.array(rows, float).T))


def hyperparameters(objective: Objective) -> SearchStrategy[dict[str, float]]:
    """Every hyperparameter of ``objective`` by name, dyadic from 1/16 to 1, or 3.

    One with an upper bound stays below it.
    """
    values = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 3.0)
    return st.fixed_dictionaries(
        {
            symbol.name: st.sampled_from([v for v in values if v < BELOW.get(symbol, inf)])
            for symbol in objective.defaults
        }
    )
