"""A copy of preference data without the rows that a named rule leaves out."""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from disband.lm.data.columns import Named
from disband.lm.data.tokenize import Cut, rendered, token_pair
from disband.verify.kept.files import whole_file

from .distances import distances
from .records import Kept
from .survey import Pass, Row

Rule = Literal["sound", "apart", "ideal"]
RULES: Mapping[Rule, str] = {
    "sound": "rows that state a pair that the chat template takes, whose responses differ, and "
    "that did not come before as they are or with chosen and rejected exchanged",
    "apart": "as sound, and the responses differ by more than a tenth of the longer, and by more "
    "than one token of four",
    "ideal": "as sound, and among the sampled pairs whose own step is ideal at the start under the "
    "first objective",
}


def write_kept(
    source: str | Path,
    path: Path,
    rule: Rule,
    *,
    tokenizer: Any,
    cut: Cut,
    ideal: Collection[str],
    part: str = "train",
    named: Named | None = None,
) -> Kept:
    """Write the rows that the rule keeps to a JSONL file, as they came and in their order.

    Args:
        source: The data.
        path: Written whole or not at all.
        rule: Of ``RULES``.
        tokenizer: That of the model.
        cut: How texts become tokens.
        ideal: Places of the sampled pairs that the rule ``ideal`` keeps.
        part: Part of a folder or of a data set on the hub.
        named: Columns that the user names.

    Returns:
        The rule, its words, and how many rows were kept of how many.

    Raises:
        ValueError: The copy would replace its source.
        OSError: The file cannot be written.
    """
    require_other(source, path)
    keeps: Callable[[Row], bool] = {
        "sound": lambda row: True,  # noqa: ARG005
        "apart": lambda row: _apart(row, tokenizer, cut),
        "ideal": lambda row: row.place in ideal,
    }[rule]
    rows = Pass(source, part, named)
    rows.render = lambda pair: rendered(tokenizer, pair, cut)
    kept = 0
    with whole_file(path) as file:
        for row in rows:
            if row.identical or row.repeated or row.contradictory or not keeps(row):
                continue
            text = json.dumps(row.raw, ensure_ascii=False, default=str)
            file.write(text.encode() + b"\n")
            kept += 1
    return {
        "path": str(path),
        "rule": rule,
        "words": RULES[rule],
        "kept": kept,
        "of": rows.counts.rows,
    }


def require_other(source: str | Path, path: Path) -> None:
    """See that a copy does not replace its source.

    Raises:
        ValueError: It would.
    """
    if Path(source).expanduser().resolve() == path.expanduser().resolve():
        raise ValueError(
            f"a filtered copy is another file than its source: got {path} for both; choose "
            "another --keep"
        )


def _apart(row: Row, tokenizer: Any, cut: Cut) -> bool:
    pair = token_pair(tokenizer, row.pair, cut)
    if pair.is_empty:
        return False
    apart = distances([pair])
    return not bool(apart.near[0] or apart.identical[0])
