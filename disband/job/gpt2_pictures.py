"""The pictures of a record of ``disband gpt2``: those that it has the data for."""

from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from typing import Any


def draw_record(record: Mapping[str, Any], folder: Path, stem: str = "") -> dict[str, Path]:
    """Write each picture that ``record`` has data for to ``folder``; return the SVG by caption.

    Names of files begin with ``stem``, without one with the record's name.
    """
    from disband.figures.drawing import save
    from disband.verify.experiments.gpt2.findings import QUESTIONS

    drawn = {}
    for question in QUESTIONS:
        shown = question.shown(record)
        for picture in question.pictures:
            if rows := picture.rows(shown):
                draw = resolve_name(f"disband.figures.{picture.drawing}")
                name = f"{stem or record['name']}-{picture.name}"
                drawing = draw(rows, **picture.options)
                svg, _ = save(drawing, folder, name, picture.caption)
                drawn[drawing.caption(picture.caption)] = svg
    return drawn
