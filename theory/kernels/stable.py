r"""The functions that kernels are made of, in numpy and in torch, accurate far into the tails.

What each means, and its derivative, stands in :mod:`disband.theory.kernels.primitives`; here is
nothing of sympy, so that a kernel that is already compiled starts at once. The functions of numpy
are elementwise, take arrays or numbers and give arrays of float64.
"""

import operator
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

Backend = Literal["numpy", "torch"]

# log 2 in two parts, for twice the digits.
LOG_2, LOG_2_REST = 0.6931471805599453, 2.3190468138462996e-17
# Where linlog leaves the logarithm.
TANGENT = 1e-6
# How far from even odds their logarithm is taken by its own formula.
EVEN = 0.3
# The log-odds below which a difference of logarithms has lost three digits: numpy, which can pick
# its elements, does without that formula above.
_LOST = 0.001


def sigmoid(x: Any, out: Any = None) -> Any:
    r"""Return :math:`\sigma(x) = 1/(1 + e^{-x})`; zero where it is smaller than a normal double.

    Every step keeps its relative accuracy, and so does the whole; where :math:`e^{-x}` overflows,
    its reciprocal is zero.
    """
    e = np.negative(x, out=_room(x, out))
    with np.errstate(over="ignore"):
        np.exp(e, out=e)
    return np.divide(1.0, np.add(e, 1.0, out=e), out=e)


def logsigmoid(x: Any, out: Any = None) -> Any:
    r"""Return :math:`\log\sigma(x) = -\log(1 + e^{-x})`, and x itself where that overflows."""
    value = np.negative(x, out=_room(x, out))
    with np.errstate(over="ignore"):
        np.exp(value, out=value)
    np.negative(np.log1p(value, out=value), out=value)
    if (far := np.less(x, -700.0)).any():
        np.copyto(value, x, where=far)
    return value


def relu(x: Any, out: Any = None) -> Any:
    r"""Return :math:`\max(0, x)`."""
    return np.maximum(x, 0.0, out=_room(x, out))


def step(x: Any, out: Any = None) -> Any:
    """Return 1.0 where ``x > 0``, else 0.0."""
    return np.greater(x, 0.0, out=_room(x, out))


def expm1(x: Any, out: Any = None) -> Any:
    """Return :math:`e^x - 1`."""
    return np.expm1(x, out=_room(x, out))


def logodds(x: Any, out: Any = None) -> Any:
    r"""Return :math:`\log\frac{e^x}{1-e^x}`, near even odds :math:`\log(1+\frac{2e^x-1}{1-e^x})`.

    There twice the digits of :math:`\log 2` make :math:`2e^x - 1` accurate.
    """
    value = np.expm1(x, out=_room(x, out))
    np.log(np.negative(value, out=value), out=value)
    np.subtract(x, value, out=value)
    even = np.flatnonzero((value > -_LOST) & (value < _LOST))
    if even.size:
        near = np.ravel(x)[even]
        value.flat[even] = np.log1p(np.expm1((near + LOG_2) + LOG_2_REST) / -np.expm1(near))
    return value


def linlog(x: Any, out: Any = None) -> Any:
    r"""Return :math:`\log x`, below a millionth its tangent; a branch sees only its arguments."""
    value = np.maximum(x, TANGENT, out=_room(x, out))
    np.log(value, out=value)
    if (low := np.less(x, TANGENT)).any():
        value[low] += (np.asarray(x, float)[low] - TANGENT) / TANGENT
    return value


def stop(x: Any, out: Any = None) -> Any:
    """Return x, whose derivative counts as 0."""
    return np.positive(x, out=_room(x, out))


def _room(x: Any, out: Any) -> Any:
    """Return ``out``, or a new array for the result where nobody gave one."""
    return np.empty(np.shape(x)) if out is None else out


@cache
def functions(backend: Backend) -> Mapping[str, Callable[..., Any]]:
    """Return every function that a step of a program may name.

    Those of numpy can write their result into an array, ``out=``, that is none of their arguments.

    Raises:
        ValueError: ``backend`` is neither of the two.
    """
    if backend not in {"numpy", "torch"}:
        raise ValueError(f"a backend is numpy or torch: got {backend!r}; choose one of them")
    return MappingProxyType(_of_numpy() if backend == "numpy" else _of_torch())


def _of_numpy() -> dict[str, Callable[..., Any]]:
    own = (sigmoid, logsigmoid, relu, step, expm1, logodds, linlog, stop)
    return {
        "add": np.add,
        "subtract": np.subtract,
        "multiply": np.multiply,
        "divide": np.divide,
        "negative": np.negative,
        "power": np.power,
        "exp": np.exp,
        "log": np.log,
        "sqrt": np.sqrt,
        **{f.__name__: f for f in own},
    }


def _of_torch() -> dict[str, Callable[..., Any]]:
    import torch

    # torch.sigmoid is differentiated as s(1 - s), which has no digits where s is nearly one, and
    # torch.expm1 as its value plus one. In these every branch sees only arguments at which it
    # and its derivative are finite.

    def torch_sigmoid(x: Any) -> Any:
        small = torch.exp(torch.where(x >= 0, -x, x))
        return torch.where(x >= 0, 1.0, small) / (1.0 + small)

    def torch_expm1(x: Any) -> Any:
        low = x < -1.0
        far = torch.exp(torch.where(low, x, -1.0)) - 1.0
        return torch.where(low, far, torch.expm1(torch.where(low, 0.0, x)))

    def torch_logodds(x: Any) -> Any:
        near = x.clamp(-LOG_2 - EVEN, -LOG_2 + EVEN)
        even = torch.log1p(torch.expm1((near + LOG_2) + LOG_2_REST) / -torch.expm1(near))
        return torch.where(x == near, even, x - torch.log(-torch.expm1(x)))

    def torch_linlog(x: Any) -> Any:
        # clamp's own derivative at the seam is one on both sides, so the two would add up there
        above = torch.log(torch.where(x > TANGENT, x, TANGENT))
        return above + torch.where(x > TANGENT, 0.0, (x - TANGENT) / TANGENT)

    return {
        "add": operator.add,
        "subtract": operator.sub,
        "multiply": operator.mul,
        "divide": operator.truediv,
        "negative": operator.neg,
        "power": operator.pow,
        "exp": torch.exp,
        "log": torch.log,
        "sqrt": torch.sqrt,
        "sigmoid": torch_sigmoid,
        "logsigmoid": torch.nn.functional.logsigmoid,
        "relu": torch.relu,
        "step": lambda x: (x > 0).to(x.dtype),
        "expm1": torch_expm1,
        "logodds": torch_logodds,
        "linlog": torch_linlog,
        "stop": lambda x: x.detach(),
    }
