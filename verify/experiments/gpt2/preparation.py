"""What the experiments begin with: a kept model, a fair order of the texts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from disband.lm.data.messages import Text
from disband.lm.data.tweets import SplitSettings, Tweet
from disband.lm.model.gpt2 import Model, TextTokenizer, wrap_tokenizer
from disband.lm.model.load import load_model, torch_device

from ...kept.store import Store
from ...workers.away import WorkersError, beside
from .items import Item, answers, divide, labels_of

SOURCE, KEEPING = "source", "keeping"
# Of a model, by which it is known to be the same on another machine.
_IDENTITY = ("sha256", "base sha256", "revision")
_WIDE = 512


class Draw:
    """Deals the items of each label in random order, each at most once."""

    def __init__(self, items: Sequence[Item], rng: np.random.Generator) -> None:
        by_label = [[t for t in items if t.label == label] for label in labels_of(items)]
        groups = [group for group in by_label if group or isinstance(items[0], Tweet)]
        self._decks = [[group[i] for i in rng.permutation(len(group))] for group in groups]

    def batch(self, size: int) -> list[Item]:
        """Deal ``size`` items, the labels in turn.

        Raises:
            ValueError: The items of one label are used up.
        """
        each = size // len(self._decks)
        if min(map(len, self._decks)) < each:
            raise ValueError(
                "each text is trained on at most once, and those of one label are used up; "
                "give more of them, or fewer or smaller batches in the settings"
            )
        return [deck.pop() for _ in range(each) for deck in self._decks]


def both_labels(style: str, group: Sequence[Item]) -> list[Text]:
    """Responses that are right for one half of each label's items, if the labels alternate."""
    return [answers(style, t, t.label)[i // 2 % 2] for i, t in enumerate(group)]


def first(items: Sequence[Item], count: int) -> Sequence[Item]:
    """The first ``count`` held-out items.

    Raises:
        ValueError: There are fewer.
    """
    if len(items) < count:
        raise ValueError(
            f"the settings ask for {count} held-out texts, but there are {len(items)}; "
            "give more texts or smaller settings"
        )
    return items[:count]


def require_enough(items: Sequence[Item], pieces: Sequence[Any]) -> None:
    """See that no run will use up its texts, before the first begins.

    Args:
        items: What will be trained on.
        pieces: Settings of runs: pairs in a batch, ``steps`` (or ``warm`` and ``explained``) of
            them, the fine-tuning before, and held-out ``pairs`` where they are followed.

    Raises:
        ValueError: A run needs more texts than there are.
    """
    training, held_out = divide(items, SplitSettings())
    for piece in pieces:
        steps = getattr(piece, "steps", None) or piece.warm + piece.explained
        taught = piece.supervision
        needed = steps * piece.batch + taught.steps * taught.batch, getattr(piece, "pairs", 1)
        if len(training) < needed[0] or len(held_out) < needed[1]:
            raise ValueError(
                f"each text is used at most once: {piece} needs {needed[0]} to train on and "
                f"{needed[1]} held out, and there are {len(training)} and {len(held_out)}; give "
                "more texts, or fewer --steps, a smaller --batch or fewer --sft-steps"
            )


def kept(model: Model, tokenizer: TextTokenizer) -> dict[str, npt.NDArray[Any]]:
    """A GPT-2 and its tokenizer as arrays, for :func:`restore`."""
    texts = {
        "tokenizer": tokenizer.backend_tokenizer.to_str(),
        "config": json.dumps(model.config.to_dict()),
    }
    weights = {f"weight/{name}": p.numpy(force=True) for name, p in model.named_parameters()}
    return {n: np.frombuffer(text.encode(), np.uint8) for n, text in texts.items()} | weights


def place(width: int) -> torch.device:
    """Where a model of this width is fastest: a small one on the processor, even beside a GPU."""
    return torch_device("auto" if width >= _WIDE else "cpu")


@dataclass(frozen=True)
class Keeping:
    """Where a run that takes long keeps what it has reached.

    Args:
        store: Of its module's code.
        common: What all runs of a study have in common, such as model and data.
    """

    store: Store
    common: Mapping[str, Any]

    @classmethod
    def of(cls, base: Mapping[str, npt.NDArray[Any]], module: str) -> "Keeping":
        """As :func:`named` says it, for runs that a module does."""
        said = json.loads(base[KEEPING].tobytes())
        return cls(Store(beside(Path(said["folder"])), module), said["common"])

    def path(self, name: str, seed: int, settings: Mapping[str, Any]) -> Path:
        """Of a stage of a run with these settings."""
        return self.store.path(name, {**self.common, "seed": seed, "settings": settings}, "pt")


def named(
    origin: Mapping[str, Any], folder: Path, common: Mapping[str, Any], device: str = "auto"
) -> dict[str, npt.NDArray[Any]]:
    """A pretrained model's provenance as arrays, for :func:`restore`; each run loads it anew.

    With it go the folder that stages are kept in, what a study's runs have in common, and the
    device to load it on.
    """
    identity = {name: origin[name] for name in (SOURCE, *_IDENTITY) if name in origin}
    keeping = {"folder": str(folder.resolve()), "common": common}
    said = {SOURCE: {**identity, "device": device}, KEEPING: keeping}
    return {n: np.frombuffer(json.dumps(text).encode(), np.uint8) for n, text in said.items()}


def restore(base: Mapping[str, npt.NDArray[Any]]) -> tuple[Model, TextTokenizer]:
    """The model and tokenizer that :func:`kept` made arrays of, or that :func:`named` names.

    Raises:
        WorkersError: Under its name another machine has another model, or none.
    """
    if SOURCE in base:
        return _loaded(json.loads(base[SOURCE].tobytes()))
    tokenizer = wrap_tokenizer(base["tokenizer"].tobytes().decode())
    with torch.random.fork_rng(devices=[]):
        model: Model = GPT2LMHeadModel(GPT2Config.from_dict(json.loads(base["config"].tobytes())))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(base[f"weight/{name}"]))
    return model.to(place(model.config.n_embd)), tokenizer


def _loaded(wanted: Mapping[str, Any]) -> tuple[Model, TextTokenizer]:
    source = wanted[SOURCE]
    try:
        loaded = load_model(source, device=wanted["device"])
    except (ValueError, OSError, ImportError) as error:
        raise WorkersError(
            f"the model must be had where the work is done: {source} cannot be read there "
            f"({' '.join(str(error).split())}); put it at the same place on every machine"
        ) from error
    for name in _IDENTITY:
        if loaded.provenance.get(name) != wanted.get(name):
            raise WorkersError(
                f"the model is the same wherever the work is done: {source} has {name} "
                f"{loaded.provenance.get(name)} there, and {wanted.get(name)} here; copy it to "
                "every machine"
            )
    return loaded.model, loaded.tokenizer
