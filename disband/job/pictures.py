"""Which pictures a run draws, and from what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from disband.figures.chen2026 import band_picture
from disband.figures.drawing import Drawing, save
from disband.figures.in_motion import before_after_picture, method_picture, path_picture
from disband.figures.jian2025 import initialization_picture, misallocation_picture, simplex_picture
from disband.figures.objectives import gallery_picture, phase_picture
from disband.figures.outcomes import calibration_picture, map_picture
from disband.figures.toys import place_picture, trajectory_picture
from disband.figures.wang2025 import ablation_picture, exploration_picture, target_picture
from disband.figures.yuan2025 import figure_3, figure_4a, figure_4b
from disband.sims.pairs.paths import Path as Run
from disband.sims.pairs.studies import EDIT_ONE_INDEPENDENT, EDIT_ONE_SHARED, SINGLE_TOKEN
from disband.sims.simplex.initialization import initialization_map
from disband.sims.simplex.portraits import COURSE
from disband.sims.surveys.adam import MEMORY, WORDS
from disband.sims.surveys.maps import STEPS
from disband.sims.surveys.phases import FAR, phases
from disband.sims.surveys.wedge import places, wedge
from disband.theory.catalogue import catalogue
from disband.theory.objectives import MECHANISMS
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT as SENTIMENT
from disband.verify.experiments.toys.dynamics import EXPERIMENT as DYNAMICS
from disband.verify.experiments.toys.probability import EXPERIMENT as EVOLUTION
from disband.verify.experiments.toys.probability_run import curves, drawn_portraits
from disband.verify.pages.tables import number

from .drawn import Drawn
from .motion import MAIN
from .motion import TOY as ENTANGLED


@dataclass(frozen=True)
class Picture:
    """One picture.

    Args:
        name: Name of its files and on the command line.
        subject: What it is of, in words that stand in its caption.
        draw: Draws it.
        needs: The experiment that it shows, if it shows one that a run can leave out.
    """

    name: str
    subject: str
    draw: Callable[[Drawn], Drawing]
    needs: str = ""

    def has_data(self, data: Drawn) -> bool:
        """Whether ``data`` has enough to draw it."""
        return not self.needs or data.has(self.needs)


def _band(data: Drawn) -> Drawing:
    study = data.toys[EDIT_ONE_SHARED.name]
    run, chosen = study.trajectory, study.parameters
    length = chosen["prefix"] + 1 + chosen["suffix"]
    state = {
        "logp_w": run.logp_w[-1],
        "logp_l": run.logp_l[-1],
        "ref_w": run.logp_w[0],
        "ref_l": run.logp_l[0],
        "len_w": length,
        "len_l": length,
    }
    cosine, ratio = (float(v[-1]) for v in (run.gram.cosine, run.gram.norm_ratio))
    grid = wedge(np.linspace(-0.25, 1, 401), np.linspace(-3, 3, 401))
    words = f"{study.toy} after {chosen['steps']} steps of DPO, r* = {number(ratio)}"
    return band_picture(grid, places(state, cosine, ratio), words)


def _phases(data: Drawn) -> Drawing:
    del data
    panels = [phases(objective, FAR) for objective in catalogue().objectives]
    words = (
        f"at log π_w = {number(FAR['logp_w'])}, log π_l = {number(FAR['logp_l'])}, references "
        f"{number(FAR['ref_w'])}, lengths {FAR['len_w']} and {FAR['len_l']}"
    )
    return phase_picture(panels, words)


def _gallery(data: Drawn) -> Drawing:
    return gallery_picture(
        data.gallery, MECHANISMS, f"toy {EDIT_ONE_SHARED.name}, first steps of equal length"
    )


_CENTRED = "reward calibration"


def _runs(data: Drawn, method: str, names: Sequence[str] = ()) -> dict[str, Run]:
    """The runs with one method, by objective: of these names, or of all."""
    found = {name: run for (name, its), run in data.motion.paths.items() if its == method}
    return {name: found[name] for name in names or found}


def _toy_words(data: Drawn) -> str:
    steps = len(next(iter(data.motion.paths.values())).cosine) - 1
    choices = ", ".join(f"{name} {number(value)}" for name, value in ENTANGLED.items())
    return f"toy {EDIT_ONE_SHARED.name}, {choices}; {steps} steps, first steps of equal strength"


def _paths(data: Drawn) -> Drawing:
    before, after = (_runs(data, method) for method in ("none", _CENTRED))
    return path_picture(before, after, _CENTRED, _toy_words(data), MAIN)


def _methods(data: Drawn) -> Drawing:
    return method_picture(data.motion.paths, _toy_words(data), MAIN)


def _before_after(data: Drawn) -> Drawing:
    before, after = (_runs(data, method, MAIN) for method in ("none", _CENTRED))
    return before_after_picture(before, after, _CENTRED, _toy_words(data))


def _calibrations(data: Drawn) -> Drawing:
    shown = {name: cloud for name, cloud in data.motion.clouds.items() if name != MEMORY}
    steps, pairs = next(iter(shown.values())).cosine.shape
    return calibration_picture(shown, WORDS, f"DPO under Adam, {pairs} pairs, {steps} steps")


def _simplex(data: Drawn) -> Drawing:
    state = (
        f"three responses with a logit each; β = {number(COURSE.beta)}, of SPO λ = "
        f"{number(COURSE.weight)} and μ = {number(COURSE.strength)}"
    )
    return simplex_picture(drawn_portraits(data.experiments[EVOLUTION]), state)


PICTURES = (
    Picture(
        "band",
        "The disentanglement band: where both log-probabilities go as they should, and where "
        "yuan2025's objectives with positive incentives stand at one state of a toy",
        _band,
    ),
    Picture(
        "phases",
        "What a small step does under each objective, by cosine and norm ratio of the scores, "
        "after the rejected response has fallen by 8 nats",
        _phases,
    ),
    Picture(
        "gallery",
        "Log of the ratio of incentives along one toy run of every objective, by mechanism",
        _gallery,
    ),
    Picture(
        "trajectories",
        "Every objective beside the band's wedge, without and with reward calibration; steps that "
        "lowered the chosen or raised the rejected response, as measured, are marked",
        _paths,
    ),
    Picture(
        "methods",
        "Every method with six objectives, beside the band's wedge; wrong steps are marked",
        _methods,
    ),
    Picture(
        "before-after",
        "Both log-probabilities without and with reward calibration, six objectives",
        _before_after,
    ),
    Picture(
        "outcome-maps",
        "What became of toy problems under DPO with each method, by cosine, norm ratio and step "
        "size",
        lambda data: map_picture(data.motion.maps, f"DPO, {STEPS} steps"),
    ),
    Picture(
        "calibrations",
        "Reward calibration as published, exact, and in the optimizer's metric: where every step "
        "stood in the metric of its step, and what it really did",
        _calibrations,
    ),
    Picture(
        "single-token",
        "DPO on one token (yuan2025, Theorem 1): first order beside the real change",
        lambda data: trajectory_picture(data.toys[SINGLE_TOKEN.name].trajectory),
    ),
    Picture(
        "edit-one-shared",
        "DPO where one token differs and logits are shared up to context offsets (yuan2025, "
        "Theorem 3): the chosen response loses after the differing position",
        lambda data: place_picture(data.toys[EDIT_ONE_SHARED.name]),
    ),
    Picture(
        "edit-one-independent",
        "The same with logits of its own for every context: the chosen response gains everywhere",
        lambda data: place_picture(data.toys[EDIT_ONE_INDEPENDENT.name]),
    ),
    Picture(
        "target",
        "What each update does for the responses that training ends with, G, and its three parts "
        "(wang2025): toy worlds of whole responses, thick lines means over worlds",
        lambda data: target_picture(data.experiments[DYNAMICS]),
        needs=DYNAMICS,
    ),
    Picture(
        "exploration",
        "Entropy over training and against reward, with and without negative learning (wang2025)",
        lambda data: exploration_picture(data.experiments[DYNAMICS]),
        needs=DYNAMICS,
    ),
    Picture(
        "ablation",
        "What dropping or scaling a component gains in true reward (wang2025): means over worlds "
        "with their 95 % intervals",
        lambda data: ablation_picture(data.experiments[DYNAMICS]),
        needs=DYNAMICS,
    ),
    Picture(
        "initialization",
        "What the start decides under every margin objective in one context (jian2025): who moves, "
        "how much probability irrelevant responses come to hold, and for how long",
        lambda _: initialization_picture(initialization_map()),
    ),
    Picture(
        "simplex",
        "Training on the simplex of three responses (jian2025): DPO, IPO, SimPO, calibrated DPO, "
        "stable preference optimization (SPO), and a ratio of incentives with two basins",
        _simplex,
        needs=EVOLUTION,
    ),
    Picture(
        "misallocation",
        "Probability on irrelevant responses beyond what they held at the start, over the margin "
        "gained (jian2025)",
        lambda data: misallocation_picture(
            curves(data.experiments[EVOLUTION]),
            "mean over drawn worlds of eight responses and its 95 % interval, while half of them "
            "gain the margin",
        ),
        needs=EVOLUTION,
    ),
    Picture(
        "figure-3",
        "Figure 3 of yuan2025 on real tweets: both log-probabilities over DPO, by response style",
        lambda data: figure_3(data.sentiment),
        needs=SENTIMENT,
    ),
    Picture(
        "figure-4a",
        "Figure 4a of yuan2025 on real tweets: cosine of the two scores over DPO",
        lambda data: figure_4a(data.sentiment),
        needs=SENTIMENT,
    ),
    Picture(
        "figure-4b",
        "Figure 4b of yuan2025 on real tweets: cosines token by token, before and after DPO",
        lambda data: figure_4b(data.sentiment[min(data.sentiment)[0], "prefix+suffix"]),
        needs=SENTIMENT,
    ),
)


def select(names: Sequence[str], data: Drawn) -> list[Picture]:
    """Return the pictures of these names; without names, all that ``data`` has enough for.

    Raises:
        ValueError: A name is unknown, or its data were left out.
    """
    known = {picture.name: picture for picture in PICTURES}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "choose one of these"
            raise ValueError(f"a picture is one of {', '.join(known)}: got {name!r}; {hint}")
        if not known[name].has_data(data):
            models = " without --no-lm" if known[name].needs == SENTIMENT else ""
            raise ValueError(
                f"{name} shows the {known[name].needs}: the last run left it out; "
                f"run disband verify{models}"
            )
    if names:
        return [known[name] for name in dict.fromkeys(names)]
    return [picture for picture in PICTURES if picture.has_data(data)]


def draw(
    pictures: Sequence[Picture],
    data: Drawn,
    folder: Path,
    after: Callable[[int, str], None] = lambda *_: None,
) -> dict[str, Path]:
    """Write each picture, its words and numbers to ``folder``; return the SVG by its caption."""
    drawn = {}
    for done, picture in enumerate(pictures, start=1):
        drawing = picture.draw(data)
        svg, _ = save(drawing, folder, picture.name, picture.subject)
        drawn[drawing.caption(picture.subject)] = svg
        after(done, picture.name)
    return drawn
