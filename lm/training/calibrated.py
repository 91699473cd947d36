r"""Training steps whose incentives are set by the score products of their own batch.

One pass over the batch gives the log-probabilities, the scores as sums of outer products, their
Gram, and any weighted sum of them: so a step along :math:`\frac1n\sum_i(d_{w,i}a_i - d_{l,i}b_i)`,
with incentives that the Gram decides, takes no second backward pass.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from disband.sims.methods.calibrate import Incentives
from disband.theory.batch import MeanProducts
from disband.theory.gram import Gram

from ..model.gpt2 import Batch, Model, join, logp
from ..scores.layers import Selection
from ..scores.measurement import measuring
from ..scores.products.metric import Preconditioner, all_products, own_products
from ..scores.products.terms import Scores, weighted
from .finetune import Pair
from .optimizers import Rule

if TYPE_CHECKING:
    from disband.theory.kernels.compiled import HasKernels

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Traced:
    """A batch's log-probabilities and scores under a model.

    Args:
        logp_w: Of the chosen responses, ``(batch,)``, nats.
        logp_l: Of the rejected ones.
        scores_w: Scores of the chosen responses.
        scores_l: Of the rejected ones.
        shapes: Shape of each parameter, by name.
    """

    logp_w: Array
    logp_l: Array
    scores_w: Scores
    scores_l: Scores
    shapes: Mapping[str, torch.Size]

    def gram(
        self,
        metric: Preconditioner | None = None,
        parameters: Callable[[str], bool] = lambda _: True,
    ) -> Gram:
        """Gram of each pair, ``(batch,)`` each: of some parameters alone, in a metric."""
        products = np.zeros((3, len(self.logp_w)))
        sides = [
            {n: part for n, part in scores.items() if parameters(n)}
            for scores in (self.scores_w, self.scores_l)
        ]
        for _, part in own_products(sides[0], sides[1], metric):
            products += part.numpy()
        return Gram(*products)

    def products(self, metric: Preconditioner | None = None) -> Array:
        """All score products, ``(2 batch, 2 batch)``, the chosen first."""
        both = [self.scores_w, self.scores_l]
        n = len(self.logp_w)
        whole = np.zeros((2 * n, 2 * n))
        for _, part in all_products(both, both, metric):
            whole += part.numpy()
        return whole

    def mean_products(
        self, d_w: Array, d_l: Array, metric: Preconditioner | None = None
    ) -> MeanProducts:
        """What the mean scores feel of both halves of a step, as of all products of the batch.

        From four sums of scores, which costs less than the products do.
        """
        n = len(self.logp_w)
        even = np.full(n, 1 / n)
        total = np.zeros((2, 2))
        for name, shape in self.shapes.items():
            means, halves = (
                [
                    weighted((part, torch.from_numpy(weights))).reshape(shape)
                    for part, weights in (
                        (self.scores_w[name], of_w), (self.scores_l[name], of_l),
                    )
                ]
                for of_w, of_l in ((even, even), (d_w / n, d_l / n))
            )  # fmt: skip
            if metric is not None:
                means = [x * metric[name].to(x) for x in means]
            total += [[float((x * y).sum(dtype=torch.float64)) for y in halves] for x in means]
        return MeanProducts(*total.ravel())

    def gradient(self, pull: Array, push: Array) -> dict[str, Tensor]:
        r"""Return :math:`\sum_i(\mathrm{pull}_ia_i - \mathrm{push}_ib_i)` by parameter."""
        up, down = torch.from_numpy(pull), torch.from_numpy(-push)
        return {
            name: weighted((self.scores_w[name], up), (self.scores_l[name], down)).reshape(shape)
            for name, shape in self.shapes.items()
        }


def trace(
    model: Model, batch_w: Batch, batch_l: Batch, parameters: Selection | None = None
) -> Traced:
    """Read a batch of pairs once; the model is as before when it returns.

    The scores of the whole batch are held at once.

    Raises:
        ValueError: As :func:`disband.lm.scores.grams.pair_gram`.
    """
    with measuring(model, parameters) as measurement:
        both = measurement.pairs(*measurement.take(batch_w, batch_l))
        logp_w, logp_l = np.split(measurement.logp, 2)
        named = dict(model.named_parameters())
        shapes = {name: named[name].shape for name in measurement.parameters}
    return Traced(logp_w, logp_l, both[0], both[1], shapes)


# From a batch, its incentives and the optimizer as it is before the step, to other incentives.
Method = Callable[[Traced, Array, Array, Optimizer], Incentives]


def train_calibrated(
    model: Model,
    pairs: Sequence[Pair],
    objective: "HasKernels",
    *,
    rule: Rule,
    method: Method | None,
    after: Callable[[int], bool | None],
    fades: bool = False,
    clip: float | None = None,
    **values: float,
) -> dict[str, Array]:
    """Train on preferences with a method, or with none by autograd, and time every step.

    The reference is the model as it comes in; dropout is off.

    Args:
        model: Trained in place.
        pairs: Chosen and rejected batches with the same prompts.
        objective: Whose incentives are taken.
        rule: The optimizer.
        method: What is done to the incentives; without one, the loss is minimised as any trainer
            would, one forward and one backward pass a step.
        after: Called with the number of updates done, 0 included; training ends when it is true.
            Its time is not counted.
        fades: After the warm-up the rate falls linearly, to zero behind the last update, as it
            does in a trainer by default.
        clip: Longer gradients are cut to this norm; none are if not given.
        values: Hyperparameters of the objective that differ from its defaults.

    Returns:
        ``seconds``: CPU time of each step; ``log_ratio``: mean over the batch of the logarithm of
        what the method made of the ratio of incentives, against what it was; zero without one.
    """
    model.eval()
    with torch.no_grad():
        references = [logp(model, join(*pair)).chunk(2) for pair in pairs]
    optimizer = rule.build(model)
    last = len(pairs) if fades else math.inf

    def share(step: int) -> float:
        """Of the learning rate, before update ``step + 1``."""
        ending = (last - step) / (last - rule.warmup) if fades else 1.0
        return max(0.0, min(1.0, (step + 1) / (rule.warmup + 1), ending))

    schedule = LambdaLR(optimizer, share)
    trained = [p for p in model.parameters() if p.requires_grad]
    loss_of = objective.kernel("loss", "torch", **values)
    incentives = objective.kernel("incentives", "numpy", **values)
    seconds: list[float] = []
    shifts: list[float] = []
    after(0)
    for number, (pair, reference) in enumerate(zip(pairs, references, strict=True), start=1):
        lengths = [b.lengths for b in pair]
        with _timed(seconds):
            optimizer.zero_grad()
            if method is None:
                logps = logp(model, join(*pair)).chunk(2)
                loss_of(*logps, *reference, *lengths).mean().backward()
                shift = 0.0
            else:
                traced = trace(model, *pair)
                held = (*(r.double().numpy(force=True) for r in reference), *map(_plain, lengths))
                d_w, d_l = (
                    np.broadcast_to(np.asarray(d, float), traced.logp_w.shape)
                    for d in incentives(traced.logp_w, traced.logp_l, *held)
                )
                used = method(traced, d_w, d_l, optimizer)
                shift = _shift(used, d_w, d_l)
                _descend(model, traced.gradient(-used.d_w / len(d_w), -used.d_l / len(d_w)))
            if clip is not None:
                clip_grad_norm_(trained, clip)
            optimizer.step()
            schedule.step()
        shifts.append(shift)
        if after(number):
            break
    return {"seconds": np.array(seconds), "log_ratio": np.array(shifts)}


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    begun = process_time()
    yield
    seconds.append(process_time() - begun)


def _descend(model: Model, gradient: Mapping[str, Tensor]) -> None:
    for name, parameter in model.named_parameters():
        if name in gradient:
            parameter.grad = gradient[name].to(parameter)


def _shift(used: Incentives, d_w: Array, d_l: Array) -> float:
    usable = (np.stack([used.d_w, used.d_l, d_w, d_l]) > 0).all(0)
    if not usable.any():
        return float("nan")
    new, old = np.log(used.d_w[usable] / used.d_l[usable]), np.log(d_w[usable] / d_l[usable])
    return float(np.mean(new - old))


def _plain(lengths: Any) -> Any:
    return lengths.numpy(force=True)
