"""The callback that watches preference training, and calibrates it if asked to."""

# ruff: noqa: ARG002 (a trainer gives each of its events these arguments)

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW
from transformers import TrainerCallback

from disband.lm.model.gpt2 import Batch
from disband.lm.scores.adam import adam_preconditioner
from disband.sims.methods.averages import Averages, LogSums, log_sums
from disband.theory.gram import Gram

from .config import MonitorConfig
from .looks import Array, Look, agree, at, bends, logps, look
from .numbers import PAIRS, Looked, metrics, sums
from .rows import Tokens, batches
from .tap import Heard, Tap

KNOWN = ("DPOTrainer", "CPOTrainer", "ORPOTrainer")
STATE = "disband"  # the key of a monitor's state in trainer_state.json


class Unseen(UserWarning):
    """A step that was to be looked at was not, and training went on."""


class Monitor(TrainerCallback):
    r"""Logs, through the trainer's own logging, what each step does to chosen and rejected.

    At every so many steps, of a sample of the step's own pairs: the incentives, the scores'
    cosine and norm ratio, the share in the band, the shares of the cases, and how much the
    log-probabilities change by the step, predicted to first order and measured. The trained
    parameters are, bit for bit, those of training without a monitor, unless it calibrates.

    >>> Monitor(every=10).watch(trainer)  # doctest: +SKIP

    Args:
        config: A :class:`MonitorConfig`; or give its fields by name.

    Raises:
        ValueError: A setting out of its range.
        TypeError: A setting of no such name, or both a config and settings.
    """

    def __init__(self, config: MonitorConfig | None = None, **settings: Any) -> None:
        if config is not None and settings:
            raise TypeError(
                "a monitor takes a MonitorConfig or its fields by name: got both; put "
                f"{', '.join(settings)} into the config"
            )
        self.config = MonitorConfig(**settings) if config is None else config
        self.averages = Averages(self.config.averaging)
        self._trainer: Any = None
        self._watched = False
        self._before: dict[str, Tensor] = {}
        self._pairs: tuple[list[Heard], Batch, Batch] | None = None
        self._early: tuple[Look, Array] | None = None
        self._alone = False  # whether padding changes what the model says of a text

    def watch(self, trainer: Any) -> "Monitor":
        """Watch this trainer from now on, as one of its callbacks; again changes nothing.

        Raises:
            TypeError: No trainer of pairs that is known here.
            ValueError: The trainer shards the model's parameters, or reads images; or it is
                watched by another monitor, or this monitor watches another trainer.
        """
        _require_known(trainer)
        watching = [c for c in trainer.callback_handler.callbacks if isinstance(c, Monitor)]
        if self in watching and self._trainer is trainer:
            return self
        if watching or self._trainer not in (None, trainer):
            raise ValueError(
                "a trainer is watched by one monitor, and a monitor watches one trainer: got "
                f"{'a second monitor' if watching else 'a second trainer'}; take the first one off "
                "by trainer.remove_callback(monitor), or make a new Monitor"
            )
        self._trainer = trainer
        self._tap = Tap(trainer)
        trainer.add_callback(self)
        train = trainer.train

        @wraps(train)
        def watched(*args: Any, **named: Any) -> Any:
            try:
                return train(*args, **named)
            finally:
                # Training may end by an error, of which callbacks are not told.
                self._tap.close()
                self._before, self._pairs, self._early = {}, None, None

        trainer.train = watched
        return self

    def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Begin to listen; go on with the averages of the checkpoint that training resumes."""
        self._require_watching()
        optimizer = _bare(named.get("optimizer"))
        if self.config.metric == "adam" and not isinstance(optimizer, Adam | AdamW):
            raise TypeError(
                "metric='adam' reads the second moments of torch's Adam or AdamW: got "
                f"{type(optimizer).__name__}; set metric to 'plain'"
            )
        dtypes = {p.dtype for p in self._trainer.model.parameters()}
        if self.config.curvature and dtypes & {torch.bfloat16, torch.float16}:
            raise ValueError(
                "how log-probabilities bend is a difference of their differences, which half "
                "precision does not carry: got a model in it; set curvature to False"
            )
        saved = state.stateful_callbacks.get(STATE)
        if saved:
            kept = Averages.from_dict(saved["averages"])
            # The sums go on; how much of them is kept is for the settings to say.
            self.averages = replace(kept, beta=self.config.averaging)
        self._tap.factor = self._factor()
        self._tap.scores = self._scores if self.config.calibrate == "pairs" else None
        self._tap.passed()
        self._tap.open()

    def on_step_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Listen to the step if it is one to look at."""
        # An earlier training may have ended in the middle of a step.
        self._before, self._pairs, self._early = {}, None, None
        step = state.global_step + 1
        self._watched = step % self.config.every == 0 or (step == 1 and args.logging_first_step)
        if self._watched:
            self._tap.begin(self.config.sample)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Keep what the step will change."""
        if not self._watched:
            return
        heard = self._tap.taken()
        if not heard:
            # Every process takes part in what is added up, with no pairs if need be.
            self._pairs = None
            return
        batch_w, batch_l = batches(self._trainer.processing_class, heard)
        self._pairs = heard, batch_w, batch_l
        if self.config.predict:
            self._before = {n: p.detach().clone() for n, p in self._parameters().items()}
            return
        model = self._trainer.model
        try:
            first = look(model, batch_w, batch_l, select=self._select)
            self._early = first, self._logps_like(first, batch_w, batch_l)
        except (MemoryError, torch.OutOfMemoryError):
            _warn_of_memory()
            self._pairs = None

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Look at the pairs, at the parameters before the step and after it."""
        if not self._watched:
            return
        self._watched = False
        looked = None
        # Half precision skips a step that overflows.
        skipped = bool(self._trainer.accelerator.optimizer_step_was_skipped)
        if self._pairs is not None and not skipped:
            looked = self._looked_if_it_fits(*self._pairs)
        self._before, self._pairs, self._early = {}, None, None
        self._report(looked)
        if self.config.calibrate == "average":
            self._learn(looked)
            state.stateful_callbacks[STATE] = {"averages": self.averages.to_dict()}

    def _looked_if_it_fits(
        self, heard: list[Heard], batch_w: Batch, batch_l: Batch
    ) -> Looked | None:
        """What is found at the pairs; a monitor that runs out of memory ends no training."""
        try:
            return self._looked(heard, batch_w, batch_l)
        except (MemoryError, torch.OutOfMemoryError):
            _warn_of_memory()
            return None

    def _looked(self, heard: list[Heard], batch_w: Batch, batch_l: Batch) -> Looked:
        model, bent = self._trainer.model, None
        if self._early is not None:
            (found, before), predicted = self._early, None
        else:
            found, before, bent = self._back(batch_w, batch_l)
            # Along some parameters only, it would be no prediction of the change.
            predicted = None if self.config.only else found.slopes
        return Looked(
            d_w=np.array([h.d_w for h in heard]),
            d_l=np.array([h.d_l for h in heard]),
            gram=found.gram,
            factor=np.array([h.factor for h in heard]),
            identical=np.array([h.identical for h in heard]),
            predicted=predicted,
            measured=logps(model, batch_w, batch_l, alone=self._alone) - before,
            bends=bent,
        )

    def _back(self, batch_w: Batch, batch_l: Batch) -> tuple[Look, Array, Array | None]:
        """Look from where the parameters were before the step, along it if that is asked for."""
        model, parameters = self._trainer.model, self._parameters()
        metric = self._metric() if self.config.metric == "adam" else None
        update = {n: p.detach() - self._before[n] for n, p in parameters.items()}
        with at(parameters, self._before):
            found = look(model, batch_w, batch_l, select=self._select, metric=metric, update=update)
            before = self._logps_like(found, batch_w, batch_l)
        if not self.config.curvature or found.slopes is None:
            return found, before, None
        known = before, found.slopes
        bent = bends(model, batch_w, batch_l, self._before, update, known, alone=self._alone)
        return found, before, bent

    def _logps_like(self, found: Look, batch_w: Batch, batch_l: Batch) -> Array:
        """Log-probabilities in a padded batch, or text by text if they differ from those proved."""
        model = self._trainer.model
        values = logps(model, batch_w, batch_l, alone=self._alone)
        if self._alone or agree(values, found.logp, model):
            return values
        self._alone = True
        return logps(model, batch_w, batch_l, alone=True)

    def _parameters(self) -> dict[str, nn.Parameter]:
        return {n: p for n, p in self._trainer.model.named_parameters() if p.requires_grad}

    def _select(self, name: str) -> bool:
        return self.config.only is None or self.config.only in name

    def _metric(self) -> dict[str, Tensor]:
        """Adam's metric; what it has no second moment of, as nothing moved it yet, is left out."""
        found = adam_preconditioner(_bare(self._trainer.optimizer), self._trainer.model)
        return {n: found.get(n, torch.zeros_like(p)) for n, p in self._parameters().items()}

    def _scores(self, pairs: Sequence[Tokens]) -> Gram:
        """Score products of pairs before a step, NaN where they cannot be known."""
        unknown = Gram(*np.full((3, len(pairs)), np.nan))
        adam = self.config.metric == "adam"
        if adam and not _bare(self._trainer.optimizer).state:
            # Before its first step, Adam has no metric.
            return unknown
        both = batches(self._trainer.processing_class, pairs)
        try:
            metric = self._metric() if adam else None
            return look(self._trainer.model, *both, select=self._select, metric=metric).gram
        except (MemoryError, torch.OutOfMemoryError):
            _warn_of_memory()
            return unknown

    def _report(self, looked: Looked | None) -> None:
        trainer = self._trainer
        mine = sums(_nothing() if looked is None else looked, self._tap.passed())
        found = metrics(self._added(mine))
        if PAIRS not in found:
            warnings.warn(
                "the monitor looked at no pair of this step, for it heard none from the trained "
                "model (and calibrates none), had no memory for it, or the step was skipped; if "
                "this happens at every step, leave the monitor out",
                Unseen,
                stacklevel=1,
            )
            return
        if hasattr(trainer, "store_metrics"):
            trainer.store_metrics(found, train_eval="train")
            return
        for name, value in found.items():
            trainer._metrics["train"][name].append(value)  # noqa: SLF001 (TRL's own way in)

    def _learn(self, looked: Looked | None) -> None:
        mine = LogSums()
        if looked is not None:
            known = looked.known
            gram = looked.gram
            mine = log_sums(
                looked.d_w[known],
                looked.d_l[known],
                Gram(*(part[known] for part in (gram.sq_w, gram.sq_l, gram.dot))),
            )
        added = self._added(np.array(mine.values))
        self.averages = self.averages.update(LogSums(*(float(v) for v in added)))
        self._tap.factor = self._factor()

    def _factor(self) -> float:
        return self.averages.factor if self.config.calibrate == "average" else math.nan

    def _added(self, values: Any) -> Any:
        """The sum over all processes."""
        accelerator = self._trainer.accelerator
        mine = torch.tensor(values, dtype=torch.float64, device=accelerator.device)
        return accelerator.reduce(mine, "sum").cpu().numpy()

    def _require_watching(self) -> None:
        if self._trainer is None:
            raise ValueError(
                "a monitor needs the trainer itself, for it logs through it: got the callback "
                "alone; call Monitor(...).watch(trainer) in place of callbacks=[Monitor(...)]"
            )


def _require_known(trainer: Any) -> None:
    kinds = {kind.__name__ for kind in type(trainer).__mro__}
    if not kinds & set(KNOWN):
        raise TypeError(
            f"a monitor watches TRL's {', '.join(KNOWN)}: got {type(trainer).__name__}; train "
            "with one of them, or measure the data by disband probe"
        )
    if getattr(trainer, "is_deepspeed_enabled", False) or getattr(
        trainer, "is_fsdp_enabled", False
    ):
        raise ValueError(
            "a monitor measures whole parameters: this trainer shards them (DeepSpeed or FSDP); "
            "train on one device or with plain data parallelism, or leave the monitor out"
        )
    if getattr(trainer, "_is_vision_dataset", False) or getattr(
        trainer, "is_encoder_decoder", False
    ):
        raise ValueError(
            "a monitor reads text for a decoder: this trainer's data are images, or its model is "
            "an encoder with a decoder; leave the monitor out"
        )


def _warn_of_memory() -> None:
    warnings.warn(
        "memory ran out while the monitor looked at a step: the step is left out; set sample to "
        "fewer pairs, or only to fewer parameters",
        Unseen,
        stacklevel=1,
    )


def _bare(optimizer: Any) -> Any:
    """The optimizer that accelerate has wrapped."""
    return getattr(optimizer, "optimizer", optimizer)


def _nothing() -> Looked:
    none = np.zeros(0)
    return Looked(
        d_w=none, d_l=none, gram=Gram(none, none, none), factor=none, identical=none > 0,
        predicted=None, measured=np.zeros((2, 0)),
    )  # fmt: skip
