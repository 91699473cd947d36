"""DPO and policy gradients in three toy worlds, whole and with components dropped."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from disband.sims.worlds.learning import Method, Offline, OnPolicy
from disband.sims.worlds.target_study import TargetCourse, TargetSetting, run
from disband.theory.models.targets import Control

from .experiment import Report

Courses = Mapping[tuple[str, str], TargetCourse]
EXPERIMENT = "toy dynamics"
REPLICATES, WORLDS_EACH = 3, 32
# The criteria were fixed on worlds of other seeds, below 2100.
FIRST_SEED = 3000
SEEDS = range(FIRST_SEED, FIRST_SEED + REPLICATES * WORLDS_EACH)

RESPONSES, LINEAR, TOKENS, VERIFIABLE = "responses", "linear", "tokens", "verifiable"
WORLDS: Mapping[str, TargetSetting] = {
    RESPONSES: TargetSetting(),
    LINEAR: TargetSetting(width=2),
    TOKENS: TargetSetting(prompts=2, vocabulary=4, depth=3, pairs=32),
    # Rewards of one or none, many responses, and steps so large that sampling tells.
    VERIFIABLE: TargetSetting(vocabulary=32, verifiable=True, lr=16.0),
}
NO_POSITIVE, NO_NEGATIVE, EVEN = (
    Control(positive=0.0),
    Control(negative=0.0),
    Control(reweighting=0.0),
)
METHODS: Mapping[str, Method] = {
    "DPO": Offline(),
    "DPO, small batches": Offline(batch=8),
    "DPO without negative": Offline(control=NO_NEGATIVE),
    "DPO without positive": Offline(control=NO_POSITIVE),
    "DPO without reweighting": Offline(control=EVEN),
    "DPO, half reweighting": Offline(control=Control(reweighting=0.5)),
    "DPO, steeper weights": Offline(beta=1.0),
    "PPO": OnPolicy(),
    "PPO, exact": OnPolicy(exact=True),
    "REINFORCE": OnPolicy("baseline", epochs=1),
    "GRPO": OnPolicy("group"),
    "PPO without negative": OnPolicy(control=NO_NEGATIVE),
    "PPO without positive": OnPolicy(control=NO_POSITIVE),
    "PPO without reweighting": OnPolicy(control=EVEN),
    "PPO, largest third": OnPolicy(keep=(True, False, False)),
    "PPO without largest third": OnPolicy(keep=(False, True, True)),
    "PPO, exact without negative": OnPolicy(exact=True, control=NO_NEGATIVE),
    "PPO, controlled": OnPolicy(keep=(True, False, False), control=Control(negative=0.5)),
}
# Methods of the worlds that are not asked about all of them.
SOME: Mapping[str, tuple[str, ...]] = {
    VERIFIABLE: ("PPO", "PPO without negative", "PPO, exact", "PPO, exact without negative"),
}


def settings() -> dict[str, object]:
    """What the experiment is run with, as plain data."""
    used = {
        "seeds": [SEEDS.start, SEEDS.stop - 1],
        "replicates": REPLICATES,
        "worlds": {name: asdict(setting) for name, setting in WORLDS.items()},
        "methods": {name: asdict(method) for name, method in METHODS.items()},
    }
    plain: dict[str, object] = json.loads(json.dumps(used))
    return plain


def run_courses(report: Report) -> Courses:
    """Train every method in every world; courses by the names of both."""
    pairs = [(world, method) for world in WORLDS for method in SOME.get(world, METHODS)]
    courses = {}
    for world, method in pairs:
        courses[world, method] = run(WORLDS[world], METHODS[method], SEEDS)
        report(len(courses), len(pairs), f"{method}, {world}")
    return courses
