"""The experiment on the dynamics of DPO and PPO, as ``disband verify`` runs it."""

from verify.experiments.sentiment.rules import Prediction
from verify.experiments.toys import dynamics, dynamics_curves, dynamics_rules
from verify.experiments.toys.experiment import Report, ToyExperiment
from verify.kept.store import Arrays


def run(report: Report) -> tuple[tuple[Prediction, ...], Arrays]:
    """Run it with its own settings; return the outcomes, and curves as arrays."""
    courses = dynamics.run_courses(report)
    return dynamics_rules.judge(courses), dynamics_curves.curves(courses)


DYNAMICS = ToyExperiment(dynamics.EXPERIMENT, __name__, dynamics.settings(), run)
