"""Every causal architecture of transformers, tiny and random, and every adapter of peft, audited.

``python -m benchmarks.architectures`` builds one model of each, compares what is said of its scores
with gradients of ordinary calls and with a small real step, and notes what came: ``exact``;
``exact, said``, with a warning that a longer way was taken; ``refused`` in a sentence; ``wrong``;
``failed`` with an error that is no sentence; or ``not built`` by these settings. Nothing may be
wrong or failed. Results go to ``results/benchmarks/architectures.json``.
"""

import json
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from benchmarks.record import RESULTS, origin, save
from benchmarks.scores import model_of
from disband.lm.model.gpt2 import Batch, Model, padded
from disband.lm.scores.audit import audit
from disband.lm.scores.capture import eager
from disband.lm.scores.explicit import plain_logp
from disband.lm.scores.layout import texts

# Relative to the norms of the scores; parts of many float64 models compute in float32.
TOLERANCE = 1e-5
PATIENCE = 240  # seconds for one of them
LARGEST = 3_000_000  # parameters
# Whatever a configuration has of these is made small.
SMALL: dict[str, Any] = {
    **dict.fromkeys(("vocab_size", "text_vocab_size"), 61),
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "embedding_size"), 32),
    "word_embed_proj_dim": 32,
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers"), 2),
    **dict.fromkeys(("decoder_layers", "encoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), 4),
    **dict.fromkeys(("decoder_attention_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads", "n_kv_heads"), 2),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "d_inner", "n_inner", "ffn_hidden_size"), 48),
    **dict.fromkeys(("decoder_ffn_dim", "encoder_ffn_dim", "moe_intermediate_size"), 48),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"), 64),
    **dict.fromkeys(("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "num_experts_per_token", "moe_k", "top_k_experts"), 2),
    **dict.fromkeys(("n_group", "topk_group", "n_shared_experts", "first_k_dense_replace"), 1),
    **dict.fromkeys(("kv_lora_rank", "q_lora_rank"), 16),
    **dict.fromkeys(("qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "head_dim"), 8),
    **dict.fromkeys(("state_size", "mamba_d_state", "ssm_state_size"), 8),
    **dict.fromkeys(("sliding_window", "attention_window_size", "window_size"), 6),
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "is_decoder": True,
    "is_encoder_decoder": False, "rotary_dim": 4,
    "use_cache": True, "attention_bias": True,
}  # fmt: skip
# What fits together in no other way.
OWN: dict[str, dict[str, Any]] = {
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "mamba2": {"num_heads": 8, "head_dim": 8},
    **{
        kind: {"num_key_value_heads": 4}
        for kind in (
            "axk1",
            "axk2",
            "deepseek_v2",
            "deepseek_v3",
            "deepseek_v32",
            "glm4_moe_lite",
            "glm_moe_dsa",
            "hy_v4",
            "kimi_linear",
            "longcat_flash",
            "minicpm3",
            "youtu",
        )
    },
    "bamba": {"mamba_n_heads": 8, "mamba_d_head": 8},
    "granitemoehybrid": {"mamba_n_heads": 8, "mamba_d_head": 8},
    "falcon_h1": {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_ssm": 64},
}
ADAPTERS: dict[str, dict[str, Any]] = {
    "LoraConfig": {"r": 4},
    "LoraConfig, DoRA": {"r": 4, "use_dora": True},
    "LoraConfig, rank-stabilised": {"r": 4, "use_rslora": True},
    "LoraConfig, embeddings": {"r": 4, "target_modules": ["wte", "c_attn"]},
    "LoraConfig, whole head": {"r": 4, "modules_to_save": ["lm_head"]},
    "LoraConfig, bias": {"r": 4, "bias": "all"},
    "IA3Config": {"target_modules": ["c_attn", "c_fc"], "feedforward_modules": ["c_fc"]},
    "AdaLoraConfig": {"init_r": 4, "target_r": 2, "total_step": 10},
    "VeraConfig": {"r": 4},
    "LNTuningConfig": {},
    "PromptTuningConfig": {"num_virtual_tokens": 3},
    "PromptEncoderConfig": {"num_virtual_tokens": 3, "encoder_hidden_size": 8},
    "PrefixTuningConfig": {"num_virtual_tokens": 3},
    "LoHaConfig": {"r": 4, "target_modules": ["lm_head"]},
    "LoKrConfig": {"r": 4, "target_modules": ["lm_head"]},
    "OFTConfig": {"oft_block_size": 4, "target_modules": ["lm_head"]},
    "TrainableTokensConfig": {"token_indices": [3, 4, 5], "target_modules": ["wte"]},
}


class _Tokens:
    pad_token_id = 0


def pairs() -> tuple[Batch, Batch]:
    """Two pairs of several lengths, one prompt longer than any window above."""
    prompts = [[11, 8], [3, 17, 20, 5, 9, 40, 41, 22, 13, 8, 51]]
    sides = ([[19, 7, 24], [15]], [[10], [44, 3]])
    return padded(_Tokens, prompts, sides[0]), padded(_Tokens, prompts, sides[1])


def architecture(kind: str) -> Model:
    """A random float64 model of a kind, whose gains and biases are no plain ones and zeros."""
    known = AutoConfig.for_model(kind)
    smaller = {name: SMALL[name] for name in SMALL if _value(known, name) is not None}
    smaller |= {"experts_implementation": "eager", **OWN.get(kind, {})}
    try:
        return _random(_model(type(known)(**smaller)))
    except Exception:  # noqa: BLE001 (a check of the class, or a shape that does not fit)
        return _random(_model(_small(type(known)(experts_implementation="eager"))))


def adapted(kind: str) -> Model:
    """A GPT-2 with adapters of a kind."""
    import peft

    config = getattr(peft, kind.partition(",")[0])(task_type="CAUSAL_LM", **ADAPTERS[kind])
    plain = _random(_model(_small(AutoConfig.for_model("gpt2"))))
    return _random(peft.get_peft_model(plain.float(), config))


def outcome(build: Callable[[str], Model], kind: str) -> dict[str, Any]:
    """What came of one model."""
    torch.manual_seed(0)
    try:
        with _patience():
            model = build(kind)
            _require_numbers(model)
    except Exception as error:  # noqa: BLE001 (whatever a library says of settings it does not know)
        return {"kind": kind, "outcome": "not built", "said": _line(error)}
    try:
        with _patience(), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            errors = audit(model, *pairs())
    except ValueError as error:
        return {"kind": kind, "outcome": "refused", "said": _line(error)}
    except Exception as error:  # noqa: BLE001 (what is looked for)
        return {
            "kind": kind,
            "outcome": "failed",
            "said": f"{type(error).__name__}: {_line(error)}",
        }
    said = sorted(
        {w.category.__name__ for w in caught} & {"SlowScores", "SeparateReading", "SmallerParts"}
    )
    found = {"contributions": errors.contributions, "gram": errors.gram, "step": errors.step}
    right = max(errors.contributions, errors.gram) <= TOLERANCE
    word = "wrong" if not right else "exact, said" if said else "exact"
    return {"kind": kind, "outcome": word, "errors": found, "said": ", ".join(said)}


def main() -> None:
    """Audit all, print and save what came."""
    model_of("12M", "cpu")
    named = sys.argv[1:]
    tried: list[tuple[Callable[[str], Model], str]] = [
        *((architecture, kind) for kind in sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)),
        *((adapted, kind) for kind in ADAPTERS),
    ]
    results = []
    for build, kind in tried:
        if not named or kind in named:
            results.append({"of": build.__name__, **outcome(build, kind)})
            print(json.dumps(results[-1]), flush=True)
    counts = Counter(result["outcome"] for result in results)
    print(dict(counts))
    if named:
        return
    made = origin("benchmarks.architectures", tolerance=TOLERANCE)
    save(RESULTS / "architectures.json", made | {"counts": dict(counts), "results": results})


def _model(config: PretrainedConfig) -> Model:
    with torch.device("meta"):
        size = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
    if size > LARGEST:
        raise NotImplementedError(f"it has {size} parameters")
    model: Model = AutoModelForCausalLM.from_config(config).double()
    model(input_ids=torch.tensor([[7, 9, 6, 12, 30]]))  # some settings do not fit together
    return model


def _require_numbers(model: Model) -> None:
    bare, device = eager(model).eval(), torch.device("cpu")
    if not np.isfinite([plain_logp(bare, texts(side, device)) for side in pairs()]).all():
        raise ArithmeticError("its own log-probabilities are not finite")


def _small(config: PretrainedConfig) -> PretrainedConfig:
    """A configuration in which all that makes a model large was made small afterwards."""
    for name, value in SMALL.items():
        if _value(config, name) is not None:
            try:
                setattr(config, name, value)
            except (AttributeError, ValueError, NotImplementedError):
                continue
    kinds, layers = _value(config, "layer_types"), _value(config, "num_hidden_layers")
    if isinstance(kinds, list) and layers:
        config.layer_types = kinds[:layers]
    for part in vars(config).values():
        if isinstance(part, PretrainedConfig):
            _small(part)
    return config


def _value(config: PretrainedConfig, name: str) -> Any:
    """A setting; None where it has none, or one for each layer."""
    try:
        return getattr(config, name, None)
    except (AttributeError, ValueError, NotImplementedError):
        return None


def _random(model: Model) -> Model:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.double()


@contextmanager
def _patience() -> Iterator[None]:
    def end(*_: object) -> None:
        raise TimeoutError(f"more than {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


if __name__ == "__main__":
    sys.exit(main())
