"""Training that can stop after any update, be kept on disk, and go on as if it had never stopped.

A stage holds the model, its optimizer and what was measured on the way. What it did not finish in
one sitting it finishes in the next, to the bit: nothing else enters an update but its batch.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from disband.sims.methods.calibrate import Incentives

from ..model.gpt2 import Batch, Model, token_logp
from .finetune import Pair, both_logps, precision, training_mode
from .optimizers import Rule

if TYPE_CHECKING:
    from disband.theory.objective import Objective

# From a batch and its incentives to other incentives.
Method = Callable[[Pair, npt.NDArray[np.float64], npt.NDArray[np.float64]], Incentives]


@dataclass(eq=False)
class Stage:
    """Where a training stands.

    Args:
        model: Trained in place.
        optimizer: Of its parameters.
        schedule: Of the optimizer's rate.
        done: Updates.
        measured: What was measured on the way, by name, one tensor a measurement.
    """

    model: Model
    optimizer: Optimizer
    schedule: LambdaLR
    done: int = 0
    measured: dict[str, list[Tensor]] = field(default_factory=dict)

    @classmethod
    def begin(cls, model: Model, rule: Rule) -> "Stage":
        """Before the first update."""
        optimizer = rule.build(model)
        return cls(model, optimizer, rule.schedule(optimizer))

    def measure(self, **values: Tensor) -> None:
        """Add one measurement."""
        for name, value in values.items():
            self.measured.setdefault(name, []).append(value.detach().cpu())

    def keep(self, path: Path, *, ended: bool = False) -> None:
        """Write the stage to a file that is there whole or not at all.

        Args:
            path: The file; its folder is made.
            ended: Nothing is trained further: leave out what the optimizer remembers.

        Raises:
            OSError: The folder cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
        try:
            with os.fdopen(handle, "wb") as file:
                torch.save(self._state(ended=ended), file)
            Path(partial).replace(path)
        finally:
            Path(partial).unlink(missing_ok=True)

    def resume(self, path: Path) -> bool:
        """Go on from a file that :meth:`keep` wrote; False, and nothing is changed, without one."""
        try:
            kept = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, UnpicklingError, EOFError):
            # A damaged file counts as missing.
            return False
        self.model.load_state_dict(kept["model"])
        if "optimizer" in kept:
            self.optimizer.load_state_dict(kept["optimizer"])
            self.schedule.load_state_dict(kept["schedule"])
        self.done, self.measured = kept["done"], kept["measured"]
        return True

    def _state(self, *, ended: bool) -> dict[str, Any]:
        updated = {} if ended else {
            "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
        }  # fmt: skip
        reached = {"done": self.done, "measured": self.measured}
        return {"model": self.model.state_dict(), **updated, **reached}

    def teach(self, batch: Batch, *, mixed: bool = False) -> None:
        """One update of supervised fine-tuning, as :func:`disband.lm.training.finetune.sft`'s."""
        self.model.train()
        with precision(self.model, mixed=mixed):
            values = token_logp(self.model, batch)
        self._descend(-values.sum() / batch.lengths.sum())

    def prefer(
        self,
        pair: Pair,
        reference: Model,
        objective: "Objective",
        *,
        shared: bool = False,
        mixed: bool = False,
        method: Method | None = None,
        **values: float,
    ) -> None:
        """One update of preference training on a batch of pairs.

        Args:
            pair: Chosen and rejected responses with the same prompts.
            reference: The model before the first update; asked about each batch once, when its
                turn comes.
            objective: Whose loss is minimised, averaged over the batch.
            shared: Read each prompt once, for both of its responses.
            mixed: Forward passes in bfloat16, as far as autocast takes them.
            method: What is done to the incentives of the batch; without one they are the loss's.
            values: Hyperparameters of the objective that differ from its defaults.
        """
        training_mode(self.model)
        with torch.no_grad(), precision(reference, mixed=mixed):
            before = both_logps(reference, pair, shared=shared)
        with precision(self.model, mixed=mixed):
            logps = both_logps(self.model, pair, shared=shared)
        state = (*logps, *before, *(side.lengths for side in pair))
        if method is None:
            loss: Tensor = objective.kernel("loss", "torch", **values)(*state).mean()
        else:
            known = [part.detach().double().numpy(force=True) for part in state]
            d_w, d_l = objective.kernel("incentives", "numpy", **values)(*known)
            used = method(pair, *np.broadcast_arrays(d_w, d_l, np.zeros(len(known[0])))[:2])
            pull, push = (torch.from_numpy(d).to(logps[0]) for d in used)
            loss = (push * logps[1] - pull * logps[0]).mean()
        self._descend(loss)

    def _descend(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        self.done += 1
