"""The questions about GPT-2, each at the sizes it can be asked at."""

from collections.abc import Mapping
from typing import Literal

from disband.lm.data.tweets import STYLES
from disband.lm.model.gpt2 import GPT2_SMALL
from disband.lm.training.optimizers import KINDS, Kind, Rule

from .findings import mass
from .findings.compared import ALL
from .language import Language
from .protocol import Supervision
from .questions.equal_margin import OBJECTIVES, Race, run_race
from .questions.followed import Run, run_followed
from .questions.label_mass import Mass, run_mass
from .questions.many_steps import Course, run_course
from .questions.methods import DATA, Trial, run_trial
from .questions.methods import OBJECTIVES as TREATED
from .questions.regimes import SUPERVISIONS, Regime, pieces, run_regime
from .questions.steps import BATCHES, RATES, Steps, run_steps
from .questions.target_course import Target, run_target
from .study import Question

Scale = Literal["small", "laptop", "pretrained", "full"]

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
    )


_TARGETS = (
    *(Target(style) for style in ("single token", SHORT, LONG)),
    Target(LONG, batch=4),
    Target(LONG, Rule("sgd", 1e-2)),
)


def _trials() -> tuple[Trial, ...]:
    return tuple(Trial(name, data, ALL) for data in DATA for name in TREATED)


_FEW: tuple[Regime, ...] = tuple(
    Regime(style, taught) for taught in SUPERVISIONS[:2] for style in ("single token", LONG)
)

# Those of yuan2025, section 3.3, on responses of different lengths, which set them apart.
PAPER = ("DPO", "R-DPO", "SimPO", "IPO", "RRHF", "SLiC-HF", "CPO", "DPOP", "KTO", "SPPO")
UNEQUAL = "unequal 2/6"
# A pretrained model knows words: little fine-tuning is enough for the style, on few texts.
_TAUGHT = Supervision("both labels", 12, 8, 2e-5)


def _run(objective: str) -> Run:
    return Run(UNEQUAL, objective, precision="float32")


# Batches that a step in float64 has room for within 16 GiB; AdamW keeps more vectors.
_FITTING: Mapping[Kind, tuple[int, ...]] = {"sgd": (1, 4), "adamw": (1,)}


def _pretrained() -> tuple[Question, ...]:
    def run(style: str, objective: str) -> Run:
        return Run(
            style, objective, rule=Rule("adam", 2e-6), steps=18, batch=8, pairs=16, gram_pairs=8,
            token_pairs=2 if style in STYLES else 0, supervision=_TAUGHT, precision="float32",
        )  # fmt: skip

    steps = tuple(
        Steps(SHORT, kind, batch, RATES[kind][:3], warm=2, explained=2, supervision=_TAUGHT)
        for kind, batches in _FITTING.items()
        for batch in batches
    )
    runs = (*(run(style, "DPO") for style in STYLES), *(run(UNEQUAL, o) for o in PAPER[:5:2]))
    return (Question("steps", run_steps, steps, 300), Question("runs", run_followed, runs, 300))


def _full() -> tuple[Question, ...]:
    taught = Supervision("both labels", 64, 16, 1.4e-5)
    runs = tuple(
        Run(
            style, objective, rule=Rule("adamw", 5e-6, 12), steps=120, pairs=512, gram_pairs=256,
            token_pairs=16, logp_every=10, gram_every=20, supervision=taught, precision="mixed",
        )
        for style in STYLES
        for objective in ("DPO", "SimPO", "IPO", "CPO", "SPPO")
    )  # fmt: skip
    return (Question("runs", run_followed, runs, 30),)


# The lower level's step of 1/50 is well below what its curvature forbids on the small model.
_METHODS = ((mass.DPO, 0.0, 0.0), (mass.TERM, 0.05, 0.0), (mass.SPO, 0.05, 50.0))
_MASS = tuple(
    Mass(name, style, weight, strength)
    for style in (SHORT, "single token")
    for name, weight, strength in _METHODS
)

LANGUAGES: Mapping[Scale, Language] = {
    "small": Language(),
    "laptop": Language(),
    "full": Language(
        layers=GPT2_SMALL["layers"],
        heads=GPT2_SMALL["heads"],
        width=GPT2_SMALL["width"],
        vocabulary=GPT2_SMALL["vocabulary"],
        batch=64,
        rate=6e-4,
        mixed=True,
    ),
}
QUESTIONS: Mapping[Scale, tuple[Question, ...]] = {
    "small": (
        Question("steps", run_steps, _steps((1, 8)), 12),
        Question("courses", run_course, _courses()[:3], 20),
        Question("objectives", run_race, tuple(map(Race, OBJECTIVES[:9])), 12),
        Question("regimes", run_regime, _FEW, 25),
        Question("runs", run_followed, tuple(map(_run, PAPER[:5:2])), 10),
        Question("targets", run_target, _TARGETS, 70, asked=False),
        Question(mass.QUESTION, run_mass, _MASS, 45, asked=False),
        Question("methods", run_trial, tuple(map(Trial, TREATED)), 40, asked=False),
    ),
    "laptop": (
        Question("steps", run_steps, _steps(BATCHES), 25),
        Question("courses", run_course, _courses(), 20),
        Question("objectives", run_race, tuple(map(Race, OBJECTIVES)), 12),
        Question("regimes", run_regime, pieces(), 25),
        Question("runs", run_followed, tuple(map(_run, PAPER)), 10),
        Question("targets", run_target, (*_TARGETS, Target("prefix+suffix")), 70),
        Question(
            mass.QUESTION, run_mass, (*_MASS, Mass(f"{mass.SPO}, loose", SHORT, 0.05, 10.0)), 45
        ),
        Question("methods", run_trial, _trials(), 80),
    ),
    "pretrained": _pretrained(),
    "full": _full(),
}
