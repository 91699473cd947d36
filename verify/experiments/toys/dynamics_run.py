"""The experiment on the dynamics of DPO and PPO, as ``disband verify`` runs it."""

from ...kept.store import Arrays
from ..judging.prediction import Prediction
from . import dynamics, dynamics_curves, dynamics_rules
from .experiment import Report, ToyExperiment


def run(report: Report) -> tuple[tuple[Prediction, ...], Arrays]:
    """Run it with its own settings; return the outcomes, and curves as arrays."""
    courses = dynamics.run_courses(report)
    return dynamics_rules.predictions(courses), dynamics_curves.curves(courses)


DYNAMICS = ToyExperiment(dynamics.EXPERIMENT, __name__, dynamics.settings(), run)
