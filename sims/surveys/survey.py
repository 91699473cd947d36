"""What each method makes of many toy problems, as shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from disband.theory.batch import batch_band, is_empty, mean_products
from disband.theory.kernels.compiled import HasKernels
from disband.theory.models.common_step import common_step

from ..methods.treatments import FOR_ONE_PAIR, TREATMENTS
from .entry import Start
from .outcomes import Outcomes, outcomes
from .two_tokens import Problems, State, crowds, one_pair

Row = dict[str, Any]

MOST_CHECKED = 500  # batches for which a common step is looked for, one by one


@dataclass(frozen=True)
class Survey:
    """Which toy problems are asked.

    Args:
        problems: How many runs.
        pairs: Pairs in each run's batch; with one, its norm ratio and cosine are drawn evenly.
        dimensions: Of the features in a batch of several pairs.
        steps: Steps of each run.
        lr: Step size; without one it is drawn for each run, evenly in logs from 0.3 to 100.
        seed: The same seed draws the same problems.

    Raises:
        ValueError: Fewer than one problem, pair, dimension or step.
    """

    problems: int = 100_000
    pairs: int = 1
    dimensions: int = 8
    steps: int = 20
    lr: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.problems, self.pairs, self.dimensions, self.steps) < 1:
            raise ValueError(
                "a survey has problems, pairs, dimensions and steps: got "
                f"{self.problems}, {self.pairs}, {self.dimensions} and {self.steps}; set each to "
                "1 or more"
            )

    def draw(self) -> tuple[Problems, Any]:
        """Return the problems and their step sizes."""
        rng = np.random.default_rng(self.seed)
        sizes = np.exp(rng.uniform(np.log(0.3), np.log(100), self.problems))
        rate = sizes if self.lr is None else self.lr
        if self.pairs > 1:
            made = crowds(self.problems, self.pairs, dimensions=self.dimensions, seed=self.seed)
            return made, rate
        start = Start(
            margin=rng.uniform(-2, 2, self.problems),
            norm_ratio=np.exp(rng.uniform(-1.5, 1.5, self.problems)),
            cosine=rng.uniform(-0.2, 0.99, self.problems),
        )
        return one_pair(start), rate


def survey(
    objective: HasKernels,
    methods: Sequence[str] = (),
    asked: Survey | None = None,
    hyper: Mapping[str, float] | None = None,
) -> list[Row]:
    """Return one row for each method, all on the same problems; without names, for every method.

    Raises:
        ValueError: A method or a hyperparameter is unknown.
    """
    ask = asked or Survey()
    problems, rate = ask.draw()
    names = methods or (FOR_ONE_PAIR if ask.pairs == 1 else tuple(TREATMENTS))
    return [
        _row(
            name,
            outcomes(objective, problems, lr=rate, steps=ask.steps, method=name, hyper=hyper),
        )
        for name in names
    ]


def _row(name: str, result: Outcomes) -> Row:
    mean_w, mean_l = result.change_w.mean(-1), result.change_l.mean(-1)
    return {
        "method": name,
        **result.shares(),
        "steps in which the chosen fell": float(result.fell.mean()),
        "steps in which the rejected rose": float(result.rose.mean()),
        "steps in the pair's band": float(result.inside.mean()),
        "batches whose means go right": float(((mean_w >= 0) & (mean_l <= 0)).mean()),
        "margin gained, median": float(np.nanmedian(result.margin)),
    }


def feasibility(objective: HasKernels, asked: Survey) -> Row:
    """How many batches have, at the start, an empty batch band or no step that suits all pairs."""
    problems, _ = asked.draw()
    flat = problems.flat()
    state = State.of(flat.odds)
    n = flat.pairs
    d_w, d_l = objective.kernel("incentives", "numpy")(
        state.logp[:, :n], state.logp[:, n:], flat.ref[:, :n], flat.ref[:, n:], 1.0, 1.0
    )
    products = state.scores(flat.moved)
    empty = is_empty(batch_band(mean_products(products, d_w, d_l)))
    suits = [common_step(batch).exists for batch in products[:MOST_CHECKED]]
    return {
        "batch band empty": float(empty.mean()),
        "no step suits every pair": float(1 - np.mean(suits)),
    }
