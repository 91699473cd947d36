"""``disband outcomes``: what each method makes of many toy problems, as lines of text."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from disband.sims.surveys.survey import Row, Survey
from disband.theory.band import Case
from disband.verify.pages.tables import number


def record(rows: Sequence[Row], objective: str, asked: Survey, start: Row) -> dict[str, Any]:
    """Return the survey as plain data."""
    return {
        "objective": objective,
        "asked": asdict(asked),
        "methods": [{**row, "acts": not _idle(row, rows)} for row in rows],
        "at the start": dict(start),
    }


def _idle(row: Row, rows: Sequence[Row]) -> bool:
    """Whether a method did nothing: every one of its numbers is that of none."""
    plain = next((other for other in rows if other["method"] == "none"), row)
    return row is not plain and {**row, "method": "none"} == plain


def lines(rows: Sequence[Row], objective: str, asked: Survey, start: Row) -> list[str]:
    """Return the survey as lines of plain text."""
    kind = "one pair each" if asked.pairs == 1 else f"{asked.pairs} pairs each"
    size = "step sizes 0.3 to 100" if asked.lr is None else f"step size {number(asked.lr)}"
    columns = {
        "ideal": Case.IDEAL.words,
        "both fall": Case.BOTH_FALL.words,
        "both rise": Case.BOTH_RISE.words,
        "reversed": Case.REVERSED.words,
        "w fell": "steps in which the chosen fell",
        "l rose": "steps in which the rejected rose",
        "in band": "steps in the pair's band",
        "means": "batches whose means go right",
    }
    title = (
        f"{objective}, {asked.problems} toy problems of {kind}, {asked.steps} steps, {size}, "
        f"seed {asked.seed}"
    )
    said = [
        title,
        "",
        f"{'':30}" + "".join(f"{name:>10}" for name in columns) + f"{'margin':>10}",
    ]
    for row in rows:
        if _idle(row, rows):
            said.append(f"{row['method']:30}{'never acts: the same as none':>{10 * len(columns)}}")
            continue
        shares = "".join(f"{row[key]:>10.1%}" for key in columns.values())
        said.append(f"{row['method']:30}{shares}{row['margin gained, median']:>10.2f}")
    return [
        *said,
        "",
        "ideal: over the whole run the chosen rises and the rejected falls; w fell, l rose: share",
        "of the steps; in band: of the steps, in the pair's own band; means: batches whose mean",
        "chosen does not fall and whose mean rejected does not rise over the run; margin: median,",
        "nats",
        *(
            ["", "at the start: " + ", ".join(f"{k} {v:.1%}" for k, v in start.items())]
            * bool(start)
        ),
    ]
