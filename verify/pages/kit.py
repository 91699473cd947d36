"""The page kit: what every page of this project is made with, so that all follow one set of rules.

A page is one file that reads offline, asks for nothing and runs nothing foreign: of scripts those
alone that it was made with, known by their digests. Pages extend ``base.html.j2``, which gives
them one header, navigation, glossary, print style and script.
"""

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from latex2mathml.converter import convert
from markupsafe import Markup, escape
from sympy import Symbol, latex

from disband.theory.band import Case
from disband.theory.symbols import LATEX

from ..kept.files import json_text
from .mathematics import sentence
from .tables import number

FOLDER = Path(__file__).parent
_MATH_TAGS = frozenset((
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup",
    "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mstyle", "mpadded",
))  # fmt: skip
_MATH_ATTRIBUTES = frozenset((
    "accent", "accentunder", "columnalign", "display", "displaystyle", "fence", "form",
    "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "rspace", "scriptlevel",
    "separator", "stretchy", "symmetric", "width",
))  # fmt: skip
_SCRIPTS = frozenset(("msub", "msup", "msubsup", "munder", "mover", "munderover"))
_SVG_TAGS = frozenset((
    "svg", "g", "defs", "title", "desc", "symbol", "use", "path", "rect", "circle", "ellipse",
    "line", "polyline", "polygon", "image", "text", "tspan", "clipPath", "mask", "pattern",
    "marker", "linearGradient", "radialGradient", "stop",
))  # fmt: skip
_PICTURES = ("data:image/png;", "data:image/jpeg;")
_OURS = {symbol.name: symbol for symbol in LATEX}
_SHOWN_ENTRIES = 8
_WIDE = 700  # points: wider figures scroll on a phone, others shrink


def environment(
    folder: Path, filters: Mapping[str, Callable[..., object]] = MappingProxyType({})
) -> Environment:
    """Return what makes text of the templates in ``folder``, and of those of the kit.

    The filters ``math``, ``words``, ``plain``, ``shown`` and ``symbol`` are there with those of
    ``filters``.
    """
    made = Environment(
        loader=FileSystemLoader([folder, FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"math": mathml, "words": words, "plain": sentence}
    made.filters |= {"shown": shown, "symbol": symbol}
    made.filters |= filters
    return made


def page(
    template: Path,
    filters: Mapping[str, Callable[..., object]],
    scripts: Sequence[str] = (),
    **content: Any,
) -> str:
    """Return the page that ``template`` makes of ``content``; text in it stays text.

    Args:
        template: Extends ``base.html.j2``.
        filters: Those of :func:`environment`, and these.
        scripts: Sources that the page runs, after the kit's own. It runs no others.
        content: What the template names.
    """
    sources = [as_is(source) for source in ((FOLDER / "kit.js").read_text("utf-8"), *scripts)]
    return (
        environment(template.parent, filters)
        .get_template(template.name)
        .render(
            content,
            kit_style=as_is((FOLDER / "kit.css").read_text("utf-8")),
            scripts=sources,
            allowed=as_is(" ".join(map(_digest, sources))),
            cases=[case.words for case in Case],
        )
    )


def as_is(text: str) -> Markup:
    """Return a text of this project's own, or of a library's, to stand in a page as it is."""
    return Markup(text)  # noqa: S704 (no text of a reader's or of a data set)


def packed(data: Any) -> Markup:
    """Return plain data as text that a page unpacks when it is first asked for: deflated, base 64.

    Formulas weigh fifteenfold less so, and cost nothing until they are read.
    """
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    text = json_text(data, indent=None).encode()
    return as_is(base64.b64encode(deflate.compress(text) + deflate.flush()).decode())


def _digest(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


@cache
def mathml(formula: str, large: bool = False) -> Markup:  # noqa: FBT001, FBT002 (a template's filter)
    r"""Return LaTeX as MathML, or as code where the converter cannot read it.

    Fractions and sums take their full size where ``large``.

    The converter passes text and commands such as ``\href`` through as they come, so only the
    tags and attributes of plain formulas are let in.
    """
    try:
        root = ET.fromstring(convert(formula))  # noqa: S314 (the converter's own output)
    except Exception:  # noqa: BLE001 (the converter raises bare subclasses of Exception)
        return Markup("<code>{}</code>").format(formula)
    for element in root.iter():
        element.tag = _local(element.tag)
        if element.tag not in _MATH_TAGS or not _MATH_ATTRIBUTES.issuperset(element.attrib):
            return Markup("<code>{}</code>").format(formula)
    if large:
        root.set("displaystyle", "true")
    _space(root)
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 (only known tags are left)


def words(text: str) -> Markup:
    """Return ``text`` with what stands between dollar signs as MathML."""
    parts = text.split("$")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup().join(mathml(p) if i % 2 else escape(p) for i, p in enumerate(parts))


def shown(value: Any) -> str:
    """Return a value as a reader would write it down: few digits, short lists."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {shown(entry)}" for name, entry in value.items()) or "none"
    if isinstance(value, list):
        rest = len(value) - _SHOWN_ENTRIES
        entries = [shown(entry) for entry in value[:_SHOWN_ENTRIES]]
        return ", ".join(entries + ([f"… ({rest} more)"] if rest > 0 else [])) or "none"
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value)
    return str(value).replace("-", "−") if isinstance(value, int) else str(value)


def svg(text: str, prefix: str) -> Markup:
    """Return an SVG image to stand in a page among others: its ids begin with ``prefix``.

    Of its elements those that draw are let in, of references those that stay within the image.

    Raises:
        ValueError: ``text`` is no SVG.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314 (figures that this project drew)
    except ET.ParseError as error:
        raise ValueError(f"a figure is SVG text: got something else ({error})") from error
    if _local(root.tag) != "svg":
        raise ValueError(f"a figure is SVG text: its outermost element is <{_local(root.tag)}>")
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) not in _SVG_TAGS:
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {
            name: _prefixed(name, value, prefix)
            for name, value in ((_local(k), v) for k, v in element.attrib.items())
            if _stays(element.tag, name.lower(), value)
        }
    width = root.attrib.pop("width", "100%")
    root.attrib.pop("height", None)
    if width.endswith("pt") and float(width.removesuffix("pt")) > _WIDE:
        root.set("class", "wide")
    # What matplotlib says in a style sheet, which would reach the whole page.
    root.set("style", f"width:{width};stroke-linejoin:round;stroke-linecap:butt")
    root.set("aria-hidden", "true")
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 (cleaned above)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _stays(tag: str, name: str, value: str) -> bool:
    """Whether an attribute runs nothing and points at most into its image, or at pixels in it."""
    if name.startswith("on"):
        return False
    if name in {"href", "src"}:
        return value.startswith("#") or (tag == "image" and value.startswith(_PICTURES))
    return all(
        part.startswith("#") for part in re.split(r"url\(\s*", value, flags=re.IGNORECASE)[1:]
    )


def _prefixed(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href" and value.startswith("#"):
        return f"#{prefix}-{value[1:]}"
    return re.sub(r"url\(#", f"url(#{prefix}-", value)


def _space(root: ET.Element) -> None:
    """Space as TeX does: thin spaces around the names of functions, none beside bars."""
    for bar in root.iter("mo"):
        if bar.text == "|":
            bar.attrib |= {"lspace": "0", "rspace": "0", "stretchy": "false"}
    for parent in list(root.iter()):
        if parent.tag not in _SCRIPTS:
            children = list(parent)
            for index, (one, two) in reversed(list(enumerate(pairwise(children), start=1))):
                if (_is_function(one) and not _opens(two)) or (
                    _is_function(two) and one.tag not in {"mo", "mspace"}
                ):
                    parent.insert(index, ET.Element("mspace", {"width": "0.167em"}))


def _is_function(element: ET.Element) -> bool:
    base = element[0] if element.tag in _SCRIPTS and len(element) else element
    return base.tag in {"mi", "mo"} and len(base.text or "") > 1 and (base.text or "").isalpha()


def _opens(element: ET.Element) -> bool:
    while element.tag == "mrow" and len(element):
        element = element[0]
    return element.tag == "mspace" or (element.tag == "mo" and (element.text or "") in "([{")


def symbol(name: str) -> Markup:
    """Return a symbol's name, or LaTeX for it, as a formula; anything else as code."""
    if "\\" in name:
        return mathml(name)
    if name.isidentifier():
        return mathml(str(latex(_OURS.get(name, Symbol(name)), symbol_names=LATEX)))
    return Markup("<code>{}</code>").format(name)
