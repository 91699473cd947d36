"""What a probe's modules hand to one another, as it stands in ``probe.json``, and its words."""

from collections.abc import Mapping
from typing import Any, TypedDict

from disband.verify.pages.tables import percent


class Share(TypedDict):
    """How often something was seen: ``count`` over ``of``, with the interval of that share."""

    count: int
    of: int
    share: float
    low: float
    high: float


class Quantiles(TypedDict):
    """The 10th, 50th and 90th percentile of a number."""

    p10: float
    median: float
    p90: float


# By an outcome's name in lower case.
Outcomes = Mapping[str, Share]


class OneFactor(TypedDict):
    """One calibration factor for all pairs, and the share of pairs that it makes ideal."""

    factor: float
    ideal: Share


class PairsAt(TypedDict):
    """What steps on single pairs do under one objective at one margin.

    Keys:
        margin: Nats by which the rejected has fallen.
        outcomes: Shares of pairs.
        incentive_ratio: ``d_w / d_l``, where both are positive.
        calibration: The factor that each pair would need.
        one_factor: What one for all would do; None where no pair has a factor.
        without_calibration: Pairs that no factor calibrates.
        drag: Of :func:`disband.probe.shares.drag`.
    """

    margin: float
    outcomes: Outcomes
    incentive_ratio: Quantiles | None
    calibration: Quantiles | None
    one_factor: OneFactor | None
    without_calibration: Share
    drag: Quantiles | None


class PairReport(TypedDict):
    """An objective with its settings, at the start and at each margin."""

    objective: str
    settings: dict[str, float]
    at: list[PairsAt]


class BatchReport(TypedDict):
    """What one common step does to whole batches under one objective.

    Keys:
        batches, size: How many, of how many pairs.
        means: Outcomes of the batches' means.
        pairs: Outcomes of the pairs in them.
        as_alone: Pairs that go the way their own products say.
        empty_band: Batches for which no factor makes both means go right.
        factor: For the whole batch.
    """

    batches: int
    size: int
    means: Outcomes
    pairs: Outcomes
    as_alone: Share
    empty_band: Share
    factor: Quantiles | None


class TokenCounts(TypedDict):
    """The sample in tokens: counts of pairs, and quantiles in tokens unless a share.

    Keys:
        filled: Sampled pairs that a trainer leaves out, for the prompt alone fills what it keeps.
        identical: Whose responses are the same tokens …
        identical_once_cut: … among them those of which the cut took a part.
        near: Whose responses are nearly the same.
        cut: Of which a response lost its end.
        started_twice, ended_twice, parts_as_code, merged: See
            :class:`disband.lm.data.tokenize.TokenPair`.
        score_gap: What the chosen response's score is above the rejected one's.
    """

    pairs: int
    filled: int
    identical: int
    identical_once_cut: int
    near: int
    cut: int
    started_twice: int
    ended_twice: int
    parts_as_code: int
    merged: int
    chosen_length: Quantiles | None
    rejected_length: Quantiles | None
    length_ratio: Quantiles | None
    edit_distance: Quantiles | None
    edits_of_longer: Quantiles | None
    first_difference: Quantiles | None
    first_difference_of_shorter: Quantiles | None
    common_suffix: Quantiles | None
    score_gap: Quantiles | None


class Geometry(TypedDict):
    """Quantiles of scores and lengths, rejected over chosen, and rank correlations of these."""

    cosine: Quantiles | None
    norm_ratio: Quantiles | None
    length_ratio: Quantiles | None
    norms_with_lengths: float
    incentives_with_lengths: float


class Advice(TypedDict):
    """One rule and what it came to.

    Keys:
        rule: When it applies.
        topic: Of rules with one topic, the heaviest alone is something to do.
        weight: The share of batches that it concerns, or of pairs where it is about pairs; above
            one where nothing can be trained before it is mended.
        measured: The numbers that it looked at.
        applies: Whether it does.
        advice: What to do where it applies.
        reason: Why.
    """

    rule: str
    topic: str
    weight: float
    measured: str
    applies: bool
    advice: str
    reason: str


class Worst(TypedDict):
    """A pair looked into token by token; see :class:`disband.probe.worst.TokenEffects`."""

    place: str
    prompt: str
    drag: float
    words: list[str]
    len_w: int
    effects: list[float]
    changes: list[float]


class Data(TypedDict):
    """Where the data come from, what was read as what, and counts of all rows and the sample."""

    origin: dict[str, Any]
    columns: str
    notes: list[str]
    counts: dict[str, int]
    tokens: TokenCounts


class Kept(TypedDict):
    """A filtered copy of the data."""

    path: str
    rule: str
    words: str
    kept: int
    of: int


class Metric(TypedDict):
    """In whose metric the products are."""

    optimizer: str
    words: str


class Settings(TypedDict):
    """What was measured how.

    Keys:
        audit: Largest errors of score products against written-out gradients and a real step, of
            one pair; None where there was no memory for it.
    """

    model: dict[str, Any]
    objectives: list[str]
    loss: str | None
    metric: Metric
    reference: dict[str, Any]
    sample: int
    seed: int
    batch: int
    batches: int
    margins: list[float]
    max_length: int
    longest: int
    lora: dict[str, object] | None
    audit: dict[str, float] | None


class Foretold(TypedDict):
    """What is forecast under one objective: mean changes in nats of the pairs trained on.

    Keys:
        chosen, rejected: At the horizon.
        held_chosen, held_rejected: Of pairs held out; None without them.
        first_order: The chosen's change if scores stayed those of the start.
        highest: The update after which the mean chosen is highest; None where it only falls.
        below_from: The first update after which it is below its start for good; None for never.
        anchors: How much the forecasts by all measured places and by every second one differ,
            beside the larger.
        distance: How far from the nearest measured place it ends, beside how far from the start.
        advice: ``forecast``, or ``run`` where it is not to be leaned on.
        reason: Why.
        curve: Updates, chosen and rejected, and both to first order.
    """

    objective: str
    chosen: float
    rejected: float
    held_chosen: float | None
    held_rejected: float | None
    first_order: float
    highest: int | None
    below_from: int | None
    anchors: float
    distance: float
    advice: str
    reason: str
    curve: list[tuple[int, float, float, float, float]]


class Horizon(TypedDict):
    """The forecast after many updates.

    Keys:
        steps, rate, optimizer: Of the training that is forecast.
        pairs, held_out: Pairs that it trains on, and others.
        seconds: Processor time of the measurement.
        worth: How many whole runs cost as much.
        each: A row for each objective.
    """

    steps: int
    rate: float
    optimizer: str
    pairs: int
    held_out: int
    seconds: float
    worth: float
    each: list[Foretold]


class Findings(TypedDict):
    """All that follows from what was measured.

    Keys:
        verdict: In one sentence.
        actions: At most three things to do, the heaviest first.
        advice: Every rule, those that apply first.
        each: A row for each pair of the sample.
    """

    verdict: str
    actions: list[Advice]
    data: Data
    geometry: Geometry
    pairs: list[PairReport]
    batches: list[BatchReport | None]
    horizon: Horizon | None
    advice: list[Advice]
    each: list[dict[str, Any]]


class Record(Findings):
    """The whole of ``probe.json``."""

    settings: Settings
    worst: list[Worst]
    provenance: dict[str, Any]
    kept: Kept | None


def interval(of: Share) -> str:
    """A share with its count and interval."""
    return (
        f"{percent(of['share'])} ({of['count']} of {of['of']}; "
        f"95 %: {percent(of['low'])} to {percent(of['high'])})"
    )


def falls(batch: BatchReport) -> int:
    """Batches whose mean chosen falls."""
    return batch["means"]["both_fall"]["count"] + batch["means"]["reversed"]["count"]


def rises(batch: BatchReport) -> int:
    """Batches whose mean rejected rises."""
    return batch["means"]["both_rise"]["count"] + batch["means"]["reversed"]["count"]
