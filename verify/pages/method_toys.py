"""Which fix helps when, on toy problems with known answers."""

from dataclasses import dataclass, replace

import numpy as np

from disband.sims.surveys.adam import MEMORY, WORDS, Cloud, clouds
from disband.sims.surveys.survey import Row, Survey, feasibility, survey
from disband.theory.band import Case
from disband.theory.objectives import DPO, find

from .tables import Part, percent

NONE, BATCH_BAND = "none", "batch band"
OBJECTIVES = ("DPO", "SimPO", "IPO", "CPO", "BCE", "DDRO")
CROWDS = Survey(problems=1000, pairs=8, dimensions=4, lr=10.0)
SETTINGS: tuple[tuple[str, str, Survey], ...] = (
    ("One pair at a time", "disband outcomes dpo", Survey()),
    (
        "Batches whose pairs interfere a little",
        "disband outcomes dpo --pairs 8 --dimensions 32 --lr 10",
        Survey(problems=1000, pairs=8, dimensions=32, lr=10.0),
    ),
    (
        "Batches whose pairs are in each other's way",
        "disband outcomes dpo --pairs 8 --dimensions 4 --lr 10",
        CROWDS,
    ),
)


@dataclass(frozen=True)
class Surveyed:
    """What one survey found: a row a method, and, of batches, where nothing can help."""

    rows: list[Row]
    room: Row

    def __getitem__(self, method: str) -> Row:
        return next(row for row in self.rows if row["method"] == method)


def toy_parts() -> list[Part]:
    """Run the surveys, seconds of work, and return their tables."""
    found = [
        Surveyed(survey(DPO, asked=asked), feasibility(DPO, asked) if asked.pairs > 1 else {})
        for _, _, asked in SETTINGS
    ]
    says = (_of_pairs(found[0]), _of_batches(found[1]), _of_crowds(found[2]))
    surveys = [
        _part(title, command, asked, its, words)
        for (title, command, asked), its, words in zip(SETTINGS, found, says, strict=True)
    ]
    return [*surveys, _empty(replace(CROWDS, steps=1, lr=1e-3)), _under_adam(clouds(DPO))]


def _part(title: str, command: str, asked: Survey, found: Surveyed, says: list[str]) -> Part:
    columns = {"right": Case.IDEAL.words}
    if asked.pairs > 1:
        columns["means right"] = "batches whose means go right"
        title += f", {asked.problems:,} batches of {asked.pairs} pairs"
    else:
        title += f", {asked.problems:,} problems"
    return Part(
        title=title,
        command=command,
        columns=["method", *columns, "margin (nats)"],
        rows=[
            [
                row["method"],
                *(percent(row[key], 1) for key in columns.values()),
                f"{row['margin gained, median']:.2f}",
            ]
            for row in found.rows
        ],
        says=says,
    )


def _of_pairs(found: Surveyed) -> list[str]:
    means = "reward calibration", "normalised gradients"
    margin = found[NONE]["margin gained, median"]
    paid = [percent(1 - found[name]["margin gained, median"] / margin, 1) for name in means]
    each, norm, near, term = (_right(found, m) for m in (*means, "nearest in band", "NLL term"))
    return [
        (
            f"Where a pair's own band is missed, calibrate each pair ({each} go right) or "
            f"normalise its gradients ({norm}): that costs {paid[0]} and {paid[1]} of the margin."
        ),
        (
            "A ratio clip never acts on DPO, whose ratio is 1. The nearest ratio in the band lies "
            f"on its edge, where a finite step can still lower the chosen ({near} right)."
        ),
        (
            f"A likelihood term raises both ({term} right): the chosen no longer falls, but the "
            "rejected rises with it."
        ),
    ]


def _of_batches(found: Surveyed) -> list[str]:
    methods = (BATCH_BAND, "reward calibration", "reward calibration, averaged", NONE)
    band, pairs, averages, none = (_means(found, method) for method in methods)
    empty, unsuited = (percent(value, 1) for value in found.room.values())
    return [
        (
            "Where both fall only in the batch, calibrate inside the batch band: the means are "
            f"right in {band} of the batches, in {pairs} with every pair calibrated, in {averages} "
            f"with moving averages, in {none} with none."
        ),
        (
            f"At the start the batch band is empty in {empty} of them; in {unsuited} no step suits "
            "every pair."
        ),
    ]


def _of_crowds(found: Surveyed) -> list[str]:
    best = max(row[Case.IDEAL.words] for row in found.rows)
    _, unsuited = (percent(value, 1) for value in found.room.values())
    return [
        (
            f"In {unsuited} of these batches no step suits every pair, and nothing that rescales "
            f"chosen and rejected sets more than {percent(best, 1)} of the pairs right. Change the "
            "data (fewer near-identical responses) or the batch, not the loss; `disband probe` "
            "tells which it is."
        ),
        (
            f"The means can still be kept right: in {_means(found, BATCH_BAND)} of the batches by "
            "calibration inside the batch band, which equal incentives never leave empty."
        ),
    ]


def _empty(asked: Survey) -> Part:
    """How often the batch band is empty at the start, for objectives of unequal incentives too."""
    rows, shares = [], {}
    for name in OBJECTIVES:
        with np.errstate(all="ignore"):
            its = feasibility(find(name), asked)
            found = Surveyed(survey(find(name), (NONE, BATCH_BAND), asked), its)
        shares[name] = its["batch band empty"]
        rows.append(
            [name, percent(shares[name], 1), *(_means(found, m) for m in (NONE, BATCH_BAND))]
        )
    worst = max(shares, key=shares.__getitem__)
    return Part(
        title=f"Where the batch band is empty: one small step of {asked.problems:,} such batches",
        command="disband outcomes OBJECTIVE --pairs 8 --dimensions 4 --steps 1 --lr 0.001",
        columns=["objective", "band empty", "means right, none", "means right, batch band"],
        rows=rows,
        says=[
            (
                "Where it is empty no factor on the incentives of a batch keeps both means right: "
                f"in {percent(shares[worst], 1)} of these batches under {worst}, in "
                f"{percent(shares[DPO.name], 1)} under DPO."
            )
        ],
    )


def _under_adam(found: dict[str, Cloud]) -> Part:
    shown = {name: cloud for name, cloud in found.items() if name != MEMORY}
    steps, pairs = next(iter(shown.values())).cosine.shape
    return Part(
        title=f"Under Adam, {pairs} pairs, {steps} steps (figure *calibrations*)",
        command="disband verify --no-lm",
        columns=["calibration", "what it knows", "steps right"],
        rows=[[name, WORDS[name], percent(cloud.right, 1)] for name, cloud in shown.items()],
        says=["Under Adam, calibrate in Adam's metric, from the scores of all parameters."],
    )


def _right(found: Surveyed, method: str) -> str:
    return percent(found[method][Case.IDEAL.words], 1)


def _means(found: Surveyed, method: str) -> str:
    return percent(found[method]["batches whose means go right"], 1)
