r"""Objectives of a whole batch that compare sorted values: optimal transport on the line.

The loss pairs values of equal rank, so its gradient is a pairwise objective's at rearranged data:
a sort moves no gradient from one response to another.

Source: Melnyk et al. 2024, "Distributional preference alignment of LLMs via optimal transport".
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..objective import Objective
from .margin import DPO

Array = NDArray[np.float64]
# Policy of the chosen and the rejected, reference of the chosen and the rejected.
Logps = tuple[Array, Array, Array, Array]


@dataclass(frozen=True)
class BatchObjective:
    """A loss of a batch: a pairwise one, each response meeting another partner than its own.

    Args:
        name: Its name.
        pairwise: The objective whose incentives it has, after the rearrangement.
        rearrange: What the chosen responses see of the batch, and what the rejected ones see.
        source: Where it was published.
        note: One sentence for the reader.
    """

    name: str
    pairwise: Objective
    rearrange: Callable[[Logps], tuple[Logps, Logps]]
    source: str
    note: str = ""

    def loss(
        self, logp_w: ArrayLike, logp_l: ArrayLike, ref_w: ArrayLike, ref_l: ArrayLike,
        **hyper: float,
    ) -> Array:  # fmt: skip
        """Return the loss in nats of each chosen response with its partner, ``(batch,)``.

        Hyperparameters are those of the pairwise objective.

        Raises:
            ValueError: The four are not arrays of one batch.
        """
        seen, _ = self.rearrange(_batch(logp_w, logp_l, ref_w, ref_l))
        return np.asarray(self.pairwise.kernel("loss", "numpy", **hyper)(*seen, 1, 1))

    def incentives(
        self, logp_w: ArrayLike, logp_l: ArrayLike, ref_w: ArrayLike, ref_l: ArrayLike,
        **hyper: float,
    ) -> tuple[Array, Array]:  # fmt: skip
        r"""Return ``(d_w, d_l)`` of each pair, ``(batch,)`` both.

        They are those of the sum over the batch: divide by its size for the mean.

        Raises:
            ValueError: The four are not arrays of one batch.
        """
        seen_w, seen_l = self.rearrange(_batch(logp_w, logp_l, ref_w, ref_l))
        d_w, d_l = (self.pairwise.kernel(what, "numpy", **hyper) for what in ("d_w", "d_l"))
        return np.asarray(d_w(*seen_w, 1, 1)), np.asarray(d_l(*seen_l, 1, 1))


def _batch(*columns: ArrayLike) -> Logps:
    logp_w, logp_l, ref_w, ref_l = (np.asarray(column, float) for column in columns)
    shapes = [column.shape for column in (logp_w, logp_l, ref_w, ref_l)]
    if len(set(shapes)) > 1 or logp_w.ndim != 1:
        raise ValueError(f"a batch is four arrays of one length: got {shapes}; pass (batch,) each")
    return logp_w, logp_l, ref_w, ref_l


def _of_equal_rank(values: Array, others: Array) -> Array:
    """Return for each of ``values`` the one of ``others`` that has its rank."""
    partners = np.empty_like(others)
    partners[np.argsort(values, kind="stable")] = np.sort(others)
    return partners


def _margins(data: Logps) -> tuple[Logps, Logps]:
    """Each pair's margin meets the reference margin of its rank."""
    logp_w, logp_l, ref_w, ref_l = data
    partner = _of_equal_rank(logp_w - logp_l, ref_w - ref_l)
    seen = (logp_w, logp_l, partner, np.zeros_like(partner))
    return seen, seen


def _log_ratios(data: Logps) -> tuple[Logps, Logps]:
    """Each chosen log-ratio meets the rejected one of its rank, whosever it is."""
    logp_w, logp_l, ref_w, ref_l = data
    ratio_w, ratio_l = logp_w - ref_w, logp_l - ref_l
    zero = np.zeros_like(ratio_w)
    seen_w = (ratio_w, _of_equal_rank(ratio_w, ratio_l), zero, zero)
    seen_l = (_of_equal_rank(ratio_l, ratio_w), ratio_l, zero, zero)
    return seen_w, seen_l


AOT = BatchObjective(
    name="AOT",
    pairwise=DPO,
    rearrange=_margins,
    source="Melnyk et al. 2024, paired; TRL 1.16: aot",
    note="With TRL's label_smoothing, the pairwise objective is cDPO.",
)

AOT_UNPAIRED = BatchObjective(
    name="AOT-unpaired",
    pairwise=DPO,
    rearrange=_log_ratios,
    source="Melnyk et al. 2024, unpaired; TRL 1.16: aot_unpaired",
    note="With TRL's label_smoothing, the pairwise objective is cDPO.",
)
