"""The grammar of typed losses as plain data, for a reader in another language.

Nothing of it is said here: it is what the modules beside this one read losses by.
"""

from typing import Any

from ..symbols import BELOW, DATA
from . import declare, expression, names, source_text
from .constants import LARGE


def grammar() -> dict[str, Any]:
    """Return names, functions, bounds and rules, of which a page makes its own reader.

    ``pair`` maps a name to its place among the six numbers of a pair; ``known`` has the range of
    the hyperparameters that are called as in the catalogue.
    """
    places = {symbol: place for place, symbol in enumerate(DATA)}
    known = {name: symbol for name, symbol in names.KNOWN.items() if symbol not in places}
    return {
        "pair": {name: places[symbol] for name, symbol in names.PAIR.items()},
        "functions": list(declare.OF_LOSSES),
        "extremes": list(expression.EXTREMES),
        "domains": {name: rule for name, (_, rule) in expression.DOMAINS.items()},
        "exponentials": sorted(expression.EXPONENTIALS),
        "following": sorted(names.FOLLOWING),
        "shape": names.SHAPE.pattern,
        "known": {
            name: {
                "sign": "positive"
                if symbol.is_positive
                else "nonnegative"
                if symbol.is_nonnegative
                else "real",
                "below": float(BELOW[symbol]) if symbol in BELOW else None,
            }
            for name, symbol in known.items()
            if names.may_be_hyperparameter(name)
        },
        "characters": "".join(sorted(source_text.CHARACTERS)),
        "longest": source_text.MAX_LENGTH,
        "window": source_text.WINDOW,
        "exponent": expression.MAX_EXPONENT,
        "large": LARGE,
        "remedies": dict(source_text.REMEDIES),
        "other functions": dict(expression.OTHER_FUNCTIONS),
        "other names": dict(expression.OTHER_NAMES),
        "rules": {
            "name": names.RULE,
            "expression": expression.EXPRESSION_RULE,
            "exponent": expression.EXPONENT_RULE,
            "number": expression.NUMBER_RULE,
            "real": expression.REAL_RULE,
            "step": declare.STEP_RULE,
            "moves": declare.MOVES_RULE,
        },
    }
