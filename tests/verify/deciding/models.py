"""Real models in torch for the exact points of the ledger: autograd, and a step of descent."""

from functools import cache
from typing import NamedTuple

import pytest
import torch
from sympy import Not

from disband.theory.gram import Gram
from disband.theory.models.vocabulary import V, k
from disband.theory.objectives import DPO
from disband.theory.symbols import beta
from disband.verify.claims import LEDGER
from disband.verify.deciding.decide import check, decide, find
from disband.verify.deciding.search import value_at

CLAIMS = {claim.id: claim for claim in LEDGER}
UNIT = DPO.defaults[beta] / 2  # βσ(0): the incentives of DPO at its reference
SMALL = 1e-4
SIZES = (1e-3, 1.0, 30.0, 1e3)


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


class Model(NamedTuple):
    """A log-linear policy with a pair: C contexts, V tokens, d features."""

    features: torch.Tensor  # (C, d)
    offsets: torch.Tensor  # (C, V)
    theta: torch.Tensor  # (d, V)
    counts: torch.Tensor  # (2, C, V): chosen, rejected

    def tokens(self, theta):
        """What each context adds to both log-probabilities, ``(2, C)``."""
        logits = self.features @ theta + self.offsets
        return (self.counts * torch.log_softmax(logits, -1)).sum(-1)


class Measured(NamedTuple):
    gram: Gram
    rates: torch.Tensor  # first-order change per unit of the learning rate, (2, C)
    changes: torch.Tensor  # what one step did, (2, C)

    @property
    def rate(self):
        return self.rates.sum(-1).tolist()

    @property
    def change(self):
        return self.changes.sum(-1).tolist()


def measure(model, lr=SMALL, objective=DPO, refs=None, **hyper):
    """Take one step of gradient descent on the loss; the reference is the start by default."""
    theta = model.theta.clone().requires_grad_()
    tokens = model.tokens(theta)
    refs = tokens.detach().sum(-1) if refs is None else tensor(refs)
    loss = objective.kernel("loss", "torch", **hyper)(
        *tokens.sum(-1), *refs, *model.counts.sum((1, 2))
    )
    (gradient,) = torch.autograd.grad(loss, theta)
    slopes = torch.autograd.functional.jacobian(model.tokens, model.theta)
    scores = slopes.sum(1).flatten(1)
    return Measured(
        Gram.of_scores(*scores),
        -(slopes * gradient).sum((-1, -2)),
        (model.tokens(model.theta - lr * gradient) - tokens).detach(),
    )


@cache
def decided(name):
    """Return the counterexample that the checker finds."""
    return decide(CLAIMS[name]).counterexample


def found(name, *more):
    """Return an exact point that refutes the claim and where ``more`` holds too."""
    claim = CLAIMS[name]
    point = find([*claim.given, Not(claim.holds), *more])
    assert point is not None
    assert check(claim, point)
    return point


def value(expr, point):
    """Return the value of a claim's formula at an exact point, as a float."""
    size = {V: point[V]} if V in point else {}
    return float(value_at(expr.subs(size).doit(), point))


def sides(name, point):
    """Return what both sides of a claim come to at an exact point."""
    holds = CLAIMS[name].holds
    return value(holds.lhs, point), value(holds.rhs, point)


def row(vector, point):
    """Return the entries of a claim's row at an exact point, as floats."""
    *singles, rest = vector.entries
    entries = [*singles, *(rest.subs(k, i) for i in range(1, point[V] - len(singles) + 1))]
    return tensor([float(value_at(entry, point)) for entry in entries])


def one_hot(token, size):
    return torch.nn.functional.one_hot(torch.tensor(token), size).double()


def same(gram, point, formulas):
    """Whether autograd's Gram is that of the claim's formulas."""
    got = [float(v) for v in (gram.sq_w, gram.sq_l, gram.dot)]
    said = [value(f, point) for f in (formulas.sq_w, formulas.sq_l, formulas.dot)]
    return got == pytest.approx(said, rel=1e-12, abs=1e-12)
