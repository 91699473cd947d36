"""Causal language models of many kinds, tiny and random, and pairs of token rows."""

import warnings

import pytest
import torch
import transformers

from disband.lm.model.gpt2 import Batch

# On so small models, threads only wait for each other.
torch.set_num_threads(1)

VOCABULARY = 61
ROTARY = {
    "vocab_size": VOCABULARY,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 6,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
ABSOLUTE = {
    "vocab_size": VOCABULARY,
    "n_layer": 2,
    "n_head": 2,
    "n_embd": 16,
    "n_positions": 24,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
RECURRENT = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "state_size": 4,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
ENCODER = {
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 64,
    "is_decoder": True,
    "pad_token_id": 5,
}
CONFIGURATIONS = {
    "gpt2": ("GPT2", ABSOLUTE),
    "llama": ("Llama", ROTARY),
    "qwen2": ("Qwen2", ROTARY),
    "qwen3": ("Qwen3", ROTARY),
    "gemma": ("Gemma", ROTARY),
    "mistral": ("Mistral", {**ROTARY, "sliding_window": 4}),
    "bloom": ("Bloom", {"vocab_size": VOCABULARY, "hidden_size": 16, "n_layer": 2, "n_head": 2}),
    "mixtral": ("Mixtral", {**ROTARY, "num_local_experts": 3, "experts_implementation": "eager"}),
    "mamba": ("Mamba", RECURRENT),
    "mpt": ("Mpt", {"vocab_size": VOCABULARY, "d_model": 16, "n_heads": 2, "n_layers": 2}),
    "gpt-neo": (
        "GPTNeo",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 16,
            "num_layers": 2,
            "num_heads": 2,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 4,
            "max_position_embeddings": 64,
        },
    ),
    "bart": (
        "Bart",
        {
            "vocab_size": VOCABULARY,
            "d_model": 16,
            "decoder_layers": 2,
            "decoder_attention_heads": 2,
            "decoder_ffn_dim": 24,
            "max_position_embeddings": 64,
            "is_decoder": True,
            "is_encoder_decoder": False,
        },
    ),
    "roformer": ("RoFormer", ENCODER),
    "roberta": ("Roberta", ENCODER),
    "gemma2": ("Gemma2", {**ROTARY, "sliding_window": 4}),
    "xlnet": (
        "XLNet",
        {"vocab_size": VOCABULARY, "d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24},
    ),
    "dynamic": (
        "Llama",
        {
            **ROTARY,
            "max_position_embeddings": 6,
            "rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4},
        },
    ),
}
# These know but one way to compute attention.
ONE_WAY = ("mamba", "bloom", "mpt", "roformer", "xlnet", "gpt-neo", "gemma2")


def tiny(kind, *, tied=True, attention="sdpa"):
    """A float64 model of the kind, in training mode, always with the same weights."""
    name, settings = CONFIGURATIONS["gpt2" if kind == "lora" else kind]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        own = {} if kind in ONE_WAY else {"attn_implementation": attention}
        config = getattr(transformers, f"{name}Config")(**settings, tie_word_embeddings=tied, **own)
        head = "LMHeadModel" if kind in ("gpt2", "lora", "xlnet") else "ForCausalLM"
        model = getattr(transformers, f"{name}{head}")(config)
        if kind == "lora":
            model = adapted(model)
        # Gains of one and biases of zero would hide mistakes.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.2 * torch.randn_like(parameter))
    return model.double().train()


def adapted(model, **settings):
    """The model with low-rank adapters, which alone are trained."""
    peft = pytest.importorskip("peft")
    chosen = {"target_modules": ["c_attn", "c_fc"], "lora_dropout": 0.1} | settings
    with warnings.catch_warnings():
        # peft asks for an attribute that transformers has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        return peft.get_peft_model(model, peft.LoraConfig(r=3, fan_in_fan_out=True, **chosen))


def rows(prompts, responses, side="left", extra=0):
    """A batch of token rows, padded on a side, by ``extra`` more than needed."""
    length = max(len(p) + len(r) for p, r in zip(prompts, responses, strict=True)) + extra
    ids = torch.full((len(prompts), length), 7)
    attention = torch.zeros_like(ids)
    response = torch.zeros_like(ids, dtype=torch.bool)
    for i, (p, r) in enumerate(zip(prompts, responses, strict=True)):
        start = length - len(p) - len(r) if side == "left" else 0
        stop = start + len(p) + len(r)
        ids[i, start:stop] = torch.tensor([*p, *r])
        attention[i, start:stop] = 1
        response[i, stop - len(r) : stop] = True
    return Batch(ids, attention, response)


def one(batch, row):
    """One row of a batch with the padding it has."""
    index = slice(row, row + 1)
    return Batch(batch.ids[index], batch.attention[index], batch.response[index])


PROMPTS = [[5, 6, 7, 8, 9], [10, 0, 5], [20, 21, 22, 0, 24, 25, 26]]
CHOSEN = [[30, 31, 5], [40], [41, 42, 43, 44]]
REJECTED = [[33], [50, 51, 52, 5, 6], [60, 43]]


def pairs(side="left", extra=0):
    """Three pairs of uneven lengths.

    Token 5 is in prompts and in responses, and token 0 is padding to some models.
    """
    return rows(PROMPTS, CHOSEN, side, extra), rows(PROMPTS, REJECTED, side, extra)
