"""Every figure once: from the records that are kept, or from a small toy of its own."""

import json
from functools import cache
from pkgutil import resolve_name

import numpy as np

from disband.figures.chen2026 import band_picture, pair_picture
from disband.figures.horizon.runs import Course, courses_picture
from disband.figures.horizon.toys import order_picture, ratio_picture
from disband.figures.in_motion import before_after_picture, method_picture, path_picture
from disband.figures.jian2025 import initialization_picture, misallocation_picture, simplex_picture
from disband.figures.objectives import gallery_picture, phase_picture
from disband.figures.outcomes import calibration_picture, map_picture
from disband.figures.probe import plane_picture, tokens_picture
from disband.figures.run import run_picture
from disband.figures.toys import place_picture, trajectory_picture
from disband.figures.wang2025 import ablation_picture, exploration_picture, target_picture
from disband.figures.yuan2025 import figure_3, figure_4a, figure_4b
from disband.job.motion import MAIN, MAPPED
from disband.sims.horizon.courses import pair_courses
from disband.sims.horizon.maps import ratio_map
from disband.sims.methods.treatments import FOR_ONE_PAIR
from disband.sims.pairs.gallery import Line
from disband.sims.pairs.studies import EDIT_ONE_SHARED
from disband.sims.simplex.initialization import initialization_map
from disband.sims.simplex.misallocation import KINDS, RUNNERS
from disband.sims.simplex.portraits import LOW_RATIO, constant_ratio
from disband.sims.surveys.adam import MEMORY, WORDS, Cloud
from disband.sims.surveys.maps import NORM_RATIO, STEP_SIZE
from disband.sims.surveys.phases import FAR, over_margins, phases
from disband.sims.surveys.wedge import places, wedge, wedge_around
from disband.theory.horizon.suffix import SharedSuffix
from disband.theory.objectives import DPO, IPO, MECHANISMS, OBJECTIVES
from disband.verify.experiments.gpt2.findings import QUESTIONS
from disband.verify.experiments.toys.probability import Curve
from disband.verify.kept.provenance import ROOT
from tests.disband.monitor.histories import looked, run_of
from tests.figures.conftest import SHAPES, one_run
from tests.figures.test_chen2026 import STATE
from tests.figures.test_in_motion import a_map, a_path
from tests.figures.test_wang2025 import arrays

RECORDS = ("gpt2", "smollm2", "pretrained", "learnt", "mass", "methods", "targets")


@cache
def record(name):
    (path,) = (ROOT / "results" / name).glob("*.json")
    return json.loads(path.read_text("utf-8"))


@cache
def study():
    return EDIT_ONE_SHARED.run(DPO, steps=8)


@cache
def tweets():
    return {(seed, style): one_run(style, seed) for style in SHAPES for seed in range(3)}


def paths(method):
    """Runs that fall, rise, leave the picture or have no place, by objective."""
    offsets = (-0.5, 0.2, np.nan, 4.0, -2.0, 0.0)
    return {o.name: a_path(offsets[(i + len(method)) % 6], 0.1 * (i % 3 - 1))
            for i, o in enumerate(OBJECTIVES)}  # fmt: skip


def gallery():
    rng = np.random.default_rng(3)
    steps = np.arange(21.0)
    lines = {}
    for objective in OBJECTIVES:
        slope = rng.normal() * rng.choice([0, 0.01, 1])
        lines[objective.name] = Line(slope * steps, np.full(21, -0.2), np.full(21, 0.3))
    lines["SFT"] = Line(np.full(21, np.nan), np.full(21, -0.2), np.full(21, 0.3))
    return lines


def curves():
    margins = np.linspace(0, 4, 9)
    return {kind.name: {name: Curve(margins, i * margins / 100, 0.01 * margins)
                        for i, name in enumerate(RUNNERS)} for kind in KINDS}  # fmt: skip


def cloud(seed):
    rng = np.random.default_rng(seed)
    return Cloud(rng.uniform(0.4, 1, (4, 9)), rng.normal(size=(4, 9)) / 2,
                 rng.normal(size=(4, 9)), rng.normal(size=(4, 9)))  # fmt: skip


def logged():
    run = run_of(-1, **looked(0.5, 0.2, 0.2, predicted_chosen=-0.01, predicted_rejected=-0.02))
    return {name: run.column(name) for name in {n for line in run.lines for n in line}}


def orders():
    run = EDIT_ONE_SHARED.run(DPO, steps=120).trajectory
    both = pair_courses(EDIT_ONE_SHARED.build(), run)
    return order_picture(dict(zip(("chosen", "rejected"), both, strict=True)), "DPO")


def over_time():
    times, ratios = np.geomspace(0.01, 60, 121), np.geomspace(0.25, 8, 121)
    return ratio_picture(ratio_map(SharedSuffix(4, 0.7, 0.4, 0.4), times, ratios))


def tokens():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(20, 30))
    scores /= np.linalg.norm(scores, axis=1, keepdims=True)
    return tokens_picture(scores @ scores.T, ["Ġtoken", "$x", "好"] * 6 + ["a", "b"], 11)


def pairs():
    rng = np.random.default_rng(1)
    points = rng.uniform(-0.2, 1, 30), rng.normal(size=30)
    return plane_picture(wedge_around(*points), *points)


TOYS = {
    "band": lambda: band_picture(
        wedge(np.linspace(-0.25, 1, 61), np.linspace(-3, 3, 61)), places(STATE, 0.8, 1.3), "a toy"
    ),
    "pair": lambda: pair_picture("DPO", 0.9, 1.3, 1.0, 1.140175),
    "acute": lambda: pair_picture("a loss", -0.3, 1.3, 40.0, 0.18),
    "phases": lambda: phase_picture([phases(o, FAR) for o in OBJECTIVES], "far out"),
    "compare": lambda: phase_picture(over_margins([(DPO, {}), (IPO, {})], FAR), "a pair"),
    "gallery": lambda: gallery_picture(gallery(), MECHANISMS, "a toy"),
    "trajectories": lambda: path_picture(
        paths("none"), paths("a method"), "a method", "a toy", MAIN
    ),
    "methods": lambda: method_picture(
        {(name, m): run for m in FOR_ONE_PAIR for name, run in paths(m).items()}, "a toy", MAIN
    ),
    "before-after": lambda: before_after_picture(
        *({n: paths(m)[n] for n in MAIN} for m in ("none", "a method")), "reward calibration"
    ),
    "outcome-maps": lambda: map_picture(
        {(axis, m): a_map(i % 4) for axis in (NORM_RATIO, STEP_SIZE) for i, m in enumerate(MAPPED)},
        "DPO, 20 steps",
    ),
    "calibrations": lambda: calibration_picture(
        {name: cloud(i) for i, name in enumerate(WORDS) if name != MEMORY}, WORDS, "DPO"
    ),
    "simulate": lambda: trajectory_picture(study().trajectory, "DPO, edit-one-shared, NLL term"),
    "edit-one-shared": lambda: place_picture(study()),
    "target": lambda: target_picture(arrays()),
    "exploration": lambda: exploration_picture(arrays()),
    "ablation": lambda: ablation_picture(arrays()),
    "initialization": lambda: initialization_picture(initialization_map(points=41)),
    "simplex": lambda: simplex_picture([constant_ratio(LOW_RATIO, steps=9)] * 6, "three responses"),
    "misallocation": lambda: misallocation_picture(curves(), "means over worlds"),
    "figure-3": lambda: figure_3(tweets()),
    "figure-4a": lambda: figure_4a(tweets()),
    "figure-4b": lambda: figure_4b(tweets()[0, "prefix+suffix"]),
    "orders": orders,
    "band-over-time": over_time,
    "probe": pairs,
    "tokens": tokens,
    "run": lambda: run_picture(logged()),
    "rehearsal": lambda: courses_picture(
        {
            f"DPO, arm {arm}": {
                kind: Course([0, 8, 16], [0, arm, -kind_], [0, -arm, -2])
                for kind_, kind in enumerate(("truth", "forecast", "first order"))
            }
            for arm in range(5)
        }
    ),
}


def recorded():
    """Every picture of a question, of each record that has the data, by record and name."""
    for name in RECORDS:
        for question in QUESTIONS:
            for picture in question.pictures:
                if rows := picture.rows(question.shown(record(name))):
                    yield f"{name}-{picture.name}", picture, rows


def drawn(name):
    """The drawing of one name."""
    if name in TOYS:
        return TOYS[name]()
    picture, rows = next((p, rows) for its, p, rows in recorded() if its == name)
    return resolve_name(f"disband.figures.{picture.drawing}")(rows, **picture.options)


# Each way to draw once, and those that are drawn otherwise from other data.
NAMES = [*TOYS, "gpt2-figure-1", "gpt2-figure-2", "gpt2-figure-6", "gpt2-one-step", "gpt2-ranking",
         "gpt2-many-steps", "gpt2-regimes", "smollm2-one-step", "pretrained-figure-2",
         "pretrained-figure-3", "pretrained-figure-6",
         "learnt-learnt-figure-4a", "mass-label-mass", "methods-methods",
         "targets-target-metric"]  # fmt: skip
