"""Layers that a model uses in unusual ways: measured exactly all the same, or refused."""

import warnings

import numpy as np
import pytest
import torch

from disband.lm.scores.grams import SlowScores, batch_gram, pair_gram, token_gram
from tests.lm.scores.materialised import response_scores, token_scores
from tests.lm.tiny_models import pairs, tiny


def with_mlp(compute):
    """A GPT-2 whose first feed-forward layer computes otherwise."""
    model = tiny("gpt2")
    mlp = model.transformer.h[0].mlp
    mlp.forward = lambda hidden: compute(mlp, hidden)
    return model


def flattened(mlp, hidden):
    rows = mlp.c_proj(mlp.act(mlp.c_fc(hidden.flatten(0, 1))))
    return rows.view(hidden.shape)


def by_hand(mlp, hidden):
    return mlp.c_proj(mlp.act(hidden @ mlp.c_fc.weight + mlp.c_fc.bias))


def written_into(mlp, hidden):
    inner = mlp.c_fc(hidden)
    gate = inner.sigmoid()
    inner.mul_(0.5)
    return mlp.c_proj(mlp.act(inner) * gate)


def called_twice(mlp, hidden):
    once = mlp.c_proj(mlp.act(mlp.c_fc(hidden)))
    return mlp.c_proj(mlp.act(mlp.c_fc(once)))


def positions_first(mlp, hidden):
    turned = mlp.c_fc(hidden.transpose(0, 1).contiguous()).transpose(0, 1).contiguous()
    return mlp.c_proj(mlp.act(turned))


def expected(model):
    s = np.concatenate([response_scores(model, batch) for batch in pairs()])
    return s @ s.T


WAYS = {
    "flattened": (flattened, 4),
    "by hand": (by_hand, 2),
    "written into": (written_into, 2),
    "called twice": (called_twice, 0),
    "positions first": (positions_first, 2),
}


@pytest.mark.parametrize(("compute", "slow"), WAYS.values(), ids=WAYS)
def test_however_a_layer_is_used_the_products_are_exact(compute, slow):
    model = with_mlp(compute)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        got = batch_gram(model, *pairs())
    np.testing.assert_allclose(got, expected(model), rtol=1e-9)
    found = [str(w.message) for w in said if w.category is SlowScores]
    assert bool(found) == bool(slow)
    assert all(text.startswith(f"{slow} of") for text in found)


def test_a_layer_whose_input_is_overwritten_is_refused_rather_than_measured_wrong():
    def overwrite(mlp, hidden):
        inner = mlp.c_fc(hidden)
        hidden.detach().add_(1.0)
        return mlp.c_proj(mlp.act(inner))

    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        pair_gram(with_mlp(overwrite), *pairs())


def test_a_layer_that_is_never_used_has_a_score_of_zero():
    model = tiny("gpt2")
    model.unused = torch.nn.Linear(2, 3).double()
    with pytest.warns(SlowScores, match=r"unused\.weight, unused\.bias"):
        got = batch_gram(model, *pairs())
    np.testing.assert_allclose(got, expected(model), rtol=1e-9)


def test_without_a_known_head_everything_is_slow():
    model = tiny("gpt2", tied=False)
    model.get_output_embeddings = lambda: None
    with pytest.warns(SlowScores, match="29 of 29"):
        got = batch_gram(model, *pairs())
    np.testing.assert_allclose(got, expected(model), rtol=1e-9)


class NoBatches(torch.autograd.Function):
    """Doubles, and cannot go back with many slopes at once."""

    @staticmethod
    def forward(_, value):
        return 2 * value

    @staticmethod
    def backward(_, slope):
        return (2 if slope.abs().sum().item() >= 0 else 0) * slope


def test_tokens_where_the_graph_takes_one_slope_at_a_time():
    model = with_mlp(lambda mlp, hidden: mlp.c_proj(NoBatches.apply(mlp.c_fc(hidden))))
    one = [b.row(2) for b in pairs()]
    t = np.concatenate([token_scores(model, batch) for batch in one])
    np.testing.assert_allclose(token_gram(model, *one), t @ t.T, rtol=1e-9, atol=1e-12)


def test_tokens_of_a_model_with_slow_layers():
    model = with_mlp(by_hand)
    one = [b.row(2) for b in pairs()]
    with pytest.warns(SlowScores):
        got = token_gram(model, *one)
    with pytest.warns(SlowScores):
        gram = pair_gram(model, *one)
    n = int(one[0].lengths)
    sums = [got[:n, :n].sum(), got[n:, n:].sum(), got[:n, n:].sum()]
    np.testing.assert_allclose(sums, [gram.sq_w[0], gram.sq_l[0], gram.dot[0]], rtol=1e-9)


def test_a_model_that_accelerate_spreads_is_measured_and_one_that_it_offloads_is_refused(tmp_path):
    """On a processor alone: the pieces are all there, but each call goes through their hooks."""
    accelerate = pytest.importorskip("accelerate")
    chosen, rejected = pairs()
    parts = {name: "cpu" for name, _ in tiny("gpt2").transformer.named_children() if name != "h"}
    places = {f"transformer.{name}": "cpu" for name in (*parts, "h.0", "h.1")} | {"lm_head": "cpu"}
    spread = accelerate.dispatch_model(
        tiny("gpt2"), places, main_device="cpu", force_hooks=True
    )  # fmt: skip
    plain, found = (pair_gram(model, chosen, rejected) for model in (tiny("gpt2"), spread))
    for part in ("sq_w", "sq_l", "dot"):
        np.testing.assert_array_equal(getattr(found, part), getattr(plain, part))
    away = accelerate.dispatch_model(
        tiny("gpt2"), {**places, "transformer.h.1": "disk"}, main_device="cpu",
        offload_dir=tmp_path, force_hooks=True,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"such as transformer\.h\.1\.\S+, are offloaded"):
        pair_gram(away, chosen, rejected)
