r"""How one logged metric moved over a run: start, end, noise, turning point; and what a loss says.

A metric moved if its mean over the last tenth of the log (two lines at least) differs from that
over the first tenth by more than the 95 % interval of that difference, Student's t. Noise is
estimated from second differences of the lines, :math:`\sigma^2 = \overline{(x_{i-1} - 2x_i +
x_{i+1})^2}/6`, which a steady trend does not
inflate; fewer than ``ENOUGH`` lines carry no estimate. A turning point is the extreme line, or of
``MANY`` lines and more the extreme of their means over a tenth, so that no single line of a noisy
log is one; it counts beyond that interval, of as many means as were looked at.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import norm
from scipy.stats import t as student

Array = npt.NDArray[np.float64]

END = 0.1  # which part of the log counts as its start, and as its end
ENOUGH = 8  # lines from which noise is estimated
MANY = 20  # lines from which a turning point is one of their means
_REGAINED = 0.1  # the least share of a fall whose regaining is told
_STEADY = 0.01  # how far a loss on its floor still drifts, relative to it
_SCATTER = 0.05  # how far its lines are from their mean, relative to it
_FIT = 0.3  # how far, relative to it, a margin may be from the one that label smoothing has
_RIGHT = 0.9  # the share of pairs ranked right from which a floor of the loss is one


@dataclass(frozen=True)
class Turn:
    """Where a metric was lowest, or highest, and how much of the way it has come back since.

    Args:
        value: The extreme value.
        step: Its step.
        back: The share of the way from the start to it that was undone by the end.
    """

    value: float
    step: int
    back: float


@dataclass(frozen=True)
class Motion:
    """How one side moved over the run.

    Args:
        metric: What was logged of it.
        lines: How many lines have it.
        start: Mean over the first tenth of the lines.
        end: Mean over the last tenth.
        noise: Half the width of the 95 % interval of the difference; NaN with too few lines.
        halfway: The first logged step at which half of the change was made; None if it did not
            move.
        turn: Where it turned; None if it did not.
    """

    metric: str
    lines: int
    start: float
    end: float
    noise: float
    halfway: int | None = None
    turn: Turn | None = None

    @property
    def change(self) -> float:
        """End minus start."""
        return self.end - self.start

    @property
    def direction(self) -> int:
        """1 if it rose, -1 if it fell, 0 if neither beyond its noise."""
        noise = 0.0 if math.isnan(self.noise) else self.noise
        return 0 if abs(self.change) <= noise else int(np.sign(self.change))


def motion(metric: str, steps: Array, values: Array) -> Motion:
    """How a metric moved from the start of its log to the end."""
    enough = len(values) >= ENOUGH
    size = max(2 if enough else 1, math.ceil(END * len(values)))
    first, last = values[:size], values[-size:]
    start, end = float(first.mean()), float(last.mean())
    noise = math.nan
    if enough:
        scatter = math.sqrt(float((np.diff(values, 2) ** 2).mean()) / 6)
        # 18/35 of the second differences' number are their degrees of freedom under white noise.
        free = 18 * (len(values) - 2) / 35
        noise = float(student.ppf(0.975, free)) * scatter * math.sqrt(2 / size)
    plain = Motion(metric, len(values), start, end, noise)
    turn = _turn(plain, steps, values, size)
    if plain.direction == 0:
        return Motion(metric, len(values), start, end, noise, None, turn)
    smooth = smoothed(values, size)
    beyond = np.flatnonzero((smooth - start) * plain.direction >= abs(plain.change) / 2)
    halfway = int(steps[beyond[0]]) if len(beyond) else None
    return Motion(metric, len(values), start, end, noise, halfway, turn)


def _turn(plain: Motion, steps: Array, values: Array, size: int) -> Turn | None:
    """The extreme between start and end, if the ways to it and back exceed the noise."""
    width = size if len(values) >= MANY else 1
    values = smoothed(values, width)
    looked_at = len(values) / width if len(values) >= MANY else 1
    more = norm.ppf(1 - 0.025 / looked_at) / norm.ppf(0.975)
    noise = plain.noise * math.sqrt((size / width + 1) / 2) * float(more)
    noise = 0.0 if math.isnan(noise) else noise
    turns = []
    for sign, at in ((-1, int(values.argmin())), (1, int(values.argmax()))):
        away, back = sign * (values[at] - plain.start), sign * (values[at] - plain.end)
        between = size <= at < len(values) - size
        if between and min(away, back) > noise and back >= _REGAINED * away:
            turns.append((min(away, back), Turn(float(values[at]), int(steps[at]), back / away)))
    return max(turns, key=lambda pair: pair[0])[1] if turns else None


def smoothed(values: Array, size: int) -> Array:
    """Means over ``size`` neighbours, fewer at the ends."""
    before, after = size // 2, size - size // 2
    return np.array([
        values[max(0, i - before) : i + after].mean() for i in range(len(values))
    ])  # fmt: skip


def label_smoothing(loss: Array, margin: Array, accuracy: Array) -> float:
    r"""The label smoothing whose least loss a run's loss has come to rest on; NaN if on none.

    Cross-entropy with labels smoothed by :math:`\varepsilon` is least where
    :math:`\sigma(m) = 1 - \varepsilon`, at the margin :math:`m = \log\frac{1-\varepsilon}
    {\varepsilon}`, and is there the entropy
    :math:`-\varepsilon\log\varepsilon - (1-\varepsilon)\log(1-\varepsilon)`.

    Args:
        loss: As logged, ``(n,)``.
        margin: Of rewards, as logged, ``(n,)``.
        accuracy: Share of pairs ranked right, ``(n,)``.
    """
    size = len(loss) // 3
    if size < ENOUGH or not len(margin) or not len(accuracy):
        return math.nan
    rest = loss[-size:]
    if rest.std() > _SCATTER * rest.mean():
        return math.nan
    floor, drift = float(rest.mean()), abs(rest[: size // 2].mean() - rest[size // 2 :].mean())
    if not 0.01 < floor < 0.65 or drift > _STEADY * floor or accuracy[-size:].mean() < _RIGHT:
        return math.nan
    smoothing = float(brentq(lambda e: _entropy(e) - floor, 1e-9, 0.5))
    best = math.log((1 - smoothing) / smoothing)
    fits = abs(float(margin[-size:].mean()) - best) <= _FIT * best
    return smoothing if fits else math.nan


def _entropy(share: float) -> float:
    return -share * math.log(share) - (1 - share) * math.log1p(-share)
