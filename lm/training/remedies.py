"""What is done to the incentives of a batch by its own scores: methods for ``train_calibrated``."""

from typing import Any

import numpy as np
import numpy.typing as npt
from torch.optim import Optimizer

from disband.sims.methods.averages import Averages, log_sums
from disband.sims.methods.calibrate import (
    Incentives,
    batch_calibrated,
    normalised,
    rescaled,
    reward_calibrated,
)
from disband.theory.batch import batch_band, batch_factor, is_empty

from ..model.gpt2 import Model
from ..scores.grams import adam_preconditioner
from .calibrated import Traced

Array = npt.NDArray[Any]


def calibrated_by_pair(traced: Traced, d_w: Array, d_l: Array, _: Optimizer) -> Incentives:
    """Reward calibration, each pair with the factor of its own."""
    return reward_calibrated(d_w, d_l, traced.gram())


def calibrated_by_batch(traced: Traced, d_w: Array, d_l: Array, _: Optimizer) -> Incentives:
    """Reward calibration, one factor for the batch, from the means of its logarithms."""
    return batch_calibrated(d_w, d_l, traced.gram())


def normalised_gradients(traced: Traced, d_w: Array, d_l: Array, _: Optimizer) -> Incentives:
    r"""Both scores of a pair to length one, times :math:`\sqrt{d_wd_l}`."""
    size = np.sqrt(np.maximum(d_w, 0)) * np.sqrt(np.maximum(d_l, 0))
    return normalised(size, traced.gram())


class BandCalibration:
    """Calibration inside the batch band, in Adam's metric as the last step left it.

    Args:
        model: The one that is trained.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self.empty: list[float] = []
        """Of each batch so far, whether no factor makes both means go right: 1 or 0."""

    def __call__(self, traced: Traced, d_w: Array, d_l: Array, optimizer: Optimizer) -> Incentives:
        """The incentives with the factor of the whole batch."""
        metric = adam_preconditioner(optimizer, self._model) if optimizer.state else None
        mean = traced.mean_products(d_w, d_l, metric)
        self.empty.append(float(is_empty(batch_band(mean))))
        return rescaled(d_w, d_l, np.full(d_w.shape, batch_factor(mean)))


class PublishedCalibration:
    """Moving averages of the batch's means, of the scores of the head's parameters alone.

    Args:
        model: The one that is trained.
    """

    def __init__(self, model: Model) -> None:
        weight = model.get_output_embeddings().weight
        self._names = {name for name, p in model.named_parameters() if p is weight}
        self._averages = Averages.as_published()

    def __call__(self, traced: Traced, d_w: Array, d_l: Array, _: Optimizer) -> Incentives:
        """The incentives with the averages' factor."""
        gram = traced.gram(parameters=self._names.__contains__)
        self._averages = self._averages.update(log_sums(d_w, d_l, gram))
        return rescaled(d_w, d_l, np.full(d_w.shape, self._averages.factor))
