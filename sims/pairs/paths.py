r"""Where a run goes beside the wedge of the band, and which way both responses really went.

The wedge is :math:`|\log r - \log r^*| \le -\log\rho` in the plane of the cosine and of the ratio
of incentives against its centre. Places come from incentives and scores, directions from the
log-probabilities before and after each step: so a step that goes wrong inside the wedge, as a long
one can, is seen to.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.theory.band import case_of

from .studies import Study

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    r"""One run of one pair, T steps.

    Args:
        cosine: :math:`\rho` at each state, ``(T + 1,)``.
        offset: :math:`\log r - \log r^*` of the incentives that the step uses, ``(T + 1,)``; NaN
            where they are not both positive.
        gain_w: Change of the chosen log-probability since the start, ``(T + 1,)`` nats.
        gain_l: The same of the rejected.
    """

    cosine: Array
    offset: Array
    gain_w: Array
    gain_l: Array

    @property
    def cases(self) -> NDArray[np.int8]:
        """The :class:`disband.theory.band.Case` of each step, as measured, ``(T,)``."""
        return case_of(np.diff(self.gain_w), np.diff(self.gain_l))

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether each state lies in the wedge, but for rounding, ``(T + 1,)``."""
        acute = self.cosine > 0
        width = np.where(acute, -np.log(np.where(acute, self.cosine, 1.0)), np.inf)
        return np.asarray(np.abs(self.offset) <= width + 1e-9)


def path(study: Study) -> Path:
    """Return where a run went; of a batch, its first problem."""
    run = study.trajectory

    def first(values: Any) -> Array:
        array = np.asarray(values, float)
        return array.reshape(len(array), -1)[:, 0]

    d_w, d_l = first(run.d_w), first(run.d_l)
    both = (d_w > 0) & (d_l > 0)
    ratio = [np.log(np.where(both, d, np.nan)) for d in (d_w, d_l)]
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(first(run.gram.norm_ratio))
    logp_w, logp_l = first(run.logp_w), first(run.logp_l)
    return Path(
        cosine=first(run.gram.cosine),
        offset=ratio[0] - ratio[1] - centre,
        gain_w=logp_w - logp_w[0],
        gain_l=logp_l - logp_l[0],
    )
