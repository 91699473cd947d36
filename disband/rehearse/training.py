"""One copy of the model trained: the unit of a rehearsal, done anywhere and kept whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.optim import Optimizer

from disband.lm.data.tokenize import TokenPair, batches
from disband.lm.model.gpt2 import Model, TextTokenizer, join, logp
from disband.lm.model.load import Loaded
from disband.lm.training.calibrated import Method, Traced, train_calibrated
from disband.lm.training.finetune import Pair
from disband.sims.methods.calibrate import Incentives
from disband.verify.workers.away import WorkersError
from disband.verify.workers.tasks import SHARED

from ..probe.inputs import read_model, read_objectives
from ..probe.measure import digest
from .arms import Arm, method_of, objective_of
from .inputs import Rehearsal

Array = npt.NDArray[np.float64]
Arrays = dict[str, npt.NDArray[Any]]
Report = Callable[[float], None]
MODULE = "disband.rehearse.training"
LOOKS = 12  # at the held-out pairs, at most, beside the first


@dataclass(frozen=True)
class Task:
    """One arm of a rehearsal, or its forecast, with all that it takes to do it in another process.

    Args:
        asked: The rehearsal; one that is performed.
        arm: What is trained; None for the path that the arms are forecast from.
        training: Pairs trained on.
        held_out: Pairs followed.
        provenance: Of the model that all arms start from.
    """

    asked: Rehearsal
    arm: Arm | None
    training: tuple[TokenPair, ...] = field(metadata=SHARED)
    held_out: tuple[TokenPair, ...] = field(metadata=SHARED)
    provenance: Mapping[str, Any]

    @property
    def key(self) -> dict[str, Any]:
        """What its result depends on, beside the code."""
        probe = self.asked.probe
        trained: dict[str, Any] = {"arm": None}
        if self.arm:
            objective, settings = objective_of(self.arm, read_objectives(probe))
            trained = {"arm": str(self.arm), "loss": probe.loss}
            trained["settings"] = objective.settings(settings)
        return {
            **trained, "model": dict(self.provenance), "lora": probe.adapters, "seed": probe.seed,
            "training": digest(self.training), "held out": digest(self.held_out),
            "rule": asdict(self.asked.rule), "steps": self.asked.steps, "batch": probe.batch,
            "schedule": self.asked.schedule, "clip": self.asked.clip,
        }  # fmt: skip


def perform(task: Task, report: Report) -> Arrays:
    """Train a copy, or measure the path that all are forecast from: what a worker does."""
    torch.set_num_threads(1)
    if task.arm is not None:
        return train_arm(task, task.arm, report)
    from .forecast import measured_path

    return measured_path(task, report)


def train_arm(task: Task, arm: Arm, report: Report) -> Arrays:
    """Train a copy and follow the held-out pairs.

    Returns:
        ``steps``: updates after which it was looked; ``logp_w``, ``logp_l``: held-out
        log-probabilities there, ``(looks, pairs)``, nats; ``trained_w``, ``trained_l``: those of
        the pairs trained on, before and at the end, ``(2, pairs)``; ``seconds``: CPU time of each
        update; ``order``: the pairs of each, ``(updates, batch)``. A copy whose parameters are no
        longer finite ends there.

    Raises:
        WorkersError: As :func:`read_same`.
    """
    asked, probe = task.asked, task.asked.probe
    loaded = read_same(task)
    model, tokenizer = loaded.model, loaded.tokenizer
    objective, settings = objective_of(arm, read_objectives(probe))
    order = order_of(len(task.training), probe.batch, asked.steps, probe.seed)
    shown = [on_device(model, tokenizer, [task.training[i] for i in row]) for row in order]
    watched = set(looks(asked.steps))
    at: list[int] = []
    logps: list[Array] = []

    def after(update: int) -> bool:
        report(update / asked.steps)
        diverged = not all(bool(torch.isfinite(p).all()) for p in model.parameters())
        if update in watched or diverged:
            at.append(update)
            logps.append(log_probabilities(model, tokenizer, task.held_out, probe.batch))
        return diverged

    before = log_probabilities(model, tokenizer, task.training, probe.batch)
    times = train_calibrated(
        model, shown, objective, rule=asked.rule, method=_guarded(method_of(arm, model)),
        after=after,
        fades=asked.schedule == "linear", clip=asked.clip, **settings,
    )  # fmt: skip
    trained = np.stack(
        [before, log_probabilities(model, tokenizer, task.training, probe.batch)], axis=1
    )
    logp_w, logp_l = np.stack(logps, axis=1)
    return {
        "steps": np.array(at), "logp_w": logp_w, "logp_l": logp_l, "trained_w": trained[0],
        "trained_l": trained[1], "seconds": times["seconds"], "order": order,
    }  # fmt: skip


def _guarded(method: Method | None) -> Method | None:
    """The method; where a number is none already, so are the incentives, and the copy ends."""
    if method is None:
        return None

    def guarded(traced: Traced, d_w: Array, d_l: Array, optimizer: Optimizer) -> Incentives:
        if not np.isfinite([d_w, d_l]).all():
            nothing = np.full(d_w.shape, np.nan)
            return Incentives(nothing, nothing)
        return method(traced, d_w, d_l, optimizer)

    return guarded


def order_of(pairs: int, batch: int, steps: int, seed: int) -> npt.NDArray[np.int64]:
    """The pairs of each update, ``(steps, batch)``: epochs in new random orders, without rests.

    Raises:
        ValueError: Fewer pairs than a batch has.
    """
    if pairs < batch:
        raise ValueError(
            f"an update takes a whole batch: got {pairs} pairs to train on and batches of {batch}; "
            "lower --batch, or give more data"
        )
    rng = np.random.default_rng([seed, 1])
    rows: list[npt.NDArray[np.int64]] = []
    while len(rows) < steps:
        mixed = rng.permutation(pairs)
        rows += [mixed[i : i + batch] for i in range(0, pairs - batch + 1, batch)]
    return np.stack(rows[:steps])


def looks(steps: int) -> list[int]:
    """Updates after which the held-out pairs are looked at: the first and the last are among them.

    Evenly spread, and the same share of the way whatever the number of updates.
    """
    return sorted({round(steps * i / LOOKS) for i in range(LOOKS + 1)})


def log_probabilities(
    model: Model, tokenizer: TextTokenizer, pairs: Sequence[TokenPair], size: int
) -> Array:
    """Log-probability of both responses of each pair, ``(2, pairs)``, nats; ``size`` at once."""
    parts = []
    with torch.no_grad():
        for i in range(0, len(pairs), size):
            both = on_device(model, tokenizer, pairs[i : i + size])
            read = logp(model, join(*both)).double().numpy(force=True)
            parts.append(read.reshape(2, -1))
    return np.concatenate(parts, axis=1)


def on_device(model: Model, tokenizer: TextTokenizer, pairs: Sequence[TokenPair]) -> Pair:
    """Chosen and rejected batch of these pairs, where the model is."""
    device = model.get_input_embeddings().weight.device
    chosen, rejected = batches(tokenizer, pairs)
    return chosen.to(device), rejected.to(device)


def read_same(task: Task) -> Loaded:
    """The task's model, as a worker reads it; its device may be another.

    Raises:
        WorkersError: It cannot be read here, or is no longer the one that the rehearsal began with.
    """
    try:
        loaded = read_model(task.asked.probe)
    except (ValueError, OSError, ImportError) as error:
        raise WorkersError(
            "the model must be had wherever copies of it are trained, but a worker cannot read it "
            f"({' '.join(str(error).split())}); put it at the same place on every machine"
        ) from error
    found, expected = loaded.provenance, task.provenance
    differing = {
        name for name in found.keys() | expected.keys()
        if name != "device" and found.get(name) != expected.get(name)
    }  # fmt: skip
    if differing:
        raise WorkersError(
            "all copies of a rehearsal start from one model, but a worker read another: its "
            f"{', '.join(sorted(differing))} differ; run again with the model left as it is"
        )
    return loaded
