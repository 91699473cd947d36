"""Pairs of every size, the exact values there, and how far a kernel may be from them."""

from dataclasses import replace

import mpmath
import numpy as np
import torch

from disband.theory.symbols import DATA
from tests.exact import DIGITS, LARGEST, SMALLEST, exactly

HALF_ULP = 2.0**-53
# Any value has this relative error, or is exact at arguments that are off by so many half ulps.
RELATIVE, SLACK = 1e-12, 8
# A difference of two bells, σ(u)σ(-u) - σ(v)σ(-v), which nobody computes from their logarithms:
# where they are equal, at zero rewards, it has the digits of the larger one.
CANCELS = {("APO-down", "d_w"): 0.025}


def pairs(n, seed=0):
    """Pairs from log-probabilities of -1e-6 to -1e4 and lengths of 1 to 4096, ``(n,)`` each.

    A third are as they come, a third stay within a few nats of the reference, and a third have
    log-ratios of up to 700 nats either way.
    """
    rng = np.random.default_rng(seed)
    logps = -(10 ** rng.uniform(-6, 4, (4, n)))
    near, far = rng.normal(size=(2, n)), rng.uniform(-700, 700, (2, n))
    third = np.arange(n) % 3
    apart = np.where(third == 1, near, far)
    moved = np.minimum(logps[:2] + apart, -1e-6)
    logps[2:] = np.where(third == 0, logps[2:], moved)
    lengths = np.floor(np.exp(rng.uniform(0, np.log(4097), (2, n))))
    return [*logps, *lengths]


def extremes():
    """Pairs at the ends of what can come: every log-ratio of 700 nats, and nearly certain ones."""
    ends = [(-1e-6, -701.0), (-701.0, -1e-6), (-1e4, -9300.0), (-9300.0, -1e4), (-1e-6, -1e-6)]
    lengths = [(1, 4096), (4096, 1), (7, 7)]
    rows = [(w, b, rw, rb, n, m) for w, rw in ends for b, rb in ends for n, m in lengths]
    return [np.array(column, float) for column in zip(*rows, strict=True)]


def close_pairs(n, seed=0):
    """Pairs where nothing is extreme: a few nats apart, lengths of 1 to 20."""
    rng = np.random.default_rng(seed)
    return [*(-3 * rng.random((4, n))), *rng.integers(1, 20, (2, n)).astype(float)]


def tensors(data, kind=torch.float64):
    return [torch.tensor(column, dtype=kind) for column in data]


def expected(objective, what, data, hyper=None):
    """The exact values at every pair of ``data``."""
    values = objective.values(hyper or {})
    found = [
        exactly(getattr(objective, what), dict(zip(DATA, map(float, point), strict=True)) | values)
        for point in zip(*data, strict=True)
    ]
    return [replace(e, terms=CANCELS.get((objective.name, what), 0)) for e in found]


def allowed(exact, relative=RELATIVE, half_ulp=HALF_ULP):
    """The error that a value may have: ``relative``, or what its arguments' rounding does."""
    return max(relative * abs(exact.value), SLACK * half_ulp * (exact.reach + exact.terms))


def check(got, exact, relative=RELATIVE, half_ulp=HALF_ULP, smallest=SMALLEST):
    """Refuse a value that is not the exact one, as near as doubles can come to it."""
    got = float(got)
    if exact.edge < SLACK * half_ulp:
        return  # on which side of a jump the value is, no rounded argument tells
    if abs(exact.value) > LARGEST or (exact.overflows and not np.isfinite(got)):
        assert not np.isfinite(got)
    else:
        with mpmath.workdps(DIGITS):
            underflow = 2 * smallest if abs(exact.value) < smallest else 0
            assert abs(got - exact.value) <= allowed(exact, relative, half_ulp) + underflow
