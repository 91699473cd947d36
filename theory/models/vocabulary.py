r"""Vectors over a vocabulary of any size: a few named tokens, and all others by a generic one.

With the tokens in classes of sizes :math:`n_c`, an inner product is
:math:`\sum_c \sum_{k=1}^{n_c} u_c[k]\,v_c[k]`. A statement proved with it holds for every
vocabulary size.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, IndexedBase, Integer, Sum, Symbol

k = Symbol("k", integer=True, positive=True)
V = Symbol("V", integer=True, positive=True)


@dataclass(frozen=True)
class TokenVector:
    """A vector over the vocabulary, by classes of tokens.

    Args:
        sizes: How many tokens each class has; a symbol where any number will do.
        entries: The entry of a token of each class; it may depend on the token ``k``.
    """

    sizes: tuple[Expr, ...]
    entries: tuple[Expr, ...]

    def __add__(self, other: "TokenVector") -> "TokenVector":
        return TokenVector(self.sizes, _pairwise(lambda u, v: u + v, self, other))

    def __sub__(self, other: "TokenVector") -> "TokenVector":
        return TokenVector(self.sizes, _pairwise(lambda u, v: u - v, self, other))

    def __matmul__(self, other: "TokenVector") -> Expr:
        products = _pairwise(lambda u, v: u * v, self, other)
        return sum(
            (_class_sum(p, n) for p, n in zip(products, self.sizes, strict=True)), Integer(0)
        )

    def total(self) -> Expr:
        """Sum of all entries."""
        return self @ TokenVector(self.sizes, (Integer(1),) * len(self.sizes))


def one_hot(sizes: tuple[Expr, ...], position: int) -> TokenVector:
    """Return the indicator of the single token that is class number ``position``."""
    entries = tuple(Integer(int(i == position)) for i in range(len(sizes)))
    return TokenVector(sizes, entries)


def softmax_row(name: str, named: int) -> TokenVector:
    """Return a softmax row with ``named`` single tokens ``name_1, …`` and any number of others."""
    singles = tuple(Symbol(f"{name}_{i + 1}", nonnegative=True) for i in range(named))
    return TokenVector(
        (Integer(1),) * named + (V - named,), (*singles, IndexedBase(name, nonnegative=True)[k])
    )


def _class_sum(entry: Expr, size: Expr) -> Expr:
    return Sum(entry, (k, 1, size)) if entry.has(k) else size * entry


def _pairwise(
    operation: Callable[[Expr, Expr], Expr], left: TokenVector, right: TokenVector
) -> tuple[Expr, ...]:
    if left.sizes != right.sizes:
        raise ValueError(
            f"two token vectors share their classes: got sizes {left.sizes} and {right.sizes}; "
            "build both over the same classes"
        )
    return tuple(operation(u, v) for u, v in zip(left.entries, right.entries, strict=True))
