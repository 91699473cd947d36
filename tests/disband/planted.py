"""An experiment on toys that takes no time."""

import numpy as np

from disband.verify.experiments.judging.prediction import Outcome, Prediction
from disband.verify.experiments.toys.experiment import ToyExperiment

OUTCOMES = tuple(Outcome(seed, holds=True, numbers={"by": 1.0}) for seed in (0, 1))
FOUND = (Prediction("grows", "It grows.", "more", OUTCOMES),)
PLANTED = ToyExperiment(
    "planted", "disband.sims.worlds.worlds", {"size": 1}, lambda _: (FOUND, {"a/b": np.arange(3.0)})
)
