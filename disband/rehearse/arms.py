"""The arms of a rehearsal: an objective, trained as it is or with a remedy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..probe.inputs import Objectives, read_objectives
from ..terminal.errors import Refusal
from .inputs import Rehearsal

if TYPE_CHECKING:
    from disband.lm.training.calibrated import Method
    from disband.theory.kernels.compiled import HasKernels, Quantity
    from disband.theory.kernels.program import Kernel
    from disband.theory.kernels.stable import Backend

LIKELIHOOD = "likelihood"
# What --remedy takes, and what each does.
REMEDIES: Mapping[str, str] = {
    "pairs": "each pair calibrated by its own scores",
    "batch": "one calibration factor for the batch, from the means of its logarithms",
    "band": "one factor for the batch, into the band of its means in the optimizer's metric",
    "normalised": "both scores of each pair to length one",
    LIKELIHOOD: "a term of the chosen's mean log-likelihood beside the loss",
}


@dataclass(frozen=True)
class Arm:
    """One way to train.

    Args:
        objective: Its place in the list of objectives.
        name: Of the objective.
        remedy: A key of ``REMEDIES``, or empty.
        weight: Of the likelihood term.
    """

    objective: int
    name: str
    remedy: str = ""
    weight: float = 0.0

    def __str__(self) -> str:
        if not self.remedy:
            return self.name
        return f"{self.name}, {self.remedy}" + (f" {self.weight:g}" if self.weight else "")


def read_arms(asked: Rehearsal) -> tuple[Arm, ...]:
    """The objectives as they are, and behind the first one it with each remedy.

    Raises:
        Refusal: As :func:`disband.probe.inputs.read_objectives`; a remedy that there is not, or a
            loss that reads score gaps.
    """
    named = read_objectives(asked.probe)
    if any("gap" in objective.arguments for objective, _ in named):
        raise Refusal(
            "a rehearsal trains on log-probabilities and lengths, but the loss reads gap; set it "
            "with --set gap=NUMBER"
        )
    names = [objective.name for objective, _ in named]
    first, *others = (Arm(place, name) for place, name in enumerate(names))
    treated = [_treated(first, text) for text in dict.fromkeys(asked.remedies)]
    return first, *treated, *others


def _treated(arm: Arm, text: str) -> Arm:
    remedy, equals, given = text.partition("=")
    if remedy not in REMEDIES:
        raise Refusal(
            f"a remedy is one of {', '.join(REMEDIES)}: got {text!r}; choose some of these"
        )
    if remedy != LIKELIHOOD:
        if equals:
            raise Refusal(f"the remedy {remedy} has no weight: got {text!r}; leave out ={given}")
        return replace(arm, remedy=remedy)
    try:
        weight = float(given)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise Refusal(
            f"a likelihood term has a weight above 0: got {text!r}; write {LIKELIHOOD}=0.1, say"
        )
    return replace(arm, remedy=remedy, weight=weight)


@dataclass(frozen=True)
class WithLikelihood:
    r"""An objective with :math:`-\lambda\log\pi_w/|y_w|` added to its loss.

    Args:
        base: The objective.
        weight: :math:`\lambda`.
        name: What the sum is called.
    """

    base: "HasKernels"
    weight: float
    name: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """Those of the base."""
        return self.base.arguments

    def kernel(self, what: "Quantity", backend: "Backend" = "numpy", **hyper: float) -> "Kernel":
        """Loss or incentives as a function of six arrays; raises ValueError for another."""
        from disband.sims.methods.baselines import with_nll

        base = self.base.kernel(what, backend, **hyper)
        if what == "loss":
            return lambda *data: base(*data) - self.weight * data[0] / data[4]
        if what == "incentives":

            def pulled(*data: Any) -> Any:
                d_w, d_l = base(*data)
                return with_nll(d_w, d_l, self.weight, data[4])

            return pulled
        raise ValueError(f"of a sum of losses there are loss and incentives: got {what!r}")

    def settings(self, hyper: Mapping[str, float]) -> dict[str, float]:
        """The base's, and the weight."""
        return {**self.base.settings(hyper), LIKELIHOOD: self.weight}


def objective_of(arm: Arm, named: Objectives) -> "tuple[HasKernels, dict[str, float]]":
    """What the arm minimises, with the hyperparameters that are not its defaults."""
    objective, settings = named[arm.objective]
    if arm.remedy == LIKELIHOOD:
        return WithLikelihood(objective, arm.weight, str(arm)), settings
    return objective, settings


def method_of(arm: Arm, model: Any) -> "Method | None":
    """What is done to the arm's incentives by the scores of each batch; None for nothing."""
    from disband.lm.training.remedies import (
        BandCalibration,
        calibrated_by_batch,
        calibrated_by_pair,
        normalised_gradients,
    )

    methods: Mapping[str, Callable[[], Method]] = {
        "pairs": lambda: calibrated_by_pair,
        "batch": lambda: calibrated_by_batch,
        "band": lambda: BandCalibration(model),
        "normalised": lambda: normalised_gradients,
    }
    return methods[arm.remedy]() if arm.remedy in methods else None


def described(arms: Sequence[Arm]) -> dict[str, str]:
    """What the remedies among these arms do, by name."""
    return {arm.remedy: REMEDIES[arm.remedy] for arm in arms if arm.remedy}
