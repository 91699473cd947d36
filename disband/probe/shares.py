"""What each objective makes of measured score products: cases of pairs and of batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from disband.theory.band import calibration
from disband.theory.batch import MeanProducts, batch_band, batch_factor, is_empty, mean_products
from disband.theory.batch import pair_changes as changes_in_batch
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.kernels.compiled import HasKernels
from disband.theory.outcome import Codes, Outcome, outcomes, own_outcomes

from .distances import quantiles
from .measure import Measured
from .records import BatchReport, OneFactor, Outcomes, PairReport, PairsAt, Share

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95
ROUNDING = 1e-12  # of float64 sums, relative


@dataclass(frozen=True)
class State:
    """The sample as objectives see it, arrays of shape ``(pairs,)``.

    Args:
        logp_w, logp_l: Log-probabilities, nats.
        ref_w, ref_l: Those of the reference.
        len_w, len_l: Response lengths in tokens.
        identical: Whether both responses are the same tokens: their scores are equal, and what
            rounding leaves of their difference is no motion.
        gap: Score gaps of the pairs, for a loss that reads them; NaN where there are none.
    """

    logp_w: Array
    logp_l: Array
    ref_w: Array
    ref_l: Array
    len_w: Array
    len_l: Array
    identical: npt.NDArray[np.bool_]
    gap: Array

    def incentives(
        self, objective: HasKernels, settings: Mapping[str, float], margin: float = 0.0
    ) -> tuple[Array, Array]:
        """``d_w`` and ``d_l`` of each pair when the rejected has fallen by ``margin`` nats."""
        data = vars(self) | {"logp_l": self.logp_l - margin}
        values = [data[name] for name in objective.arguments]
        kernel = objective.kernel("incentives", "numpy", **settings)
        d_w, d_l = (
            np.broadcast_to(np.asarray(d, float), self.logp_w.shape) for d in kernel(*values)
        )
        return d_w, d_l


def share(count: int, total: int) -> Share:
    """A share with its count and Wilson's interval at ``CONFIDENCE``; of nothing all are NaN."""
    if total == 0:
        nothing = float("nan")
        return {"count": 0, "of": 0, "share": nothing, "low": nothing, "high": nothing}
    low, high = binomtest(count, total).proportion_ci(CONFIDENCE, "wilson")
    return {
        "count": count,
        "of": total,
        "share": count / total,
        "low": float(low),
        "high": float(high),
    }


def table(codes: Codes) -> Outcomes:
    """How often each outcome is among these, by its name in lower case."""
    return {o.name.lower(): share(int((codes == o).sum()), codes.size) for o in Outcome}


def drag(d_w: Array, d_l: Array, gram: Gram) -> Array:
    r"""Share of the chosen's pull that the push on the rejected takes away again.

    .. math:: \frac{d_l\langle a,b\rangle}{d_w\|a\|^2}

    Above one, the chosen falls; NaN where the pull is not positive.
    """
    pull = d_w * gram.sq_w
    return np.asarray(
        np.divide(d_l * gram.dot, pull, out=np.full(pull.shape, np.nan), where=pull > 0)
    )


def pair_report(
    objective: HasKernels,
    settings: Mapping[str, float],
    state: State,
    gram: Gram,
    margins: Sequence[float],
) -> PairReport:
    """What steps on single pairs do under one objective, at the start and at each margin.

    The score products stay those of the start: what a margin changes here are the incentives.
    """
    at: list[PairsAt] = []
    for margin in margins:
        d_w, d_l = state.incentives(objective, settings, margin)
        codes = own_outcomes(d_w, d_l, gram, state.identical)
        factors = calibration(d_w, d_l, gram)
        # Of identical responses any factor is as good.
        factors = np.where(state.identical, np.nan, factors)
        ratio = np.divide(d_w, d_l, out=np.full(d_w.shape, np.nan), where=(d_w > 0) & (d_l > 0))
        at.append(
            {
                "margin": margin,
                "outcomes": table(codes),
                "incentive_ratio": quantiles(ratio),
                "calibration": quantiles(factors),
                "one_factor": _one_factor(d_w, d_l, gram, factors),
                "without_calibration": share(int(np.isnan(factors).sum()), factors.size),
                "drag": quantiles(drag(d_w, d_l, gram)),
            }
        )
    return {
        "objective": objective.name,
        "settings": objective.settings(settings),
        "at": at,
    }


def _one_factor(d_w: Array, d_l: Array, gram: Gram, factors: Array) -> OneFactor | None:
    """How many pairs that have a factor of their own are ideal under their geometric mean."""
    has = np.isfinite(factors)
    if not has.any():
        return None
    factor = float(np.exp(np.log(factors[has]).mean()))
    some = Gram(*(part[has] for part in _parts(gram)))
    codes = outcomes(*first_order(d_w[has] * factor, d_l[has] / factor, some))
    return {"factor": factor, "ideal": share(int((codes == Outcome.IDEAL).sum()), int(has.sum()))}


def batch_report(
    objective: HasKernels, settings: Mapping[str, float], state: State, measured: Measured
) -> BatchReport | None:
    """What one common step does to whole batches under one objective; None without batches."""
    count, size = len(measured.products), measured.products.shape[-1] // 2
    if not count:
        return None
    d_w, d_l = (
        d[: count * size].reshape(count, size) for d in state.incentives(objective, settings)
    )
    identical = state.identical[: count * size].reshape(count, size)
    products = _as_one(measured.products, identical)
    changes = changes_in_batch(products, d_w, d_l)
    felt = np.concatenate([np.abs(d_w), np.abs(d_l)], -1)[..., None, :] / size
    most = (np.abs(products) * felt).sum(-1)
    inside = outcomes(*changes, _at_rest(changes, (most[:, :size], most[:, size:])))
    mean: MeanProducts = mean_products(products, d_w, d_l)
    moved = mean.changes()
    whole = (abs(mean.w_pull) + abs(mean.w_push), abs(mean.l_pull) + abs(mean.l_push))
    means = outcomes(*moved, _at_rest(moved, whole))
    known = means != Outcome.UNKNOWN
    own = Gram(*(np.reshape(v[: count * size], (count, size)) for v in _parts(measured.gram)))
    alone = own_outcomes(d_w, d_l, own, identical)
    compared = ~identical & (alone < Outcome.STILL) & (inside < Outcome.STILL)
    empty = is_empty(batch_band(mean)) & known
    return {
        "batches": count,
        "size": size,
        "means": table(means),
        "pairs": table(inside),
        "as_alone": share(int((alone == inside)[compared].sum()), int(compared.sum())),
        "empty_band": share(int(empty.sum()), int(known.sum())),
        "factor": quantiles(batch_factor(mean)),
    }


def _as_one(products: Array, identical: npt.NDArray[np.bool_]) -> Array:
    """The products with both scores of identical responses made one, as they are but for rounding.

    Otherwise what rounding leaves of their difference would decide batches of such pairs.
    """
    merged, size = products.copy(), identical.shape[-1]
    for batch, i in np.argwhere(identical):
        one, other = merged[batch], size + i
        one[[i, other]] = (one[i] + one[other]) / 2
        one[:, [i, other]] = ((one[:, i] + one[:, other]) / 2)[:, None]
    return merged


def _at_rest(changes: tuple[Any, Any], most: tuple[Any, Any]) -> npt.NDArray[np.bool_]:
    """Whether both changes are but rounding of sums of such a size."""
    (w, l), (most_w, most_l) = changes, most  # noqa: E741
    return np.asarray((np.abs(w) <= ROUNDING * most_w) & (np.abs(l) <= ROUNDING * most_l))


def _parts(gram: Gram) -> tuple[Array, Array, Array]:
    return gram.sq_w, gram.sq_l, gram.dot
