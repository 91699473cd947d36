"""Findings on the horizon: whether a run's outcome after many updates was forecast."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ...judging.prediction import Numbers, Rule
from ..question import Question, Row
from ..readings import Arrays, Pieces

if TYPE_CHECKING:
    from ..questions.horizon import Horizon

UPDATES = (12, 24, 48, 96)
OBJECTIVES = ("DPO", "SimPO", "IPO", "CPO", "BCE", "DDRO", "ORPO", "DPO, calibrated")
# The scores along two coarse runs; those of the start; the optimizer at four times the rate; a line
# through the first real updates; a run in which one gradient stands for four updates; the last two
# joined: a coarse run where the path's own trust is low, and else the path.
METHODS = ("path", "frozen", "pilot", "line", "coarse", "advised")
PARTS = {"trained": 0, "held out": 2}
FREE = "free text"

DECIDED = 2.0  # standard errors
SIGNS, SIGNS_HARD, SIZE, RANK = 0.95, 0.9, 0.25, 0.85
SIGNS_PRETRAINED, RANK_PRETRAINED = 0.9, 0.7
_HARD_RATE = 3e-5


class Decision(NamedTuple):
    """The mean change of the chosen in one run, and what each means said of it.

    Args:
        piece, objective, updates, part: Which.
        real, error: Mean change over pairs, and its standard error.
        said: By each means, ``(means,)``.
    """

    piece: Any
    objective: str
    updates: int
    part: str
    real: float
    error: float
    said: npt.NDArray[np.float64]

    @property
    def decided(self) -> bool:
        """Whether the change exceeds two standard errors."""
        return abs(self.real) > DECIDED * self.error

    @property
    def hard(self) -> bool:
        """Whether the bar is the lower one: a fast Adam, or CPO's pull on all."""
        return self.objective == "CPO" or (
            self.piece.rule.kind == "adam" and self.piece.rule.rate >= _HARD_RATE
        )

    def right(self, means: int) -> bool:
        """Whether a means has the sign."""
        return bool(np.sign(self.said[means]) == np.sign(self.real))

    def off(self, means: int) -> float:
        """Error of a means in size, beside the size; infinite where it diverged."""
        error = float(abs(self.said[means] - self.real) / abs(self.real))
        return error if np.isfinite(error) else float("inf")


def decisions(pieces: Pieces) -> Iterator[Decision]:
    """Every run, horizon and part of the pairs."""
    for piece, arrays in pieces.items():
        for i, objective in enumerate(piece.objectives):
            for j, updates in enumerate(piece.updates):
                for part, row in PARTS.items():
                    change = arrays["real"][i, j, row]
                    yield Decision(
                        piece,
                        objective,
                        updates,
                        part,
                        float(change.mean()),
                        float(change.std(ddof=1) / np.sqrt(len(change))),
                        arrays["said"][:, i, j, row].mean(-1),
                    )


def share(some: Sequence[Decision], means: int) -> float:
    """Of the decided ones, the share whose sign a means has; NaN of none."""
    decided = [d.right(means) for d in some if d.decided]
    return sum(decided) / len(decided) if decided else float("nan")


def size(some: Sequence[Decision], means: int) -> float:
    """Median error of a means in size, over the decided ones."""
    off = [d.off(means) for d in some if d.decided]
    return float(np.median(off)) if off else float("nan")


def rank(some: Sequence[Decision], means: int) -> float:
    """Kendall's τ of the objectives by the mean chosen, averaged over runs and horizons.

    An objective whose run itself diverged has no change, and no place.
    """
    from scipy.stats import kendalltau  # half a second, which a claim does not wait for

    groups: dict[Any, list[Decision]] = {}
    for d in filter(_ended, some):
        groups.setdefault((d.piece, d.updates, d.part), []).append(d)
    return float(
        np.mean([kendalltau(*_ranked(group, means)).statistic for group in groups.values()])
    )


def _ended(decision: Decision) -> bool:
    return bool(np.isfinite(decision.real))


def _ranked(group: Sequence[Decision], means: int) -> tuple[list[float], list[float]]:
    # What diverged stands last.
    said = [float(d.said[means]) for d in group]
    return [d.real for d in group], [s if np.isfinite(s) else -1e300 for s in said]


def _signs(*, hard: bool) -> Callable[[Pieces], Numbers]:
    return lambda pieces: _shares([d for d in _small(pieces) if d.hard == hard])


def _shares(some: Sequence[Decision]) -> Numbers:
    decided = sum(d.decided for d in some)
    if not decided:
        return {}
    return {name: share(some, i) for i, name in enumerate(METHODS)} | {"decisions": decided}


def _all(
    of: Callable[[Sequence[Decision], int], float], some: Callable[[Pieces], list[Decision]]
) -> Callable[[Pieces], Numbers]:
    def numbers(pieces: Pieces) -> Numbers:
        asked = some(pieces)
        return {name: of(asked, i) for i, name in enumerate(METHODS)} if asked else {}

    return numbers


def _small(pieces: Pieces) -> list[Decision]:
    return [d for d in decisions(pieces) if not d.piece.pretrained]


def _pretrained(pieces: Pieces) -> list[Decision]:
    """Those of the pretrained model, where both styles were run."""
    own = [d for d in decisions(pieces) if d.piece.pretrained]
    return own if len({d.piece.style for d in own}) > 1 else []


_WHERE = (
    "over styles, optimizers, rates, objectives, 12 to 96 updates, trained and held-out pairs, of "
    f"the mean changes of the chosen that exceed {DECIDED:g} standard errors"
)
_CHOSEN_ON = "(settings chosen on seed 100)"

RULES: tuple[Rule[Pieces], ...] = (
    Rule(
        name="horizon-signs",
        says="Scores measured along two coarse runs, DPO's and CPO's, tell for any objective "
        "whether the chosen is up or down after 12 to 96 updates.",
        criterion=f"{_WHERE}, CPO and Adam at 3e-5 left out, the share with the forecast's sign "
        f"is at least {SIGNS:g} {_CHOSEN_ON}",
        numbers=_signs(hard=False),
        holds=lambda n: n["path"] >= SIGNS,
    ),
    Rule(
        name="horizon-signs-hard",
        says="They tell it also for CPO, and with Adam at 3e-5.",
        criterion=f"{_WHERE}, with CPO or Adam at 3e-5, the share with the forecast's sign is at "
        f"least {SIGNS_HARD:g} {_CHOSEN_ON}",
        numbers=_signs(hard=True),
        holds=lambda n: n["path"] >= SIGNS_HARD,
    ),
    Rule(
        name="horizon-size",
        says="They tell how much it is up or down.",
        criterion=f"{_WHERE}, the median error in size is at most {SIZE:g} {_CHOSEN_ON}",
        numbers=_all(size, _small),
        holds=lambda n: n["path"] <= SIZE,
    ),
    Rule(
        name="horizon-rank",
        says="They tell which objective does better for the chosen.",
        criterion="Kendall's τ of the eight objectives by the mean chosen, averaged over styles, "
        f"optimizers, rates, updates and parts, is at least {RANK:g}; a run that diverges has no "
        f"place (written after seed 1, where one did) {_CHOSEN_ON}",
        numbers=_all(rank, _small),
        holds=lambda n: n["path"] >= RANK,
    ),
    Rule(
        name="horizon-first-order-fails",
        says="The scores of the start alone do not tell whether the chosen is up or down after 12 "
        "to 96 updates.",
        criterion=f"{_WHERE}, CPO and Adam at 3e-5 left out, the share with the sign that the "
        f"frozen scores give is below that of the path by 0.1 or more {_CHOSEN_ON}",
        numbers=_signs(hard=False),
        holds=lambda n: n["frozen"] <= n["path"] - 0.1,
    ),
    Rule(
        name="horizon-coarse-run",
        says="A run in which one gradient stands for four updates, Adam's memory and moments "
        "decaying accordingly, tells it better than the optimizer at four times the rate.",
        criterion=f"{_WHERE}, CPO and Adam at 3e-5 left out, the share with the coarse run's sign "
        f"is above that of the pilot {_CHOSEN_ON}",
        numbers=_signs(hard=False),
        holds=lambda n: n["coarse"] > n["pilot"],
    ),
)
_OF_PRETRAINED = (
    "over two styles, three objectives, 8 to 24 updates, trained and held-out pairs, of the mean "
    f"changes of the chosen that exceed {DECIDED:g} standard errors"
)
_FIXED = "(settings and bar fixed before the first run)"
PRETRAINED: tuple[Rule[Pieces], ...] = (
    Rule(
        name="horizon-pretrained-signs",
        says="Scores measured along two coarse runs, DPO's and CPO's, tell whether the chosen is "
        "up or down after 8 to 24 updates.",
        criterion=f"{_OF_PRETRAINED}, the share with the forecast's sign is at least "
        f"{SIGNS_PRETRAINED:g} {_FIXED}",
        numbers=lambda pieces: _shares(_pretrained(pieces)),
        holds=lambda n: n["path"] >= SIGNS_PRETRAINED,
    ),
    Rule(
        name="horizon-pretrained-rank",
        says="They tell which objective does better for the chosen.",
        criterion="Kendall's τ of three objectives by the mean chosen, averaged over two styles, "
        f"updates and parts, is at least {RANK_PRETRAINED:g} {_FIXED}",
        numbers=_all(rank, _pretrained),
        holds=lambda n: n["path"] >= RANK_PRETRAINED,
    ),
    Rule(
        name="horizon-pretrained-first-order-fails",
        says="The scores of the start alone tell it for fewer of the changes.",
        criterion=f"{_OF_PRETRAINED}, the share with the sign that the frozen scores give is below "
        f"that of the path by 0.1 or more {_FIXED}",
        numbers=lambda pieces: _shares(_pretrained(pieces)),
        holds=lambda n: n["frozen"] <= n["path"] - 0.1,
    ),
)


def _rows(piece: "Horizon", arrays: Arrays) -> list[Row]:
    settings = {
        "style": piece.style,
        "optimizer": piece.rule.kind,
        "rate": piece.rule.rate,
    }
    by_objective: Mapping[str, Any] = {
        objective: {
            "advice": "run" if arrays["advice"][i] else "forecast",
            "distance": float(arrays["distance"][i]),
            "anchors apart": float(arrays["apart"][i]),
            "seconds, run": float(arrays["seconds"][0, i]),
            **{
                f"seconds, {name}": float(arrays["seconds"][1 + k, i])
                for k, name in enumerate(METHODS)
            },
        }
        for i, objective in enumerate(piece.objectives)
    }
    return [
        {
            **settings,
            "objective": d.objective,
            "updates": d.updates,
            "pairs": d.part,
            "chosen": d.real,
            "standard error": d.error,
            **{
                name: float(value) if np.isfinite(value) else None
                for name, value in zip(METHODS, d.said, strict=True)
            },
            **by_objective[d.objective],
        }
        for d in decisions({piece: arrays})
    ]


QUESTION = Question(name="horizon", rows=_rows, rules=(*RULES, *PRETRAINED))
