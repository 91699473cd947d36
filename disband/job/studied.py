"""The runs on language models that a report stands on: one's own, and those kept with disband."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from disband.verify.kept.recorded import NAMES, RESULTS, recorded
from disband.verify.pages.entries import Record

from .gpt2 import earlier
from .gpt2_pictures import draw_record


def studied(out: Path, kept: Path = RESULTS) -> list[Record]:
    """The records, each with the folder that it is from as ``where``; one's own come first.

    A kept record is left out where one's own asked all of its questions. Of the others, those of
    more seeds come first.

    Raises:
        Refusal: One's own record is damaged.
    """
    own = [record | {"where": ""} for name in NAMES for record in earlier(out, name)]
    asked = {(one["name"], question) for one in own for question in one["settings"]["questions"]}
    found: list[Record] = [
        {**record, "where": f"results/{name}"}
        for name, record in recorded(kept).items()
        if not asked >= {(record["name"], question) for question in record["settings"]["questions"]}
    ]
    return own + sorted(found, key=lambda record: -len(record["settings"]["seeds"]))


def drawn(records: Iterable[Mapping[str, Any]], folder: Path) -> dict[str, Path]:
    """Draw each record; the SVG by a caption that says where the record is from."""
    found: dict[str, Path] = {}
    for record in records:
        where = record["where"]
        pictures = draw_record(record, folder, where.replace("/", "-"))
        found |= {f"{said} ({where})" if where else said: at for said, at in pictures.items()}
    return found
