r"""The refuted claims of yuan2025 in real models: autograd and gradient steps at the exact points.

Every number comes from ``decide(claim).counterexample``, or from an exact point that also meets
what a test adds; nothing is copied by hand. All models are log-linear, so :math:`\log\pi` is
concave in the parameters: what does not rise to first order falls under a step of any size.
"""

import pytest
import torch
from sympy import Eq, Gt, Integer, Ne

from disband.theory.gram import Gram
from disband.theory.models.toys import EditOne, edit_one_exact
from disband.theory.models.vocabulary import V
from disband.theory.objectives import IPO, SPPO
from disband.theory.symbols import A, B, X, d_l, d_w
from disband.verify.claims.yuan2025 import general, last_layer, learnable_logits
from disband.verify.claims.yuan2025.entanglement import C
from disband.verify.claims.yuan2025.last_layer import SENTENCE, SINGLE, H, M
from disband.verify.deciding.decide import find
from tests.verify.deciding.models import (
    CLAIMS,
    SIZES,
    SMALL,
    UNIT,
    Model,
    decided,
    found,
    measure,
    one_hot,
    row,
    same,
    sides,
    tensor,
    value,
)

# Section 4.1, Corollary 2: a linear head; one shared token, then the one that differs.


def sentence(point):
    """Hidden states of the given products, θ with prediction q, then uniform, as the claim says."""
    sq_1, sq_last, dot = (float(point[x]) for x in (last_layer.H1, H, last_layer.kappa))
    h_1 = tensor([sq_1**0.5, 0.0])
    h_last = tensor([dot / sq_1**0.5, (sq_last - dot**2 / sq_1) ** 0.5])
    hidden = torch.stack([h_1, h_last])
    q, shared = row(last_layer.q, point), row(last_layer.e, point)
    theta = torch.linalg.solve(hidden, torch.stack([q.log(), torch.zeros_like(q)]))
    ends = (torch.stack([shared, one_hot(token, len(q))]) for token in (0, 1))
    return Model(hidden, torch.zeros(2, len(q)).double(), theta, torch.stack(list(ends)))


COROLLARY = ("equal-norms", "inner", "directions")


@pytest.mark.parametrize("part", COROLLARY)
def test_the_linear_head_predicts_what_the_counterexample_of_corollary_2_says(part):
    point = decided(f"yuan2025.corollary2.{part}")
    model = sentence(point)
    first, last = torch.softmax(model.features @ model.theta, -1)
    torch.testing.assert_close(first, row(last_layer.q, point))
    torch.testing.assert_close(last, torch.full_like(last, 1 / len(last)))


@pytest.mark.parametrize("part", COROLLARY)
def test_scores_and_changes_of_corollary_2_are_the_claim_s_formulas(part):
    point = decided(f"yuan2025.corollary2.{part}")
    seen = measure(sentence(point))
    assert same(seen.gram, point, SENTENCE)
    formulas = (last_layer.sentence_w, last_layer.sentence_l)
    slopes = [UNIT * value(f, {**point, C: Integer(1)}) for f in formulas]
    assert seen.rate == pytest.approx(slopes, rel=1e-12, abs=1e-15)
    assert seen.change == pytest.approx([SMALL * x for x in slopes], abs=1e-9)


def test_the_two_norms_of_corollary_2_differ():
    gram = measure(sentence(decided("yuan2025.corollary2.equal-norms"))).gram
    assert abs(gram.sq_w - gram.sq_l) > 0.1


@pytest.mark.parametrize("lr", SIZES)
def test_the_inner_product_of_corollary_2_exceeds_the_norm_so_the_chosen_falls(lr):
    seen = measure(sentence(decided("yuan2025.corollary2.inner")), lr)
    assert seen.gram.dot > seen.gram.sq_w + 0.1
    assert seen.change[0] < 0


@pytest.mark.parametrize("lr", SIZES)
def test_the_chosen_of_corollary_2_falls_strictly_at_its_counterexample(lr):
    point = decided("yuan2025.corollary2.directions")
    seen = measure(sentence(point), lr)
    assert same(seen.gram, point, SENTENCE)
    assert seen.rate[0] < -1e-4
    assert seen.change[0] < 0


def test_the_rejected_of_corollary_2_may_rise():
    point = found("yuan2025.corollary2.directions", Gt(last_layer.sentence_l, 0))
    seen = measure(sentence(point))
    assert same(seen.gram, point, SENTENCE)
    assert seen.rate[1] > 1e-4
    assert seen.change[1] > 0


def test_corollary_2_is_right_elsewhere():
    claim = CLAIMS["yuan2025.corollary2.directions"]
    seen = measure(sentence(find([*claim.given, claim.holds])))
    assert seen.change[0] > 0 > seen.change[1]


# Section 4.1, Theorem 1: one token each; the concentrated prediction is a limit.


def concentrated(point, gap):
    """Logits ``gap`` on the M tokens of the support and 0 on the others; ‖h‖² as given."""
    size, both = int(point[V]), [int(point[last_layer.i_w]), int(point[last_layer.i_l])]
    others = int(point[M]) - sum(both)
    support = tensor(both + [1] * others + [0] * (size - 2 - others))
    hidden = tensor([[float(point[H]) ** 0.5]])
    counts = torch.stack([one_hot(token, size)[None] for token in (0, 1)])
    offsets = (gap * support)[None]
    return Model(hidden, offsets, torch.zeros(1, size).double(), counts)


SUPPORT = "yuan2025.theorem1.support"
EDGES = [
    pytest.param(None, id="as decided"),
    pytest.param(Eq(last_layer.i_w, 0, evaluate=False), id="chosen outside"),
    pytest.param(Eq(last_layer.i_l, 0, evaluate=False), id="rejected outside"),
]


@pytest.mark.parametrize("more", EDGES)
def test_theorem_1_off_its_support_is_the_limit_of_finite_logits(more):
    point = decided(SUPPORT) if more is None else found(SUPPORT, more)
    said = (SINGLE.sq_w, SINGLE.sq_l, SINGLE.dot)
    limit = tensor([value(f, point) for f in said])
    m, h = float(point[M]), float(point[H])
    printed = tensor([(m - 1) / m * h, (m - 1) / m * h, -h / m])
    assert (printed - limit).abs().max() > 0.2 * h > 0
    off = []
    for gap in (6.0, 12.0, 24.0):
        gram = measure(concentrated(point, gap)).gram
        off.append(max(abs(torch.stack([gram.sq_w, gram.sq_l, gram.dot]) - limit).tolist()))
    assert off[0] > 50 * off[1] > 2500 * off[2]
    assert off[-1] < 1e-9 * h


def test_the_directions_of_theorem_1_hold_off_its_support_too():
    point = decided(SUPPORT)
    seen = measure(concentrated(point, 40.0))
    slopes = [value(f, {**point, C: Integer(1)}) for f in (last_layer.chosen, last_layer.rejected)]
    assert seen.rate == pytest.approx([UNIT * x for x in slopes], abs=1e-15)
    assert slopes[0] > 0 > slopes[1]


# Section 4.2: learnable logits.


def differing(point):
    """One position with the given row and a learnable logit for each token."""
    s = row(learnable_logits.s, point)
    counts = torch.stack([one_hot(token, len(s))[None] for token in (0, 1)])
    return Model(torch.eye(1).double(), torch.zeros(1, len(s)).double(), s.log()[None], counts)


def test_the_differing_position_follows_the_repaired_equation_13():
    point = decided("yuan2025.eq13")
    truth, printed = sides("yuan2025.eq13", point)
    seen = measure(differing(point))
    assert seen.rate[0] == pytest.approx(UNIT * truth, rel=1e-12)
    assert seen.change[0] / (SMALL * UNIT) == pytest.approx(truth, abs=1e-4)
    assert abs(truth - printed) > 0.1
    assert sides("yuan2025.eq13.repaired", point) == (truth, truth)


@pytest.mark.parametrize("lr", SIZES)
def test_the_differing_position_raises_the_chosen_at_every_step(lr):
    seen = measure(differing(decided("yuan2025.eq13")), lr)
    assert seen.change[0] > 0 > seen.change[1]


def edit_one(point, *, shared):
    """The differing position, if the point says its row, and one suffix position of rows p and q.

    With ``shared`` logits the rows are fixed offsets of one learnable row, else learnt apart.
    """
    p, q = row(learnable_logits.p, point), row(learnable_logits.q, point)
    at = row(learnable_logits.s, point) if learnable_logits.s_j in point else torch.full_like(p, 1)
    rows = torch.stack([at / at.sum(), p, q]).log()
    first, second, none = one_hot(0, len(p)), one_hot(1, len(p)), torch.zeros_like(p)
    counts = torch.stack([torch.stack([first, first, none]), torch.stack([second, none, first])])
    if shared:
        features = tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
        return Model(features, rows, torch.zeros(2, len(p)).double(), counts)
    return Model(torch.eye(3).double(), torch.zeros_like(rows), rows, counts)


APART = Gt(learnable_logits.p_j, learnable_logits.q_j)


@pytest.mark.parametrize("more", [None, (APART,)], ids=["as decided", "rows that differ"])
def test_the_suffix_rises_with_logits_of_its_own_and_follows_equation_14_with_shared_ones(more):
    name = "yuan2025.eq14"
    point = decided(name) if more is None else found(name, *more)
    own, printed = sides(name, point)
    assert sides(f"{name}.repaired", point) == (printed, printed)
    assert printed <= 0 < own
    for truth, is_shared in ((own, False), (printed, True)):
        seen = measure(edit_one(point, shared=is_shared))
        rate, change = (x[0, 1].item() for x in (seen.rates, seen.changes))
        assert rate == pytest.approx(UNIT * truth, rel=1e-12, abs=1e-15)
        assert change / (SMALL * UNIT) == pytest.approx(truth, abs=1e-4)
        assert (change > 0) is not is_shared
        assert change < 0 or not is_shared or truth == 0


def test_one_suffix_token_does_not_make_the_chosen_fall():
    claim = CLAIMS["yuan2025.theorem3.suffix-length"]
    point = find([*claim.given, APART])
    slope = value(learnable_logits.differing_w + learnable_logits.shared_change, point)
    seen = measure(edit_one(point, shared=True), lr=1.0)
    assert slope > 0
    assert seen.rate[0] == pytest.approx(UNIT * slope, rel=1e-12)
    assert seen.change[0] > 0
    assert seen.changes[0, 0] > 0 > seen.changes[0, 1]  # but too little of it
    p, q, at = (row(getattr(learnable_logits, x), point).numpy() for x in "pqs")
    closed = edit_one_exact(UNIT, EditOne(at[0], at[1], p[None], q[None], [0]))
    assert seen.change[0] == pytest.approx(closed, rel=1e-12)


# Section 3.2, Condition 2: an objective past its target pushes the rejected response up.


def responses(point):
    """Two responses of two tokens, whose second tokens have scores of the given Gram.

    The first tokens differ and learn nothing; then all tokens are equally likely in both contexts,
    so that a score is its feature times one minus the prediction, of squared norm 1 - 1/V.
    """
    size = 4
    sq_w, sq_l, dot = (float(point[x]) / (1 - 1 / size) for x in (A, B, X))
    feature_w = tensor([sq_w**0.5, 0.0])
    along = dot / sq_w**0.5 if sq_w else 0.0
    feature_l = tensor([along, max(sq_l - along**2, 0.0) ** 0.5])
    zeros, token = torch.zeros(size).double(), one_hot(0, size)
    chosen = torch.stack([token, token, zeros])
    rejected = torch.stack([one_hot(1, size), zeros, token])
    return Model(
        torch.stack([torch.zeros(2).double(), feature_w, feature_l]),
        torch.zeros(3, size).double(),
        torch.zeros(2, size).double(),
        torch.stack([chosen, rejected]),
    )


def sppo_rewards(point, target):
    """Rewards at which SPPO has the incentives of the point."""
    return target - float(point[d_w]) / 2, float(point[d_l]) / 2 - target


def ipo_rewards(point, target):
    """Rewards at which IPO has the incentives of the point, which are equal."""
    return target - float(point[d_w]) / 2, 0.0


PAST = [
    pytest.param(SPPO, sppo_rewards, None, id="SPPO, as decided"),
    pytest.param(SPPO, sppo_rewards, (d_w > 0, X > 0, X**2 < A * B), id="SPPO, entangled"),
    pytest.param(SPPO, sppo_rewards, (d_w < 0, X < 0, X**2 < A * B), id="SPPO, both past"),
    pytest.param(
        IPO, ipo_rewards, (Eq(d_w, d_l, evaluate=False), X > 0, X**2 < A * B), id="IPO, past"
    ),
]


@pytest.mark.parametrize(("objective", "rewards", "more"), PAST)
def test_condition_9_says_the_opposite_of_a_step_past_the_target(objective, rewards, more):
    name = "yuan2025.eq9"
    point = decided(name) if more is None else found(name, *more, d_l < 0, Ne(general.chosen, 0))
    model = responses(point)
    logps = model.tokens(model.theta).sum(-1).tolist()
    refs = [x - reward for x, reward in zip(logps, rewards(point, target=0.5), strict=True)]
    assert max(*logps, *refs) < 0
    data = (*map(tensor, (*logps, *refs)), tensor(2.0), tensor(2.0))
    got = [objective.kernel(d, "torch", beta=1.0)(*data).item() for d in ("d_w", "d_l")]
    assert got == pytest.approx([float(point[d_w]), float(point[d_l])])
    assert got[1] < 0

    seen = measure(model, SMALL, objective, refs, beta=1.0)
    assert same(seen.gram, point, Gram(A, B, X))
    says_preserved = bool(seen.gram.dot <= got[0] / got[1] * seen.gram.sq_w)
    assert abs(seen.rate[0]) > 0.1
    assert (seen.change[0] > 0) == (seen.rate[0] > 0)
    assert (seen.change[0] >= 0) is not says_preserved
