"""``disband derive``: an objective's formulas as text."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sympy import Basic, false
from sympy.core.relational import Relational

from disband.theory.facts import facts
from disband.theory.facts.abbreviations import Chart
from disband.theory.facts.limits import WAYS
from disband.theory.facts.sentences import LONG, Words, length
from disband.theory.objective import Objective
from disband.theory.objectives import OBJECTIVES
from disband.theory.own_loss.autograd import NO_FORMULA, TorchObjective
from disband.theory.own_loss.complexity import size
from disband.theory.own_loss.time_limit import time_limit
from disband.theory.signs import Signs
from disband.verify.pages.tables import number

from .errors import user_input
from .formula import balanced, entry, plain

_STEP = [
    "One step of gradient descent moves the parameters along d_w·a − d_l·b, where",
    "a = ∇log π_w and b = ∇log π_l are the scores of the chosen and the rejected.",
]
# Where an objective without formulas is evaluated: nats, around equal rewards.
_MARGINS = (-20.0, -5.0, -1.0, 0.0, 1.0, 5.0, 20.0)
_REFERENCE, _TOKENS = -50.0, 20.0
# Up to which size of its incentives a loss of one's own is solved for limits and motion.
MAX_SOLVED = 30
# What a solver raises that is handed a formula beyond it.
_BEYOND = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def derivation(objective: Objective | TorchObjective) -> str:
    """Return the loss of ``objective`` and all that follows from it, as lines of plain text."""
    if isinstance(objective, TorchObjective):
        return _numbers(objective)
    names = _chart(objective)

    def short(formula: Basic) -> str:
        return plain(names.short(formula))

    preserved, suppressed = (
        plain(names.short(balanced(c)) if isinstance(c, Relational) else c)
        for c in objective.conditions
    )
    return "\n".join(
        [
            *_head(objective, plain(objective.loss)),
            "",
            *_STEP,
            "",
            *_short(names),
            _entry("d_w", short(objective.d_w)),
            *_solved(objective, "", lambda: _signs(objective.signs_w, names)),
            _entry("d_l", short(objective.d_l)),
            *_solved(objective, "", lambda: _signs(objective.signs_l, names)),
            _entry("r = d_w/d_l", short(objective.ratio)),
            "",
            *_consequences(preserved, suppressed),
            *_solved(objective, "undefined", lambda: _undefined(objective)),
            "",
            *_further(objective),
        ]
    )


def _chart(objective: Objective) -> Chart:
    """Return the short names for an objective; none where a loss of one's own is beyond them."""
    if objective in OBJECTIVES:
        return facts(objective).chart
    try:
        with time_limit():
            return facts(objective).chart
    except (*_BEYOND, TimeoutError):
        return Chart()


def record(objective: Objective | TorchObjective) -> dict[str, Any]:
    """Return the formulas of ``objective`` in LaTeX, as plain data.

    Raises:
        Refusal: Those of a loss of one's own are not found, or not in time.
    """
    if isinstance(objective, TorchObjective):
        return {"name": objective.name, "source": objective.source, "note": NO_FORMULA}
    from disband.verify.pages.entries import objective_entry  # it loads what decides claims

    if objective in OBJECTIVES:
        return {**objective_entry(objective), "note": objective.note}
    with user_input(), time_limit():
        return {**objective_entry(objective), "note": objective.note}


def _undefined(objective: Objective) -> list[str]:
    gap = Words(facts(objective), plain).undefined()
    return _entries("undefined", [gap] if gap else [])


def _further(objective: Objective) -> list[str]:
    if objective not in OBJECTIVES and size(objective.d_w, objective.d_l) > MAX_SOLVED:
        return [_entry("further", "the incentives are too long to solve for limits and motion")]
    return _solved(objective, "further", lambda: _facts(objective))


def _solved(objective: Objective, name: str, solve: Callable[[], list[str]]) -> list[str]:
    """Return what ``solve`` finds. A loss of one's own may be beyond it; the catalogue is not."""
    if objective in OBJECTIVES:
        return solve()
    try:
        with time_limit():
            return solve()
    except (*_BEYOND, TimeoutError):
        return [_entry(name, "not solved for this loss")]


def _facts(objective: Objective) -> list[str]:
    """Return what follows further: limits, the band solved, motion, protection."""
    found = facts(objective)
    words = Words(found, plain)
    lines = ["Solved, with r* = ‖b‖/‖a‖ and the cosine ρ of a and b:"]
    lines += _entries("band", words.band())
    lines += _entries(
        "along", [f"r {text}" if i == 0 else text for i, text in enumerate(words.motion())]
    )
    lines += _entries("protects", [words.protection()])
    zeros = [f"{plain(name)} ≈ {number(float(one.low))}" for name, one in words.crossings()]
    if zeros:
        lines += _entries("zeros", [f"d_w = 0 at {', '.join(zeros)}, with the defaults"])
    lines += ["", "Limits, all else held:"]
    for way, ends in found.ends.items():
        said = [words.limits(limits) for limits in (ends.d_w, ends.d_l, ends.ratio)]
        cells = [f"{name} → {text}" for name, text in zip(("d_w", "d_l", "r"), said, strict=True)]
        lines += _entries(f"π_{WAYS[way].name[-1]} → 0", cells)
    return lines


def _entries(name: str, texts: Sequence[str]) -> list[str]:
    return [_entry(name if i == 0 else "", text) for i, text in enumerate(texts)]


def _numbers(objective: TorchObjective) -> str:
    """Return what is known of an objective without formulas: its incentives at a few margins."""
    half = np.array(_MARGINS) / 2
    pairs = (_REFERENCE + half, _REFERENCE - half, _REFERENCE, _REFERENCE, _TOKENS, _TOKENS)
    d_w, d_l = (objective.kernel(what)(*pairs) for what in ("d_w", "d_l"))
    rows = [("margin", "d_w", "d_l", "r")]
    for margin, pull, push in zip(_MARGINS, d_w, d_l, strict=True):
        ratio = number(pull / push) if push else "undefined"
        rows.append((number(margin), number(pull), number(push), ratio))
    return "\n".join(
        [
            *_head(objective, NO_FORMULA),
            "",
            *_STEP,
            "",
            *(_entry(name, NO_FORMULA) for name in ("d_w", "d_l", "r = d_w/d_l")),
            "",
            f"At log π_ref = {number(_REFERENCE)}, {_TOKENS:g} tokens each, for margins",
            "(log π_w − log π_ref,w) − (log π_l − log π_ref,l) that both share evenly:",
            *("".join(f"{cell:<12}" for cell in row).rstrip() for row in rows),
            "",
            *_consequences("d_w·‖a‖² ≥ d_l·⟨a,b⟩", "d_w·⟨a,b⟩ ≤ d_l·‖b‖²"),
        ]
    )


def _head(objective: Objective | TorchObjective, loss: str) -> list[str]:
    listed = objective in OBJECTIVES
    settings = ", ".join(f"{name} = {number(v)}" for name, v in objective.settings({}).items())
    return [
        f"{objective.name}  ({objective.source})",
        "",
        _entry("loss", loss),
        _entry("defaults" if listed else "with", settings or "no hyperparameters"),
        *([_entry("note", objective.note)] if objective.note else []),
    ]


def _consequences(preserved: str, suppressed: str) -> list[str]:
    return [
        _entry("band", "⟨a,b⟩/‖a‖² ≤ r ≤ ‖b‖²/⟨a,b⟩ for d_w > 0, d_l > 0, ⟨a,b⟩ > 0"),
        _entry("", "every r > 0 for d_w > 0, d_l > 0, ⟨a,b⟩ ≤ 0"),
        "",
        "For incentives of any sign, to first order in the step:",
        _entry("chosen", f"does not fall iff  {preserved}"),
        _entry("rejected", f"does not rise iff  {suppressed}"),
    ]


def _short(names: Chart) -> list[str]:
    found = [f"{plain(name)} = {plain(meaning)}" for name, meaning in names.meanings.items()]
    return _entries("short", found)


def _signs(signs: Signs, names: Chart) -> list[str]:
    regions = (("> 0", signs.positive), ("= 0", signs.zero), ("< 0", signs.negative))
    short = [(sign, names.short(where)) for sign, where in regions if where != false]
    if any(length(where) > LONG for _, where in short):
        return [_entry("", f"{', '.join(sign for sign, _ in short)} at some states")]
    return [_entry("", f"{sign} {_where(plain(where))}") for sign, where in short]


def _where(text: str) -> str:
    return text if text == "always" else f"where {text}"


def _entry(name: str, text: str) -> str:
    return entry(name, text, margin=12)
