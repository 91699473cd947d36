"""What the property tests draw: exact rationals, so that theorems need no tolerance."""

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from theory.gram import Gram

small = st.integers(-4, 4)


def simplex_points(size=3, most=9):
    """Softmax rows: rational points inside the simplex, as lists of fractions."""
    weights = st.lists(st.integers(1, most), min_size=size, max_size=size)
    return weights.map(lambda w: [Fraction(n, sum(w)) for n in w])


def fractions(low=None, high=None):
    """Rationals of small denominator."""
    return st.fractions(low, high, max_denominator=64)


positive = fractions(Fraction(1, 64), 64)
signed = fractions(-64, 64)


def vectors(size=3):
    """Integer vectors that are not zero."""
    return st.lists(small, min_size=size, max_size=size).filter(any)


def gram_of(a, b):
    """Exact Gram of two integer vectors."""
    pairs = ((a, a), (b, b), (a, b))
    return Gram(*(Fraction(sum(x * y for x, y in zip(*p, strict=True))) for p in pairs))


def floats_of(gram):
    """Turn an exact Gram into one of floats."""
    return Gram(float(gram.sq_w), float(gram.sq_l), float(gram.dot))


score_pairs = st.tuples(vectors(), vectors())
grams = score_pairs.map(lambda pair: gram_of(*pair))


dyadic_logps = st.integers(-(2**15), -1).map(lambda n: n / 64)
lengths = st.sampled_from([1, 2, 4, 8, 16])


def data_points(logps=dyadic_logps):
    """One example's (logp_w, logp_l, ref_w, ref_l, len_w, len_l).

    Dyadic numbers and lengths, so that floating point forms every margin exactly.
    """
    return st.tuples(logps, logps, logps, logps, lengths, lengths)


def hyperparameters(objective):
    """Dyadic values of every hyperparameter, by name."""
    values = st.sampled_from([1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0, 3.0])
    return st.fixed_dictionaries({symbol.name: values for symbol in objective.defaults})


def rows(*shape, seed):
    """Random softmax rows of any shape, for tests where exactness does not matter."""
    logits = 2 * np.random.default_rng(seed).standard_normal(shape)
    weights = np.exp(logits)
    return weights / weights.sum(-1, keepdims=True)
