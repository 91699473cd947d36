"""Measuring scores in parts that fit memory."""

import numpy as np
import pytest
import torch

from disband.lm.scores.grams import (
    SmallerParts,
    batch_gram,
    directional,
    pair_gram,
    token_gram,
)
from tests.lm.tiny_models import one, pairs, rows, tiny


@pytest.mark.parametrize("memory", [1, 300_000, 1 << 40])
def test_a_memory_budget_changes_no_number(memory):
    model = tiny("gpt2")
    done = []
    how = {"memory": memory, "progress": done.append}
    expected = pair_gram(model, *pairs())
    got = pair_gram(model, *pairs(), **how)
    np.testing.assert_allclose(got.dot, expected.dot, rtol=1e-12)
    assert done[-1] == 1
    assert done == sorted(done)
    assert memory > 1 or len(done) == 3
    full = batch_gram(model, *pairs())
    scale = np.sqrt(np.outer(np.diagonal(full), np.diagonal(full)))
    assert np.max(np.abs(batch_gram(model, *pairs(), **how) - full) / scale) < 1e-13
    last = one(pairs()[0], 2), one(pairs()[1], 2)
    np.testing.assert_allclose(token_gram(model, *last, **how), token_gram(model, *last), 1e-10)
    update = {n: torch.ones_like(p) for n, p in model.named_parameters()}
    expected = directional(model, *pairs(), update)
    np.testing.assert_allclose(directional(model, *pairs(), update, **how), expected, 1e-10)


class Small:
    """A forward pass that fails on more than so many rows, as if memory ran out."""

    def __init__(self, model, rows, error):
        self.inner, self.rows, self.error = model.transformer.forward, rows, error

    def __call__(self, input_ids, *args, **kwargs):
        if len(input_ids) > self.rows:
            raise self.error
        return self.inner(input_ids, *args, **kwargs)


OUT_OF_MEMORY = {
    "gpu": torch.OutOfMemoryError("CUDA out of memory"),
    "cpu": RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    "python": MemoryError(),
}


@pytest.mark.parametrize("error", OUT_OF_MEMORY.values(), ids=OUT_OF_MEMORY)
@pytest.mark.parametrize("measure", [pair_gram, batch_gram])
def test_where_memory_runs_out_the_batch_is_halved_and_it_is_said(measure, error, monkeypatch):
    model = tiny("gpt2")
    # Like prompts of four pairs, so that halving them goes from 4 to 2 to 1.
    batch = [rows([[5, 6, 7]] * 4, [[first, second]] * 4) for first, second in ((8, 9), (9, 8))]
    expected = measure(model, *batch)
    monkeypatch.setattr(model.transformer, "forward", Small(model, 4, error))
    with pytest.warns(SmallerParts, match="going on with 2 at once"):
        got = measure(model, *batch)
    for name in ("sq_w", "dot") if measure is pair_gram else ("T",):
        np.testing.assert_allclose(getattr(got, name), getattr(expected, name), rtol=1e-10)


def test_memory_for_less_than_a_pair_is_an_error_that_says_so(monkeypatch):
    model = tiny("gpt2")
    monkeypatch.setattr(model.transformer, "forward", Small(model, 0, MemoryError()))
    with pytest.raises(MemoryError, match="at a time must fit into memory"):
        pair_gram(model, *pairs())


def test_another_error_is_not_taken_for_want_of_memory(monkeypatch):
    model = tiny("gpt2")
    monkeypatch.setattr(model.transformer, "forward", Small(model, 0, RuntimeError("other")))
    with pytest.raises(RuntimeError, match="other"):
        pair_gram(model, *pairs())
