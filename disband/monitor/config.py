"""How a monitor is set: how often it looks, at how many pairs, and whether it calibrates."""

from dataclasses import dataclass, field
from typing import Any

from disband.sims.methods.averages import BETA

CALIBRATIONS = ("none", "average", "pairs")
METRICS = ("plain", "adam")


def _said(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class MonitorConfig:
    """Settings of a monitor, each also a flag for ``TrlParser`` or a line of its YAML file.

    Raises:
        ValueError: A setting out of its range.
    """

    every: int = _said(10, "Look at one optimizer step in so many.")
    sample: int = _said(8, "Look at so many pairs of such a step, on each process.")
    calibrate: str = _said(
        "none",
        "Multiply the pull on the chosen by δ and the push on the rejected by 1/δ: 'average' takes "
        "one δ for all pairs, from moving averages over the steps looked at; 'pairs' measures "
        "every pair of every step first and gives each its own; 'none' leaves training as it is.",
    )
    averaging: float = _said(BETA, "What the moving averages keep from one look to the next.")
    metric: str = _said(
        "plain",
        "'adam' takes the scores' products in Adam's own metric, as the step finds it (calibrate "
        "'pairs': as the step before left it); 'plain' as they are, which is the band of gradient "
        "descent.",
    )
    predict: bool = _said(
        True,  # noqa: FBT003
        "Predict the changes to first order from the step itself; holds a copy of the trained "
        "parameters during a step looked at.",
    )
    curvature: bool = _said(
        False,  # noqa: FBT003
        "Measure how log-probabilities bend along the step, and forecast when they turn: two more "
        "forward passes, and one more copy of the trained parameters, at a step looked at.",
    )
    only: str | None = _said(None, "Measure only trained parameters whose name contains this.")

    def __post_init__(self) -> None:
        for name in ("every", "sample"):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(
                    f"a monitor looks at whole steps and pairs: got {name}={value}; set it to 1 or "
                    "more, or leave the monitor out"
                )
        for name, known in (("calibrate", CALIBRATIONS), ("metric", METRICS)):
            value = getattr(self, name)
            if value not in known:
                raise ValueError(
                    f"{name} is one of {', '.join(known)}: got {value!r}; choose one of them"
                )
        if self.curvature and (self.only or not self.predict):
            raise ValueError(
                "how log-probabilities bend is measured along the whole step, from the kept "
                "parameters: got curvature=True with only or without predict; leave only out and "
                "set predict to True"
            )
        if not 0 <= self.averaging < 1:
            raise ValueError(
                f"averaging is at least 0 and below 1: got {self.averaging}; set it to {BETA}, say"
            )
        if self.metric == "adam" and not self.predict:
            raise ValueError(
                "Adam's metric is known once the step is made, and then the scores are those of "
                "the kept parameters: got metric='adam' with predict=False; set predict to True"
            )
