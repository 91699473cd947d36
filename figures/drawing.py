"""A figure with the words and the numbers that say the same, and the files that hold them."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from disband.verify.kept.files import whole_file, write_text

from .style import styled

Row = Mapping[str, Any]

_DIGITS = 6
# Hundredths of a point: no printer shows less.
_PLACES = 2
_COORDINATES = re.compile(r'\b(d|x|y|points|transform|width|height)="([^"]*)"')
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_FONT, _FONTS = "'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif"


@dataclass(frozen=True)
class Drawing:
    """One figure, for those who see it and those who do not.

    Args:
        figure: The picture.
        finding: What it shows, as one sentence that its numbers bear out.
        basis: On how many seeds, runs or points it stands, and what shades and thin lines mean.
        alt: Its panels, axes and marks in words.
        numbers: What is drawn, one row a point or a mark; for areas what they sum up to.
    """

    figure: Figure
    finding: str
    basis: str
    alt: str
    numbers: Sequence[Row]

    def caption(self, subject: str = "") -> str:
        """Return the finding, what it is of, and what it stands on."""
        of = f"{subject.rstrip('.')}." if subject else ""
        return " ".join(part for part in (self.finding, of, self.basis) if part)


def svg_text(drawing: Drawing, subject: str = "") -> str:
    """Return the figure as SVG with its words in it, the same text for the same figure."""
    return light(_saved(drawing.figure), drawing.caption(subject), drawing.alt)


def save(drawing: Drawing, folder: Path, name: str, subject: str = "") -> tuple[Path, Path]:
    """Write ``name.svg``, ``.png``, ``.csv`` and ``.txt``, each complete or not at all.

    The last two have the numbers, and the caption with the words for who does not see the
    picture. The same figure gives the same bytes: no dates, no versions, no random ids.

    Raises:
        OSError: The folder cannot be written.
    """
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    write_text(svg, svg_text(drawing, subject))
    drawing.figure.set_layout_engine("none")  # its places are found, and stay
    _save_png(drawing.figure, png)
    write_text(folder / f"{name}.csv", table(drawing.numbers))
    write_text(folder / f"{name}.txt", f"{drawing.caption(subject)}\n\n{drawing.alt}\n")
    return svg, png


def table(rows: Sequence[Row]) -> str:
    """Return rows as CSV; what is no number, text or truth, such as a list, is left out."""
    kept = [{k: v for k, v in row.items() if v is None or isinstance(v, str | int | float)}
            for row in rows]  # fmt: skip
    text = StringIO()
    names = list(dict.fromkeys(name for row in kept for name in row))
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows([{k: _short(v) for k, v in row.items()} for row in kept])
    return text.getvalue()


def _short(value: Any) -> Any:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else value


@styled
def _save_png(figure: Figure, path: Path) -> None:
    with whole_file(path) as file:
        figure.savefig(file, format="png", metadata={"Software": None})


@styled
def _saved(figure: Figure) -> str:
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def light(text: str, title: str, description: str) -> str:
    """Return an SVG of matplotlib's without what no eye sees, and with words for who has none.

    Coordinates are rounded; comments, metadata, blanks and ids that nothing refers to go.
    """
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE.*?>", "", text,
                  flags=re.DOTALL)  # fmt: skip
    text = _COORDINATES.sub(_rounded, text)
    referred = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    text = re.sub(r'\sid="([^"]*)"', lambda m: m[0] if m[1] in referred else "", text)
    text = re.sub(r">\s+<", "><", text).strip().replace(_FONT, _FONTS)
    words = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
    return re.sub(r"(<svg\b[^>]*)>", rf'\1 role="img">{_literal(words)}', text, count=1) + "\n"


def _literal(words: str) -> str:
    return words.replace("\\", r"\\")


def _rounded(match: re.Match[str]) -> str:
    name, value = match[1], match[2]
    if name == "transform" and ("scale(" in value or "matrix(" in value):
        return match[0]
    value = _NUMBER.sub(lambda number: _place(float(number[0])), value)
    if name == "d":
        value = re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(value.split()))
    return f'{name}="{value}"'


def _place(number: float) -> str:
    text = f"{number:.{_PLACES}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
