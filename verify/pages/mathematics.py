"""Sentences with LaTeX between dollar signs, and formulas in LaTeX, as plain text."""

import re
from functools import cache
from html import unescape
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element

_UP = str.maketrans("0123456789+−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_ACCENTS = {"^": "\u0302", "~": "\u0303", "¯": "\u0304"}
_SPACED = frozenset("=≠<>≤≥≈≔→←∈∝⟺⟹∣↦∓±·") | {"and", "or"}
_SIGNS = {"-": "−", "\u2061": "", "∧": "and", "∨": "or", "⇔": "⟺", "⇒": "⟹", "⋆": "*", "⋅": "·"}
_OPEN, _CLOSED = "([{⟨,", ")]}⟩,.…"


def sentence(text: str) -> str:
    """Return ``text`` with what stands between dollar signs as plain text.

    A quotation may begin within a formula; it is taken to do so where LaTeX stands first.
    """
    if "$" in text and re.search(r"[\\^_]", text.partition("$")[0]):
        text = f"${text}"
        text = text.removesuffix("$") if text.count("$") % 2 else text
    return re.sub(r"\$([^$]*)\$", lambda part: mathematics(part[1]), text)


@cache
def mathematics(latex: str) -> str:
    r"""Return a formula in LaTeX as one line of plain text: ``\|h_L\|^2`` is ‖h_L‖²."""
    return _text(convert_to_element(latex.replace(":=", "≔"))).strip()


def _text(node: Element) -> str:
    parts = [_text(part) for part in node]
    match node.tag, parts:
        case (("mi" | "mn" | "mo" | "mtext"), _):
            sign = unescape(node.text or "")
            return _SIGNS.get(sign, sign)
        case "mspace", _:
            return " "
        case "mfrac", [above, below]:
            return f"{_grouped(node[0], above)}/{_grouped(node[1], below, factor=True)}"
        case "msqrt", _:
            under = node[0] if len(node) == 1 else node
            return f"√{_grouped(under, _row(node, parts), factor=True)}"
        case (("mover" | "munder"), [base, mark]) if mark in _ACCENTS:
            return base + _ACCENTS[mark]
        case "msup", [base, up]:
            return base + _raised(up)
        case (("msub" | "munder"), [base, down]):
            return base + _lowered(down)
        case (("msubsup" | "munderover"), [base, down, up]):
            return base + _lowered(down) + _raised(up)
        case _:
            return _row(node, parts)


def _row(node: Element, parts: list[str]) -> str:
    """Join the parts of a row: relations and sums with spaces, products without."""
    text, last = "", node
    for part, child in zip(parts, node, strict=True):
        between = _between(text, last, part, child)
        if part in _SPACED or between == "±":
            text = f"{text.rstrip()} {part} "
        elif part == ",":
            text += ", "
        else:
            text += between + (f"({part})" if between == " " and child.tag == "mfrac" else part)
        last = child
    return text


def _between(text: str, last: Element, part: str, child: Element) -> str:
    """Return what stands before a part: nothing, a space, a sign of a product, or of a sum."""
    within = [sign for sign in "|‖" if text.count(sign) % 2]  # of which bars one stands open
    begins = not text or text[-1] in (*_OPEN, *" −√", *within)
    if begins or part[:1] in (*_CLOSED, *within):
        return ""
    if part in {"+", "−"}:
        return "±"
    if _is_name(last) and (part[:1] != "(" or child.tag == "mfrac"):
        return " "
    if last.tag == "mfrac" or (child.tag == "mfrac" and not _is_name(last)):
        return "·"
    return " " if _is_name(child) else ""


def _is_name(node: Element) -> bool:
    """Whether a part is a function's name or a word, or a sum's sign with its limits."""
    base = node[0] if node.tag.startswith(("msub", "msup", "munder")) and len(node) else node
    sign = unescape(base.text or "")
    return (len(sign) > 1 and sign.isalpha()) or sign in {"∑", "…"}


def _grouped(node: Element, text: str, *, factor: bool = False) -> str:
    """Put what is no single factor in brackets; below a fraction's bar a product too."""
    while node.tag == "mrow" and len(node) == 1:
        node = node[0]
    fenced = re.fullmatch(r"[|‖][^|‖]*[|‖].?|\([^()]*\)|⟨[^⟨⟩]*⟩", text)
    product = factor and len(node) > 1 and node.tag in {"mrow", "msqrt"}
    if fenced or not (node.tag == "mfrac" or product or re.search(r"[+−=<>≤≥ ]", text)):
        return text
    return f"({text})"


def _raised(text: str) -> str:
    if text in {"*", "′"}:
        return text
    if all(ord(sign) in _UP for sign in text):
        return text.translate(_UP)
    return f"^{text}" if len(text) == 1 else f"^({text.replace(' ', '')})"


def _lowered(text: str) -> str:
    text = text.replace(", ", ",").replace(" ", "")
    return f"_{text}" if text.replace(",", "").isalnum() else f"_({text})"
