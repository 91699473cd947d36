"""What the comparison of both formalisations came to, as it is kept with the project.

``python -m tests.verify.second.pairs.kept`` writes it.
"""

from collections.abc import Mapping

from disband.verify.deciding.confirmed import keep, statement_key
from disband.verify.kept.recorded import DOUBLE_ENTRY
from tests.verify.second.pairs.comparison import FEWER, POINTS, Compared, compared
from tests.verify.second.pairs.pair import Pair
from tests.verify.second.pairs.table import PAIRS


def how(pair: Pair, found: Compared) -> str:
    """How two formalisations that agree were compared: row, whole, solver or points."""
    if pair.row:
        return "row"
    return "whole" if pair.apart else "solver" if found.solver == "unsat" else "points"


def said(pair: Pair, found: Compared) -> str:
    """What a reader is told of a pair."""
    if not found.agrees:
        return f"a second formalisation differs: {pair.differs}"
    words = {
        "row": "in the incentives of the row",
        "whole": f"as wholes, at {POINTS} random exact points",
        "solver": f"for all values by the solver, its parts at {FEWER} points",
        "points": f"at {POINTS} random exact points",
    }[how(pair, found)]
    more = f"; assumptions differ: {pair.assumes}" if found.assumes_more else ""
    return f"by a second formalisation, {words}{more}"


def entries(found: Mapping[Pair, Compared]) -> dict[str, dict[str, str]]:
    """What is kept of each entry of the ledger: of several pairs, what each came to."""
    told: dict[str, list[str]] = {}
    for pair, result in found.items():
        told.setdefault(pair.ledger.id, []).append(said(pair, result))
    keys = {pair.ledger.id: statement_key(pair.ledger) for pair in found}
    return {
        name: {"key": keys[name], "found": "; ".join(dict.fromkeys(words))}
        for name, words in told.items()
    }


if __name__ == "__main__":
    keep(
        DOUBLE_ENTRY,
        "python -m tests.verify.second.pairs.kept",
        entries({pair: compared(pair, pair.ledger) for pair in PAIRS}),
    )
