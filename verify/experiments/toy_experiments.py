"""The experiments on toys that ``disband verify`` runs."""

from verify.experiments import dynamics, dynamics_curves, dynamics_rules
from verify.experiments.sentiment_predictions import Prediction
from verify.experiments.toys import Report, ToyExperiment
from verify.store import Arrays


def _dynamics(report: Report) -> tuple[tuple[Prediction, ...], Arrays]:
    courses = dynamics.run_courses(report)
    return dynamics_rules.judge(courses), dynamics_curves.curves(courses)


DYNAMICS = ToyExperiment(dynamics.EXPERIMENT, dynamics.settings(), _dynamics)

TOY_EXPERIMENTS: tuple[ToyExperiment, ...] = (DYNAMICS,)
