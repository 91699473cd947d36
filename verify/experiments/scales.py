"""The questions about GPT-2, each at the sizes it can be asked at."""

from collections.abc import Mapping
from typing import Literal

from verify.experiments.equal_margin import OBJECTIVES, Race, run_race
from verify.experiments.many_steps import Course, run_course
from verify.experiments.regimes import SUPERVISIONS, Regime, pieces, run_regime
from verify.experiments.steps import BATCHES, RATES, Steps, run_steps
from verify.experiments.study import Question
from verify.optimizers import KINDS, Rule

Scale = Literal["small", "laptop"]

ADAM = Rule("adam", 1e-5)
SHORT, LONG = "short suffix", "long suffix"


def _steps(batches: tuple[int, ...]) -> tuple[Steps, ...]:
    return tuple(Steps(SHORT, kind, batch, RATES[kind]) for kind in KINDS for batch in batches)


def _courses() -> tuple[Course, ...]:
    return (
        *(Course(style, ADAM) for style in (SHORT, LONG)),
        Course(LONG, ADAM, labels="shuffled"),
        Course(LONG, ADAM, mix="drawn"),
        Course(LONG, ADAM, batch=1),
        Course(LONG, Rule("sgd", 1e-2)),
        Course(LONG, Rule("momentum", 1e-3)),
    )


_FEW: tuple[Regime, ...] = tuple(
    Regime(style, taught) for taught in SUPERVISIONS[:2] for style in ("single token", LONG)
)

QUESTIONS: Mapping[Scale, tuple[Question, ...]] = {
    "small": (
        Question("steps", run_steps, _steps((1, 8)), 12),
        Question("courses", run_course, _courses()[:3], 20),
        Question("objectives", run_race, tuple(map(Race, OBJECTIVES[:9])), 12),
        Question("regimes", run_regime, _FEW, 25),
    ),
    "laptop": (
        Question("steps", run_steps, _steps(BATCHES), 25),
        Question("courses", run_course, _courses(), 20),
        Question("objectives", run_race, tuple(map(Race, OBJECTIVES)), 12),
        Question("regimes", run_regime, pieces(), 25),
    ),
}
