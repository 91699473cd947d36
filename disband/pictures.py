"""Which pictures a run draws, from what, and the one file that keeps it for drawing again."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from disband.numbers import number
from disband.toys import pack, unpack
from figures.chen2026 import band_picture, places, wedge
from figures.objectives import gallery_picture, phase_picture
from figures.style import save
from figures.toys import place_picture, trajectory_picture
from figures.wang2025 import ablation_picture, exploration_picture, target_picture
from figures.yuan2025 import figure_3, figure_4a, figure_4b
from sims.gallery import MECHANISMS, Line
from sims.phases import FAR, phases
from sims.studies import EDIT_ONE_INDEPENDENT, EDIT_ONE_SHARED, SINGLE_TOKEN, Study
from theory.catalogue import catalogue
from verify.experiments.dynamics import EXPERIMENT as DYNAMICS
from verify.store import whole_file

Arrays = Mapping[str, NDArray[Any]]
FILE = "pictures.npz"


@dataclass(frozen=True)
class Drawn:
    """What the pictures are drawn from.

    Args:
        toys: The DPO run of each toy, by its name.
        sentiment: The sentiment check, by seed and style; empty where it was left out.
        gallery: The ratio along one toy, by objective; empty in data of earlier versions.
        experiments: What the experiments on toys left to draw, by name.
    """

    toys: Mapping[str, Study]
    sentiment: Mapping[tuple[int, str], Arrays]
    gallery: Mapping[str, Line] = field(default_factory=dict)
    experiments: Mapping[str, Arrays] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """One picture.

    Args:
        name: Name of its files and on the command line.
        caption: One line for the report.
        draw: Draws it.
        needs_models: Whether it shows the sentiment check.
        needs_gallery: Whether it shows the gallery.
        needs: The experiment on toys that it shows, if it shows one.
    """

    name: str
    caption: str
    draw: Callable[[Drawn], Figure]
    needs_models: bool = False
    needs_gallery: bool = False
    needs: str = ""

    def has_data(self, data: Drawn) -> bool:
        """Whether ``data`` has enough to draw it."""
        return bool(
            (data.sentiment or not self.needs_models)
            and (data.gallery or not self.needs_gallery)
            and (not self.needs or data.experiments.get(self.needs))
        )


def _band(data: Drawn) -> Figure:
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
    words = f"points: {study.toy} after {chosen['steps']} steps of DPO, r* = {number(ratio)}"
    return band_picture(grid, places(state, cosine, ratio), words)


def _phases(data: Drawn) -> Figure:
    del data
    panels = [phases(objective, FAR) for objective in catalogue().objectives]
    words = (
        f"at log π_w = {number(FAR['logp_w'])}, log π_l = {number(FAR['logp_l'])}, references "
        f"{number(FAR['ref_w'])}, lengths {FAR['len_w']} and {FAR['len_l']}"
    )
    return phase_picture(panels, words)


def _gallery(data: Drawn) -> Figure:
    return gallery_picture(
        data.gallery, MECHANISMS, f"toy {EDIT_ONE_SHARED.name}, first steps of equal length"
    )


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
        needs_gallery=True,
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
        "figure-3",
        "Figure 3 of yuan2025 on real tweets: both log-probabilities over DPO, by response style",
        lambda data: figure_3(data.sentiment),
        needs_models=True,
    ),
    Picture(
        "figure-4a",
        "Figure 4a of yuan2025 on real tweets: cosine of the two scores over DPO",
        lambda data: figure_4a(data.sentiment),
        needs_models=True,
    ),
    Picture(
        "figure-4b",
        "Figure 4b of yuan2025 on real tweets: cosines token by token, before and after DPO",
        lambda data: figure_4b(data.sentiment[min(data.sentiment)[0], "prefix+suffix"]),
        needs_models=True,
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
        if known[name].needs_models and not data.sentiment:
            raise ValueError(
                f"{name} shows the language-model check: the last run left it out; "
                "run disband verify without --no-lm"
            )
        if not known[name].has_data(data):
            raise ValueError(
                f"{name} shows a study that the last run did not keep; run disband verify"
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
    """Write each picture to ``folder`` as SVG and PNG; return the SVG by its caption."""
    drawn = {}
    for done, picture in enumerate(pictures, start=1):
        drawn[picture.caption], _ = save(picture.draw(data), folder, picture.name)
        after(done, picture.name)
    return drawn


def keep(data: Drawn, folder: Path) -> None:
    """Write ``data`` to ``folder`` in one file, complete or not at all."""
    toys = {f"toy/{name}": pack(study) for name, study in data.toys.items()}
    runs = {f"sentiment/{seed}/{style}": run for (seed, style), run in data.sentiment.items()}
    lines = {f"gallery/{name}": asdict(line) for name, line in data.gallery.items()}
    found = {f"experiment/{name}": arrays for name, arrays in data.experiments.items()}
    with whole_file(folder / FILE) as file:
        np.savez_compressed(file, allow_pickle=False, **flat(toys | runs | lines | found))


def kept(folder: Path) -> Drawn:
    """Return what the last run kept in ``folder``.

    Raises:
        ValueError: There is none, or it is not such a file.
    """
    path = folder / FILE
    if not path.is_file():
        raise ValueError(
            f"pictures are redrawn from the data of an earlier run: there is no {path}; "
            "run disband verify first, or name its folder with --out"
        )
    toys, sentiment, gallery = {}, {}, {}
    experiments: dict[str, dict[str, NDArray[Any]]] = {}
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
            for name, arrays in groups(file).items():
                kind, *which = name.split("/")
                if kind == "toy":
                    toys[which[0]] = unpack(arrays)
                elif kind == "gallery":
                    gallery[which[0]] = Line(**arrays)
                elif kind == "experiment":
                    its = experiments.setdefault(which[0], {})
                    its |= {"/".join([*which[1:], key]): value for key, value in arrays.items()}
                else:
                    sentiment[int(which[0]), which[1]] = arrays
    except (OSError, ValueError, LookupError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is no file of an earlier run ({error}); run disband verify again"
        ) from error
    return Drawn(toys, sentiment, gallery, experiments)


def flat(arrays: Mapping[str, Arrays]) -> dict[str, NDArray[Any]]:
    """Return groups of arrays as one, each named ``group/array``."""
    return {f"{name}/{key}": value for name, its in arrays.items() for key, value in its.items()}


def groups(arrays: Arrays) -> dict[str, dict[str, NDArray[Any]]]:
    """Undo :func:`flat`."""
    found: dict[str, dict[str, NDArray[Any]]] = {}
    for path, value in arrays.items():
        name, _, key = path.rpartition("/")
        found.setdefault(name, {})[key] = value
    return found
