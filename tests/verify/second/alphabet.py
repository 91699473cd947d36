"""The symbols of the second formalisation, each with its meaning in words."""

from sympy import Add, Eq, Expr, Integer, Piecewise

from disband.theory.symbols import A, B, X, d_l, d_w
from tests.verify.second.statement import MEANING, named

# Gradients of the two log-probabilities with respect to two parameters.
a = [named(f"a{i}", f"entry {i} of the gradient of log π_w") for i in (1, 2)]
b = [named(f"b{i}", f"entry {i} of the gradient of log π_l") for i in (1, 2)]
norm_w = named("norm_w", "‖∇ log π_w‖", positive=True)
norm_l = named("norm_l", "‖∇ log π_l‖", positive=True)

C = named("C", "η β c(θ), the factor of (4) and (5)")
c = named("c", "c(θ) = σ(r̂(x, y_l) - r̂(x, y_w)), a number between 0 and 1")
odds = named("odds", "c(θ) / (1 - c(θ)), the exponential of r̂(x, y_l) - r̂(x, y_w)", positive=True)
change_w = named("change_w", "Δ log π_w, its first-order term")
change_l = named("change_l", "Δ log π_l, its first-order term")
ratio = named("ratio", "d_w / d_l")
shift = named("shift", "a number that both log-probabilities are moved by")
other_sq_w = named("other_sq_w", "another value of ‖∇ log π_w‖²", nonnegative=True)
other_sq_l = named("other_sq_l", "another value of ‖∇ log π_l‖²", nonnegative=True)
other_logp_l = named("other_logp_l", "another value of log π_l", negative=True)

# Constants of Table 2 whose sign the paper leaves open.
lambda_ = named("lambda_", "λ, the weight of a regularizer; its sign is not printed")
alpha_ = named("alpha_", "α of R-DPO; its sign is not printed")
z_ref = named("z_ref", "z_ref of KTO, a constant")
other_lam_w = named("other_lam_w", "another value of λ_w", positive=True)
other_lam_l = named("other_lam_l", "another value of λ_l", positive=True)

MEANING[d_w] = "d_w of (7)"
MEANING[d_l] = "d_l of (8)"

CAUCHY_SCHWARZ = X**2 <= A * B
GRAM_OF_GRADIENTS = (
    Eq(A, a[0] ** 2 + a[1] ** 2),
    Eq(B, b[0] ** 2 + b[1] ** 2),
    Eq(X, a[0] * b[0] + a[1] * b[1]),
)


def inner(left: list[Expr], right: list[Expr]) -> Expr:
    return Add(*(u * v for u, v in zip(left, right, strict=True)))


def one_hot(token: Expr | int, size: int) -> list[Expr]:
    """The unit vector of a token counted from 1, which may be a symbol."""
    return [Piecewise((Integer(1), Eq(token, j)), (Integer(0), True)) for j in range(1, size + 1)]


def minus(left: list[Expr], right: list[Expr]) -> list[Expr]:
    return [u - v for u, v in zip(left, right, strict=True)]


def outer(hidden: list[Expr], row: list[Expr]) -> list[Expr]:
    """The matrix of products as one vector."""
    return [h * r for h in hidden for r in row]
