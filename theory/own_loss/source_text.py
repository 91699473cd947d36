"""What somebody typed, as a syntax tree of Python's own parser, and where in it a fault lies."""

import ast
import re
import string
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .time_limit import time_limit

MAX_LENGTH = 1000
WINDOW = 30

_BLANKS = " \t\n\r"
CHARACTERS = frozenset(string.ascii_letters + string.digits + "_.,+-*/()<>=!" + _BLANKS)
REMEDIES = {
    **dict.fromkeys("^²³", "write a power as x**2"),
    **dict.fromkeys("·×⋅", "write a product as x*y"),
    **dict.fromkeys("−–—", "write minus as -"),
    **dict.fromkeys("[]{}", "use the brackets ( and )"),
    "σ": "write sigmoid(x)",
    "β": "write beta",
    "γ": "write gamma",
    "λ": "write lam",
    "α": "write alpha",
    "δ": "write delta",
}
# What Python's parser says, and what a person can do.
_SAID = {
    "was never closed": "close the bracket",
    "unmatched": "leave it out or open it before",
    "does not match": "brackets are ( and )",
    "nested parentheses": "use fewer brackets",
    "leading zeros": "leave out the leading zeros",
    "literal": "write a product as 2*w",
}


class FormulaError(ValueError):
    """A text that is no formula; the message says where and why."""


@contextmanager
def reading() -> Iterator[None]:
    """Refuse, as a formula, what takes too long or nests too deeply to be read in this block."""
    try:
        with time_limit():
            yield
    except TimeoutError as error:
        raise FormulaError(str(error)) from None
    except (MemoryError, RecursionError):
        raise FormulaError("a formula nests less deeply: got one too deep; simplify it") from None


class SourceText:
    """A text and its syntax tree; a column is counted in characters, from 1, as it was typed.

    Nothing is evaluated: the text is parsed, and only after every character of it is one that
    formulas are written with. Line breaks and tabs count as blanks.

    Raises:
        FormulaError: The text is too long, has a strange character or is no Python expression.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > MAX_LENGTH:
            raise FormulaError(
                f"a formula has at most {MAX_LENGTH} characters: got {len(text)}; shorten it"
            )
        for column, character in enumerate(text):
            if character not in CHARACTERS:
                raise self.fault(
                    column,
                    "a formula is written with letters, digits and . , + - * / ( ) < > = !",
                    character,
                    REMEDIES.get(character, "write it with these"),
                )
        blank = text.translate(dict.fromkeys(map(ord, _BLANKS), " "))
        self._before = len(blank) - len(blank.lstrip())
        self._body = blank.strip()
        self.tree = self._parse()

    def refuse(
        self, node: ast.AST, rule: str, remedy: str = "write it with the grammar"
    ) -> FormulaError:
        """Return the error that the part ``node`` breaks ``rule``."""
        return self.fault(self.column(node), rule, self.part(node), remedy)

    def column(self, node: ast.AST) -> int:
        """Return the place of ``node`` in the text, from 0."""
        return self._before + int(getattr(node, "col_offset", 0))

    def part(self, node: ast.AST) -> str:
        """Return what was typed for ``node``."""
        start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
        return self._body[start:end]

    def fault(self, column: int, rule: str, came: str, remedy: str) -> FormulaError:
        """Return the error that what ``came`` at ``column`` (from 0) breaks ``rule``."""
        came = came if len(came) <= WINDOW else came[: WINDOW - 1] + "…"
        return FormulaError(
            f"{rule}: got {came!r} at column {column + 1} of {self._window(column)}; {remedy}"
        )

    def _window(self, column: int) -> str:
        """Quote the text around ``column``, with a mark before it."""
        start, end = max(0, column - WINDOW), column + WINDOW
        before, after = self.text[start:column], self.text[column:end]
        shown = f"{'…' * (start > 0)}{before}▸{after}{'…' * (end < len(self.text))}"
        return "'" + "".join(c if c.isprintable() else " " for c in shown) + "'"

    def _parse(self) -> ast.expr:
        if not self._body:
            raise FormulaError("a formula says something: got only blanks; type one")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # such as "invalid decimal literal" for "1or 2"
                return ast.parse(self._body, mode="eval").body
        except SyntaxError as error:
            place = error.offset - 1 if error.offset else len(self._body)  # no place is the end
            came = self._body[place : place + 1] or "the end"
            said = [remedy for words, remedy in _SAID.items() if words in error.msg]
            if re.search(r"\blambda\b", self._body):
                said = ["lambda is a word of Python's: write lam"]
            remedy = "compare with ==" if came == "=" else [*said, "mend it there"][0]
            raise self.fault(self._before + place, "this is no formula", came, remedy) from None
        except (MemoryError, RecursionError, ValueError):
            raise FormulaError(
                "a formula nests less deeply: got one too deep; simplify it"
            ) from None
