"""Turn a symbolic expression into a numpy or torch function."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

import numpy as np
from sympy import Expr, Function, Symbol, lambdify

from theory.primitives import PRIMITIVES

Kernel = Callable[..., Any]
Backend = Literal["numpy", "torch"]


@cache
def _functions(backend: Backend) -> dict[str, Kernel]:
    if backend == "numpy":
        own = {p.__name__: p.numpy for p in PRIMITIVES}
        return {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, **own}
    import torch

    return {
        "exp": torch.exp,
        "log": torch.log,
        "sqrt": torch.sqrt,
        "sigmoid": torch.sigmoid,
        "logsigmoid": torch.nn.functional.logsigmoid,
        "relu": torch.relu,
        "step": lambda x: (x > 0).to(x.dtype),
    }


def compile_kernel(expr: Expr, args: Sequence[Symbol], backend: Backend = "numpy") -> Kernel:
    """Compile ``expr`` to a function of ``args`` that broadcasts over arrays or tensors.

    Raises:
        ValueError: ``expr`` has a free symbol outside ``args`` or a function without a kernel.
    """
    table = _functions(backend)
    if free := expr.free_symbols - set(args):
        names = ", ".join(sorted(map(str, free)))
        raise ValueError(f"every symbol needs a value: no value for {names}; pass it by name")
    if unknown := {f.func.__name__ for f in expr.atoms(Function)} - set(table):
        raise ValueError(
            f"every function needs a {backend} kernel: none for {', '.join(sorted(unknown))}; "
            "declare it in theory/primitives.py"
        )
    compiled = lambdify(list(args), expr, modules=[table], cse=True)
    full = _full_shape(backend)

    def kernel(*values: Any) -> Any:
        return full(compiled(*values), values)

    return kernel


@cache
def _full_shape(backend: Backend) -> Kernel:
    """Give a result the shape of all arguments: a formula need not mention each of them."""
    if backend == "numpy":
        return lambda result, values: np.broadcast_arrays(np.asarray(result, float), *values)[0]
    import torch

    return lambda result, values: torch.broadcast_tensors(  # type: ignore[no-untyped-call]
        torch.as_tensor(result, dtype=values[0].dtype, device=values[0].device), *values
    )[0]
