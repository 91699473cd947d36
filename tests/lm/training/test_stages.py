"""A training that was kept and went on is the one that never stopped."""

from copy import deepcopy

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from disband.lm.model.gpt2 import encode
from disband.lm.training.finetune import recompute, sft, train_preferences
from disband.lm.training.optimizers import Rule
from disband.lm.training.stages import Stage
from disband.sims.methods.calibrate import Incentives
from disband.theory.objectives import CPO, DPO
from tests.lm.tiny import model_of, tokenizer_of

RULE = Rule("adamw", 1e-3, 2)


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def pairs(tokenizer):
    prompts = ["a great day", "an awful long trip"]
    answers = (["Positive", "It has a Negative sentiment"], ["Negative", "It has Positive"])
    pair = tuple(encode(tokenizer, prompts, a) for a in answers)
    return [pair, pair[::-1], pair]


def weights(model):
    return torch.cat([p.detach().ravel() for p in model.parameters()])


@pytest.fixture(scope="module")
def trained(tokenizer, pairs):
    model = model_of(tokenizer).double()
    train_preferences(model, pairs, CPO, rule=RULE, after=lambda _: None)
    return weights(model)


def test_it_trains_as_the_training_that_never_stops(tokenizer, pairs, trained):
    reference = model_of(tokenizer).double()
    stage = Stage.begin(model_of(tokenizer).double(), RULE)
    for pair in pairs:
        stage.prefer(pair, reference, CPO, shared=True)
    torch.testing.assert_close(weights(stage.model), trained, rtol=1e-9, atol=1e-12)


def test_a_kept_stage_goes_on_to_the_bit(tokenizer, pairs, tmp_path):
    ends = []
    reference = model_of(tokenizer)
    for stops in (False, True):
        stage = Stage.begin(model_of(tokenizer), RULE)
        for pair in pairs:
            stage.prefer(pair, reference, DPO, shared=True)
            stage.measure(done=torch.tensor(stage.done))
            if stops:
                stage.keep(tmp_path / "stage.pt")
                stage = Stage.begin(model_of(tokenizer, seed=5), RULE)
                assert stage.resume(tmp_path / "stage.pt")
        assert [int(n) for n in stage.measured["done"]] == [1, 2, 3]
        assert stage.done == 3
        ends.append(weights(stage.model))
    assert torch.equal(*ends)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 and no more", None])
def test_a_damaged_file_counts_as_missing(tokenizer, tmp_path, damage):
    stage = Stage.begin(model_of(tokenizer), RULE)
    path = tmp_path / "stage.pt"
    stage.keep(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage is None else damage)
    before = weights(stage.model)
    assert not stage.resume(path)
    assert not stage.resume(tmp_path / "none.pt")
    assert torch.equal(weights(stage.model), before)
    assert [*tmp_path.iterdir()] == [path]


def test_fine_tuning_is_that_of_the_other_loop(tokenizer, pairs):
    model = model_of(tokenizer).double()
    sft(model, [pair[0] for pair in pairs], rate=1e-3, after=lambda _: None)
    stage = Stage.begin(model_of(tokenizer).double(), Rule("adam", 1e-3))
    for pair in pairs:
        stage.teach(pair[0])
    assert torch.equal(weights(stage.model), weights(model))


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_a_method_sets_the_incentives(tokenizer, pairs, trained, factor):
    reference = model_of(tokenizer).double()
    stage = Stage.begin(model_of(tokenizer).double(), RULE)
    for pair in pairs:
        stage.prefer(
            pair, reference, CPO, shared=True,
            method=lambda _, d_w, d_l: Incentives(factor * d_w, d_l / factor),
        )  # fmt: skip
    near = torch.allclose(weights(stage.model), trained, rtol=1e-9, atol=1e-10)
    assert near == (factor == 1.0)


@pytest.mark.parametrize("architecture", ["GPT-2", "Llama"])
def test_layers_that_compute_again_train_the_same_and_run_twice(tokenizer, pairs, architecture):
    """With dropout in the model, which is off in either run."""
    ends, calls = [], []
    for again in (False, True):
        model, layers = model_with_dropout(architecture, len(tokenizer))
        reference = deepcopy(model)
        if again:
            recompute(model)
        runs = []
        for layer in layers:
            layer.register_forward_pre_hook(lambda *_, to=runs: to.append(1))
            layer.mlp.register_forward_pre_hook(lambda *_, to=runs: to.append(1))
        stage = Stage.begin(model, RULE)
        for pair in pairs:
            stage.prefer(pair, reference, DPO, shared=True, mixed=True)
        ends.append(weights(model))
        calls.append(len(runs))
    assert torch.equal(*ends)
    # A layer's own call is outside of what is computed again; what it calls is not.
    assert calls == [2 * 2 * len(pairs), 3 * 2 * len(pairs)]


def model_with_dropout(architecture, vocabulary):
    torch.manual_seed(0)
    if architecture == "GPT-2":
        config = GPT2Config(vocab_size=vocabulary, n_layer=2, n_embd=16, n_head=2, n_positions=64)
        model = GPT2LMHeadModel(config)
        return model, model.transformer.h
    config = LlamaConfig(
        vocab_size=vocabulary, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, max_position_embeddings=64, attention_dropout=0.1,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    return model, model.model.layers
