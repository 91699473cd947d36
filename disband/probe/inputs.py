"""What a probe is asked, and what it reads: objectives, the model, the reference, the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..terminal.errors import Refusal, require_writable, user_input

if TYPE_CHECKING:
    from disband.lm.data.columns import Named
    from disband.lm.data.tokenize import Cut
    from disband.lm.model.load import Loaded
    from disband.theory.kernels.compiled import HasKernels

    from .keep import Rule
    from .survey import Survey

Optimizer = Literal["sgd", "adamw"]
# Objectives with those of their hyperparameters that are not their defaults.
Objectives = list[tuple["HasKernels", dict[str, float]]]


@dataclass(frozen=True)
class Probe:
    """What is to be probed.

    Args:
        model: See :func:`disband.lm.model.load.load_model`.
        data: See :func:`disband.lm.data.read.read_rows`.
        objectives: Names; the first is the one meant to be trained, unless a loss is given.
        loss: A loss of one's own, the one meant to be trained; see
            :func:`disband.theory.own_loss.declare.typed_objective`.
        settings: Hyperparameters by name, of those objectives that have them.
        sample: Pairs measured.
        seed: Of the sample.
        part: Part of a folder or of a data set on the hub.
        batch: Pairs in a batch.
        batches: How many batches are measured whole.
        optimizer: Whose metric the products are in, and who makes the updates of a forecast.
        steps: Updates after which a forecast is asked for; none is if not given.
        rate: Learning rate of these.
        margins: Nats by which the rejected has fallen, beside the start.
        reference: Another model as the reference; the model itself at the start if none is given.
        lora: Rank of the adapters that alone are trained; everything is if none is given.
        lora_alpha, lora_targets: See :func:`disband.lm.model.load.with_lora`.
        prompt_column, system_column, chosen_column, rejected_column: See
            :class:`disband.lm.data.columns.Named`.
        max_length: Most tokens of a text.
        worst: How many pairs are looked into token by token …
        longest: … among those of at most so many response tokens.
        memory: GiB that scores may take at once.
        device, dtype: See :func:`disband.lm.model.load.load_model`.
        keep: File for a filtered copy of the data.
        keep_rule: See :mod:`disband.probe.keep`.
        fresh: Use nothing an earlier run kept.
        out: Where the page, the JSON file and finished pieces go.
    """

    model: str
    data: str
    objectives: Sequence[str] = ("dpo", "simpo", "cpo", "rpo", "orpo")
    loss: str | None = None
    settings: Mapping[str, float] = field(default_factory=dict)
    sample: int = 512
    seed: int = 0
    part: str = "train"
    batch: int = 16
    batches: int = 4
    optimizer: Optimizer = "sgd"
    steps: int | None = None
    rate: float | None = None
    margins: Sequence[float] = (10.0,)
    reference: str | None = None
    lora: int | None = None
    lora_alpha: int = 16
    lora_targets: Sequence[str] = ()
    prompt_column: Sequence[str] = ()
    system_column: str | None = None
    chosen_column: str | None = None
    rejected_column: str | None = None
    max_length: int = 1024
    worst: int = 3
    longest: int = 120
    memory: float = 2.0
    device: str = "auto"
    dtype: str = "float32"
    keep: Path | None = None
    keep_rule: "Rule" = "sound"
    fresh: bool = False
    out: Path = Path("out")

    def __post_init__(self) -> None:
        if (self.steps is None) != (self.rate is None):
            given, missing = ("--steps", "--rate") if self.steps else ("--rate", "--steps")
            raise Refusal(
                "a forecast is of so many updates at a learning rate: got "
                f"{given} alone; give {missing} too"
            )
        if self.steps and not self.batches:
            raise Refusal(
                "a forecast is made from whole batches: got --steps with --batches 0; raise it"
            )
        if self.steps and self.reference:
            raise Refusal(
                "a forecast begins at the reference: got --steps with --reference "
                f"{self.reference}; leave out one of them, or use disband rehearse"
            )

    @property
    def named(self) -> "Named":
        """The columns that the user names."""
        from disband.lm.data.columns import Named

        return Named(
            tuple(self.prompt_column), self.system_column, self.chosen_column, self.rejected_column
        )

    @property
    def adapters(self) -> dict[str, object] | None:
        """What is known of the adapters, if there are any."""
        if self.lora is None:
            return None
        return {"rank": self.lora, "alpha": self.lora_alpha, "targets": list(self.lora_targets)}


def read_objectives(probe: Probe) -> Objectives:
    """The objectives, each with those of the settings that it has.

    Raises:
        Refusal: No objective has a name, the loss cannot be read, or none has a setting, or a
            value is not one of its.
    """
    from disband.theory.catalogue import catalogue

    if not probe.objectives and probe.loss is None:
        raise Refusal("a probe is of at least one objective: got none; name one, such as dpo")
    with user_input():
        catalogued = list(dict.fromkeys(catalogue().find(name) for name in probe.objectives))
        known = {p.name for objective in catalogued for p in objective.hyperparameters}
        own = [] if probe.loss is None else [_own(probe.loss, probe.settings)]
        known |= {name for _, names in own for name in names}
        if unknown := sorted(set(probe.settings) - known):
            raise Refusal(
                f"the objectives' hyperparameters are {', '.join(sorted(known)) or 'none'}: got "
                f"{', '.join(unknown)}; set one of these"
            )
        named: Objectives = [(objective, {}) for objective, _ in own]
        for objective in catalogued:
            names = {p.name for p in objective.hyperparameters}
            given = {name: value for name, value in probe.settings.items() if name in names}
            objective.values(given)
            named.append((objective, given))
    return named


def _own(loss: str, settings: Mapping[str, float]) -> "tuple[HasKernels, list[str]]":
    """The objective of a typed loss, and the names of its hyperparameters."""
    from disband.theory.own_loss.declare import hyperparameters_of, typed_objective

    names = hyperparameters_of(loss)
    values = {name: settings[name] for name in names if name in settings}
    return typed_objective(loss, values, "own loss", gaps=True), names


def require_gaps(named: Objectives, surveyed: "Survey") -> None:
    """See that pairs have the score gaps that a loss reads.

    Raises:
        ValueError: One of the sample has none.
    """
    none = int(np.isnan(surveyed.gaps).sum())
    if none and any("gap" in objective.arguments for objective, _ in named):
        raise ValueError(
            f"gap is the score of chosen less that of rejected, and {none} of "
            f"{len(surveyed.sample)} sampled pairs have no scores: {surveyed.columns} Give every "
            "row numbers in columns such as chosen_score and rejected_score, or set gap=NUMBER"
        )


def read_model(probe: Probe) -> "Loaded":
    """The model, with adapters if those alone are to be trained; raises as ``load_model``."""
    from disband.lm.model.load import load_model, with_lora

    loaded = load_model(probe.model, device=probe.device, dtype=probe.dtype)
    if probe.lora is None:
        return loaded
    targets = list(probe.lora_targets) or None
    adapted = with_lora(loaded.model, rank=probe.lora, alpha=probe.lora_alpha, targets=targets)
    return loaded._replace(model=adapted)


def read_reference(probe: Probe, model: "Loaded") -> "Loaded":
    """The other model that is the reference.

    Raises:
        ValueError: It cannot be loaded, or reads other tokens.
    """
    from disband.lm.model.load import load_model

    other = load_model(probe.reference or "", device=probe.device, dtype=probe.dtype)
    if other.tokenizer.get_vocab() != model.tokenizer.get_vocab():
        raise ValueError(
            f"a reference reads the model's tokens, but the vocabulary of {probe.reference} is "
            "another; choose one of the same family"
        )
    return other


def cut_for(probe: Probe, model: "Loaded") -> "Cut":
    """How texts become tokens: no more than the model can read, whatever is asked."""
    from disband.lm.data.tokenize import Cut

    return Cut(min(probe.max_length, model.provenance["positions"] or probe.max_length))


def require_copy(probe: Probe) -> None:
    """See that a filtered copy, if one is asked for, can be written.

    Raises:
        Refusal: It would replace its source, or its folder cannot be written.
    """
    if probe.keep is None:
        return
    from .keep import require_other

    with user_input():
        require_other(probe.data, probe.keep)
    require_writable(probe.keep.parent)
