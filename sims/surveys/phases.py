r"""Which case every geometry of the scores makes of an objective's incentives at one pair."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disband.theory.band import case
from disband.theory.gram import Gram
from disband.theory.kernels.compiled import HasKernels

Array = NDArray[np.float64]
STILL = -1  # beside the cases of theory.band.Case: both incentives are zero
DATA = ("logp_w", "logp_l", "ref_w", "ref_l", "len_w", "len_l")
# Equal at the start, then the rejected response has fallen by 8 nats; of unequal length.
FAR = {"logp_w": -30.0, "logp_l": -38.0, "ref_w": -30.0, "ref_l": -30.0, "len_w": 20, "len_l": 30}


@dataclass(frozen=True)
class Phases:
    r"""The case at every point of a grid over :math:`(\rho, \log s)`, :math:`s = \|b\|/\|a\|`.

    Args:
        name: The objective.
        state: What tells this panel from others of the objective, such as its margin.
        cosine: Values of :math:`\rho`, ``(m,)``, rising.
        log_norm_ratio: Values of :math:`\log s`, ``(k,)``, rising.
        cases: :class:`disband.theory.band.Case` at each of them, or ``STILL``, ``(k, m)``.
    """

    name: str
    state: str
    cosine: Array
    log_norm_ratio: Array
    cases: NDArray[np.int8]


def phases(
    objective: HasKernels,
    pair: Mapping[str, float],
    *,
    hyper: Mapping[str, float] | None = None,
    state: str = "",
    cosine: ArrayLike | None = None,
    log_norm_ratio: ArrayLike | None = None,
) -> Phases:
    """Return the phase diagram of an objective at one pair.

    Args:
        objective: The objective.
        pair: The six numbers of ``DATA`` by name.
        hyper: Hyperparameters that differ from the defaults.
        state: What to call the pair.
        cosine: The grid's cosines, by default 161 from -0.2 to 1.
        log_norm_ratio: The grid's log norm ratios, by default 161 from -2.5 to 2.5.
    """
    rho = np.linspace(-0.2, 1, 161) if cosine is None else np.asarray(cosine, float)
    logs = (
        np.linspace(-2.5, 2.5, 161) if log_norm_ratio is None else np.asarray(log_norm_ratio, float)
    )
    incentives = objective.kernel("incentives", "numpy", **(hyper or {}))
    d_w, d_l = (float(d) for d in incentives(*(pair[name] for name in DATA)))
    gram = Gram.of_angle(rho, np.exp(logs)[:, None])
    still = d_w == d_l == 0
    cases = np.full((len(logs), len(rho)), STILL, np.int8) if still else case(d_w, d_l, gram)
    return Phases(objective.name, state, rho, logs, cases)


def over_margins(
    objectives: Iterable[tuple[HasKernels, Mapping[str, float]]],
    pair: Mapping[str, float],
    fall: float = 8.0,
) -> list[Phases]:
    """Return each objective at three margins: the chosen fallen, as it is, the rejected fallen."""
    states = {
        f"chosen fallen {fall:g} nats": {**pair, "logp_w": pair["logp_w"] - fall},
        "the pair": pair,
        f"rejected fallen {fall:g} nats": {**pair, "logp_l": pair["logp_l"] - fall},
    }
    return [
        phases(objective, its, hyper=hyper, state=state)
        for objective, hyper in objectives
        for state, its in states.items()
    ]


def agreement(one: Phases, other: Phases) -> float:
    """Return the share of the grid on which two diagrams have the same case."""
    return float((one.cases == other.cases).mean())


def representatives(diagrams: Sequence[Phases], count: int = 6) -> dict[str, list[Phases]]:
    """Return so many diagrams that stand for all, each with those that it stands for.

    The first is the one that agrees most with all; then always the one that agrees least with
    what stands already. Of so few or fewer each stands for itself. Keys are names of
    objectives; every list begins with its own.
    """
    if len(diagrams) <= count:
        return {one.name: [one] for one in diagrams}
    agrees = np.array([[agreement(one, other) for other in diagrams] for one in diagrams])
    chosen = [int(agrees.sum(1).argmax())]
    while len(chosen) < min(count, len(diagrams)):
        nearest = agrees[:, chosen].max(1)
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
    stands: dict[str, list[Phases]] = {diagrams[i].name: [diagrams[i]] for i in chosen}
    for i, one in enumerate(diagrams):
        if i not in chosen:
            stands[diagrams[chosen[int(agrees[i, chosen].argmax())]].name].append(one)
    return stands
