"""``disband derive``: an objective's formulas as text."""

from sympy.core.relational import Relational

from disband.plain import balanced, entry, number, plain
from theory.objective import Objective, Signs
from theory.symbols import PLAIN


def derivation(objective: Objective) -> str:
    """Return the loss of ``objective`` and all that follows from it, as lines of plain text."""
    preserved, suppressed = (
        plain(balanced(c)) if isinstance(c, Relational) else plain(c) for c in objective.conditions
    )
    defaults = (f"{PLAIN.get(s, s.name)} = {number(v)}" for s, v in objective.defaults.items())
    parts = [
        f"{objective.name}  ({objective.source})",
        "",
        _entry("loss", plain(objective.loss)),
        _entry("defaults", ", ".join(defaults) or "no hyperparameters"),
        "",
        "One step of gradient descent moves the parameters along d_w·a − d_l·b, where",
        "a = ∇log π_w and b = ∇log π_l are the scores of the chosen and the rejected.",
        "",
        _entry("d_w", plain(objective.d_w)),
        *_signs(objective.signs_w),
        _entry("d_l", plain(objective.d_l)),
        *_signs(objective.signs_l),
        _entry("r = d_w/d_l", plain(objective.ratio)),
        "",
        _entry("band", "⟨a,b⟩/‖a‖² ≤ r ≤ ‖b‖²/⟨a,b⟩ for d_w > 0, d_l > 0, ⟨a,b⟩ > 0"),
        _entry("", "every r > 0 for d_w > 0, d_l > 0, ⟨a,b⟩ ≤ 0"),
        "",
        "For incentives of any sign, to first order in the step:",
        _entry("chosen", f"does not fall iff  {preserved}"),
        _entry("rejected", f"does not rise iff  {suppressed}"),
    ]
    return "\n".join(parts)


def _signs(signs: Signs) -> list[str]:
    regions = (("> 0", signs.positive), ("= 0", signs.zero), ("< 0", signs.negative))
    said = [(sign, plain(where)) for sign, where in regions]
    return [_entry("", f"{sign} {_where(text)}") for sign, text in said if text != "never"]


def _where(text: str) -> str:
    return text if text == "always" else f"where {text}"


def _entry(name: str, text: str) -> str:
    return entry(name, text, margin=12)
