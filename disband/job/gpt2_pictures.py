"""Which pictures the record of ``disband gpt2`` has the data for."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disband.lm.data.styles import STYLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Record = Mapping[str, Any]

# Of yuan2025's figures, 1, 2 and 5 show both log-probabilities under many objectives, 6 cosines.
_EXTREMES = ("RRHF", "DPO")


def _extremes(record: Record) -> list[Any]:
    return [row for row in _objectives(record) if row["objective"] in _EXTREMES]


def _table(question: str) -> Callable[[Record], list[Any]]:
    return lambda record: list(record["tables"].get(question, ()))


def _runs(record: Record) -> list[Any]:
    """Curves of followed runs; those of records of earlier versions are nothing else."""
    return [row for row in record["curves"] if row.get("question", "runs") == "runs"]


def _styles(record: Record) -> list[Any]:
    """Runs of DPO on the response styles of section 4.3, where there are some to compare."""
    its = [row for row in _runs(record) if row["objective"] == "DPO" and row["style"] in STYLES]
    return its if len({row["style"] for row in its}) > 1 else []


def _objectives(record: Record) -> list[Any]:
    """The runs that are not there to compare styles."""
    apart = _styles(record)
    return [row for row in _runs(record) if row not in apart]


def _heat(record: Record) -> list[Any]:
    """The first run whose token Gram is known, of the style that section 4.3 shows it of."""
    its = [row for row in _styles(record) if "token_gram" in row]
    return [row for row in its if row["style"] == "prefix+suffix"][:1]


def _targets(metric: str) -> Callable[[Record], list[Any]]:
    def rows(record: Record) -> list[Any]:
        its = [row for row in record["curves"] if row.get("question") == "targets"]
        return [row for row in its if row["metric"] == metric]

    return rows


def _pictures() -> dict[str, tuple[str, Callable[[Record], list[Any]], "Callable[[Any], Figure]"]]:
    """The caption, the rows and the drawing of each picture, by its name."""
    from disband.figures.gpt2.methods import methods_picture
    from disband.figures.gpt2.runs import (
        cosine_picture,
        courses_picture,
        ranking_picture,
        regimes_picture,
        runs_picture,
        steps_picture,
    )
    from disband.figures.gpt2.targets import target_parts_picture
    from disband.figures.jian2025 import label_mass_picture
    from disband.figures.yuan2025 import figure_4b
    from disband.verify.experiments.gpt2.readings import GAINED

    return {
        "figure-1": (
            "Figure 1 of yuan2025 on this task: both log-probabilities rise or fall together",
            _extremes,
            runs_picture,
        ),
        "figure-2": (
            "Figures 2 and 5 of yuan2025 on this task: log-probabilities under many objectives",
            _objectives,
            runs_picture,
        ),
        "figure-3": (
            "Figure 3 of yuan2025 on this model: DPO on the four response styles",
            _styles,
            partial(runs_picture, columns=4),
        ),
        "figure-4a": (
            "Figure 4a of yuan2025 on this model: cosine of the two scores, by response style",
            _styles,
            cosine_picture,
        ),
        "figure-4b": (
            "Figure 4b of yuan2025 on this model: cosines of the token scores of one pair",
            _heat,
            lambda rows: figure_4b(rows[0]),
        ),
        "figure-6": (
            "Figure 6 of yuan2025 on this task: cosine of the two scores under many objectives",
            _objectives,
            cosine_picture,
        ),
        "one-step": (
            "What predicts one update: the batch Gram in the optimizer's metric, and what does not",
            _table("steps"),
            steps_picture,
        ),
        "many-steps": (
            "What the change of the chosen over a run is made of, and which tokens carry it",
            _table("courses"),
            courses_picture,
        ),
        "ranking": (
            "The chosen's change at equal margin gained beside what the band said at the start",
            _table("objectives"),
            ranking_picture,
        ),
        "regimes": (
            "Change of the chosen by fine-tuning, optimizer and learning rate, per response style",
            _table("regimes"),
            regimes_picture,
        ),
        "target": (
            (
                "What each update does for the responses that training ends with, G, and its three "
                "parts (wang2025), DPO on a small GPT-2"
            ),
            _targets("plain"),
            target_parts_picture,
        ),
        "target-metric": (
            "The same in the metric of the optimizer's step: nats that an update adds",
            _targets("optimizer"),
            target_parts_picture,
        ),
        "methods": (
            (
                "Chosen and rejected without and with each method where the margin has grown by "
                f"{GAINED} nat, the updates that took and what one costs; never: it grew less"
            ),
            _table("methods"),
            partial(methods_picture, gained=GAINED),
        ),
        "label-mass": (
            "Probability of both labels and of all other tokens, DPO beside jian2025's method",
            _table("mass"),
            label_mass_picture,
        ),
    }


def draw_record(record: Record, folder: Path, stem: str = "") -> dict[str, Path]:
    """Write each picture that ``record`` has data for to ``folder``; return the SVG by caption.

    Names of files begin with ``stem``, without one with the record's name.
    """
    from disband.figures.style import save

    drawn = {}
    for name, (caption, data, picture) in _pictures().items():
        if rows := data(record):
            drawn[caption], _ = save(picture(rows), folder, f"{stem or record['name']}-{name}")
    return drawn
