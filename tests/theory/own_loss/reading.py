"""Parts of what people type, read alone."""

from disband.theory.own_loss.expression import Reader
from disband.theory.own_loss.formula import read_claim
from disband.theory.own_loss.source_text import SourceText, reading


def read_expression(text, names):
    """The expression that a text writes, over the symbols of ``names``."""
    with reading():
        source = SourceText(text)
        return Reader(source, names).expression(source.tree)


def read_statement(text, names):
    """The statement that a text writes, over the symbols of ``names``."""
    return read_claim(text, names)[0]
