r"""A preference run followed, update by update or several at a time.

With ``stride`` h > 1 one gradient stands for h updates and is held for them: Adam's moments decay
by :math:`\beta^h`, the memory that h updates would have had is added up in closed form, and the
bias correction is that of their middle. So the run ends where the optimizer's own time does, which
the same optimizer at h times the rate does not. The first updates are made one by one, for there
Adam's steps are signs and a stiff common pull relaxes.
"""

from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from disband.theory.horizon.path import in_epochs

from ..model.gpt2 import Batch, Model, join, logp
from ..training.optimizers import Rule

if TYPE_CHECKING:
    from disband.theory.objective import Objective

Array = npt.NDArray[np.float64]
HeldOut = tuple[Batch, Batch] | None

ONE_BY_ONE = 6  # updates
IN_TWOS = 16  # updates up to which a stride is two at most


@dataclass(frozen=True, eq=False)
class Course:
    """Log-probabilities along a run.

    Args:
        steps: Updates done at each measurement, ``(times,)``.
        logps: ``(times, responses)``, nats: trained chosen, trained rejected, the same held out.
        pairs: Trained pairs.
        gradients: Gradients that it took.
        seconds: Processor time of the updates, without the measurements.
    """

    steps: npt.NDArray[np.int64]
    logps: Array
    pairs: int
    gradients: int
    seconds: float

    def change(self, step: int) -> Array:
        """The change of every response after so many updates, ``(responses,)``."""
        (at,) = np.flatnonzero(self.steps == step)
        moved: Array = self.logps[at] - self.logps[0]
        return moved


def follow(
    model: Model,
    chosen: Batch,
    rejected: Batch,
    objective: "Objective",
    rule: Rule,
    *,
    steps: int,
    batch_size: int,
    held_out: HeldOut = None,
    stride: int = 1,
    at: Collection[int] = (),
    seed: int = 0,
    after: Callable[[int], None] = lambda _: None,
    **hyper: float,
) -> Course:
    """Train a copy of the model on these pairs, in epochs of shuffled batches, and watch them all.

    Args:
        model: Where the run starts, and the reference; it does not change.
        chosen: Of the pairs that are trained on.
        rejected: Likewise.
        objective: Whose loss is minimised, averaged over a batch.
        rule: The optimizer; its warm-up is not run.
        steps: Updates.
        batch_size: Pairs in one.
        held_out: Chosen and rejected responses that are watched alone.
        stride: Updates that one gradient stands for, after the first.
        at: Updates after which log-probabilities are measured, besides the first and the last.
        seed: Of the order of the pairs.
        after: Called with the updates done.
        hyper: Hyperparameters of the objective that differ from its defaults.

    Raises:
        ValueError: A stride below one, or no pairs.
    """
    copy = deepcopy(model).eval()
    run = Descent(copy, chosen, rejected, objective, rule, **hyper)
    everyone = watched(chosen, rejected, held_out)
    order = in_epochs(len(chosen), batch_size, steps, seed)
    wanted = {0, steps, *at}
    times, values, seconds, done = [], [], 0.0, 0
    for index, span in enumerate([*strides(steps, stride, wanted), 0]):
        if done in wanted:
            times.append(done)
            values.append(measured(copy, everyone))
        if span:
            start = process_time()
            run.advance(order[index], span)
            seconds += process_time() - start
            done += span
            after(done)
    return Course(np.array(times), np.stack(values), len(chosen), run.gradients, seconds)


def strides(steps: int, stride: int, stops: Collection[int] = ()) -> list[int]:
    """How many updates each gradient stands for, so that none passes one of the stops.

    Raises:
        ValueError: The stride is below one.
    """
    if stride < 1:
        raise ValueError(
            f"one gradient stands for one update or more: got {stride}; give 1 or more"
        )
    spans: list[int] = []
    done = 0
    while done < steps:
        most = 1 if done < ONE_BY_ONE else min(stride, 2) if done < IN_TWOS else stride
        following = min([stop for stop in (*stops, steps) if stop > done])
        spans.append(min(most, following - done))
        done += spans[-1]
    return spans


def watched(chosen: Batch, rejected: Batch, held_out: HeldOut) -> Batch:
    """All responses in one batch: trained chosen, trained rejected, and the same held out."""
    everyone = join(chosen, rejected)
    for side in held_out or ():
        everyone = join(everyone, side)
    return everyone


def measured(model: Model, batch: Batch) -> Array:
    """Log-probability of each response, ``(responses,)``."""
    with torch.no_grad():
        values: Array = logp(model, batch).double().numpy(force=True)
    return values


class Descent:
    """An optimizer whose updates can be made several at once, on the pairs of one training set.

    Args:
        model: Trained in place.
        chosen, rejected: The pairs.
        objective: Whose loss is minimised.
        rule: The optimizer.
        hyper: Of the objective.
    """

    def __init__(
        self,
        model: Model,
        chosen: Batch,
        rejected: Batch,
        objective: "Objective",
        rule: Rule,
        **hyper: float,
    ) -> None:
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.gradients = 0
        self._model, self._sides, self._rule = model, (chosen, rejected), rule
        self._loss: Any = objective.kernel("loss", "torch", **hyper)
        with torch.no_grad():
            self._reference = logp(model, join(chosen, rejected)).chunk(2)
        self._done = 0
        self._memory = [torch.zeros_like(p) for p in self.parameters]
        self._squares = [torch.zeros_like(p) for p in self.parameters]

    def advance(self, pairs: npt.NDArray[np.int64], span: int = 1) -> None:
        """Make ``span`` updates of the gradient of these pairs' mean loss as it is now."""
        gradient = self.gradient(pairs)
        self._done += span
        adaptive = self._rule.kind in ("adam", "adamw")
        move = self._adapted if adaptive else self._heavy
        with torch.no_grad():
            for i, (parameter, slope) in enumerate(zip(self.parameters, gradient, strict=True)):
                if self._rule.kind == "adamw":
                    parameter.mul_((1 - self._rule.rate * self._rule.decay) ** span)
                parameter.sub_(move(i, slope, span), alpha=self._rule.rate)

    def gradient(self, pairs: npt.NDArray[np.int64]) -> Sequence[Tensor]:
        """Gradient of the mean loss of these pairs, one tensor for each trained parameter."""
        self.gradients += 1
        index = torch.from_numpy(np.asarray(pairs)).to(self._sides[0].ids.device)
        some = [Batch(b.ids[index], b.attention[index], b.response[index]) for b in self._sides]
        logps = logp(self._model, join(*some)).chunk(2)
        lengths = (b.lengths.to(logps[0].dtype) for b in some)
        losses = self._loss(*logps, *(r[index] for r in self._reference), *lengths)
        return torch.autograd.grad(losses.mean(), self.parameters)

    def _adapted(self, i: int, slope: Tensor, span: int) -> Tensor:
        first, second = self._rule.betas
        memory, squares = self._memory[i], self._squares[i]
        kept = sum(first**j for j in range(1, span + 1))
        total = kept * memory + (span - kept) * slope
        memory.mul_(first**span).add_(slope, alpha=1 - first**span)
        squares.mul_(second**span).addcmul_(slope, slope, value=1 - second**span)
        root = (squares / (1 - second**self._done)).sqrt() + self._rule.epsilon
        middle = self._done - (span - 1) / 2
        adapted: Tensor = total / (1 - first**middle) / root
        return adapted

    def _heavy(self, i: int, slope: Tensor, span: int) -> Tensor:
        keep = self._rule.momentum if self._rule.kind == "momentum" else 0.0
        memory, total = self._memory[i], torch.zeros_like(slope)
        for _ in range(span):
            memory.mul_(keep).add_(slope)
            total += memory
        return total
