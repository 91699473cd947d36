"""The page about all objectives, derived from their declarations: ``docs/objectives.md``."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from sympy import And, Basic, Expr, Or, Symbol, false, true
from sympy.printing.latex import LatexPrinter

from disband.theory import symbols
from disband.theory.facts import Facts, facts
from disband.theory.facts.abbreviations import LATEX as CHARTS
from disband.theory.facts.abbreviations import Chart, chart
from disband.theory.facts.limits import WAYS
from disband.theory.facts.outcomes import SIGNS
from disband.theory.facts.protection import LATEX as PROTECTION
from disband.theory.facts.regions import Region
from disband.theory.facts.sentences import LONG, Words, fate, length
from disband.theory.objective import Objective
from disband.theory.objectives import BATCH_OBJECTIVES, OBJECTIVES
from disband.theory.objectives.versions import VERSIONS, Version
from disband.theory.signs import Signs

from .tables import table

_NAMES = {**symbols.LATEX, **CHARTS, **PROTECTION}
_SIGN = {1: "> 0", 0: "= 0", -1: "< 0"}

HEAD = r"""# The objectives

Everything on this page follows from one declaration of each loss; `python -m disband.verify.pages`
writes it, and tests check each statement against the loss itself. A step of gradient descent moves
the parameters along $d_w a - d_l b$, with the scores $a = \nabla\log\pi_w$ of the chosen and
$b = \nabla\log\pi_l$ of the rejected response, and the incentives
$d_w = -\partial\ell/\partial\log\pi_w$, $d_l = \partial\ell/\partial\log\pi_l$, whose ratio is
$r = d_w/d_l$ where $d_l \ne 0$. Of the scores only their cosine $\rho$ and the ratio of norms
$r^* = \Vert b\Vert/\Vert a\Vert$ matter; all changes are to first order in the step.

* **Protects the chosen**: the chosen log-probability does not fall, that is, $d_w \ge d_l\rho r^*$.
* **Band**: both incentives are positive, the chosen does not fall and the rejected does not rise.
* **Along training**: what happens to $r$ as $\log\pi_w$ rises and $\log\pi_l$ falls.
* **Limits**: one response becomes impossible, all else is held. Where a limit depends on
  hyperparameters, the case of the defaults is given with its condition.
* $\mathbf{1}_{>0}(x)$ is one where $x > 0$ and else zero; $\mathrm{relu}(x) = \max(0, x)$;
  $\mathrm{logodds}(x) = \log\frac{e^x}{1 - e^x}$; $\mathrm{expm1}(x) = e^x - 1$.
"""

_SIGNS_HEAD = (
    "By the sign of $\\langle a,b\\rangle$, for scores that are neither zero nor parallel; where "
    "it says either, sizes decide. Reached: at some state with the default hyperparameters.\n"
)


def objectives_page(objectives: Sequence[Objective] = OBJECTIVES) -> str:
    """Return the page as Markdown with GitHub's mathematics."""
    found = [facts(objective) for objective in objectives]
    parts = [HEAD, _names(found), _summary(found), _signs_table(found), _batch()]
    parts += [_section(one) for one in found]
    return "\n".join(parts)


def typeset(formula: Basic) -> str:
    """Return ``formula`` as Markdown mathematics; a condition in words between its parts."""
    if formula in (true, false):
        return "always" if formula == true else "never"
    if isinstance(formula, And | Or):
        word = " and " if isinstance(formula, And) else " or "
        inner = [typeset(part) for part in sorted(formula.args, key=str)]
        nested = [isinstance(part, And | Or) for part in sorted(formula.args, key=str)]
        return word.join(f"({t})" if n else t for t, n in zip(inner, nested, strict=True))
    text = str(_Latex({"symbol_names": _NAMES}).doprint(formula))
    # A bar would end a cell of a table.
    return "$" + text.replace(r"\|", r"\Vert ").replace("|", r"\vert ") + "$"


class _Latex(LatexPrinter):  # type: ignore[misc]
    """Prints what a sum adds before what it takes away."""

    def _as_ordered_terms(self, expr: Expr, order: str | None = None) -> list[Expr]:
        terms = super()._as_ordered_terms(expr, order)
        return sorted(terms, key=lambda term: bool(term.could_extract_minus_sign()))


def _names(found: Iterable[Facts]) -> str:
    meanings: dict[Symbol, Basic] = {}
    for one in found:
        meanings |= one.chart.meanings
    rows = [(typeset(name), typeset(meaning)) for name, meaning in meanings.items()]
    return "\n".join(table(("short", "for"), rows)) + "\n"


def _summary(found: Iterable[Facts]) -> str:
    rows = []
    for one in found:
        own, name = one.objective, one.objective.name
        formulas = (own.d_w, own.d_l, *([one.ratio] if own.d_l != 0 else []))
        cells = [_brief(one.chart, f) for f in formulas]
        cells += [] if own.d_l != 0 else ["no value"]
        words = Words(one, typeset)
        motion = words.motion()
        along = motion[0] if not motion[0].startswith("by way") else "no single direction"
        safe = first_sentence(words.protection(), name)
        rows.append((f"[{name}](#{_anchor(name)})", *cells, along, safe))
    columns = ("objective", "$d_w$", "$d_l$", "$r$", "along training", "protects the chosen")
    return "\n".join(["## All at once\n", *table(columns, rows)]) + "\n"


def _brief(names: Chart, formula: Basic) -> str:
    short = names.short(formula)
    return typeset(short) if length(short) <= LONG else "below"


def first_sentence(text: str, name: str) -> str:
    """Return when ``name`` protects the chosen, of the paragraph that says so; a long one not."""
    sentence = text.partition(". ")[0].rstrip(".")
    short = sentence.removeprefix(f"{name} protects the chosen ")
    return short if len(short) < 160 else "below"


def _signs_table(found: Iterable[Facts]) -> str:
    """Return what each combination of signs does, and who reaches it."""
    reached: dict[tuple[int, int], list[str]] = {(u, v): [] for u, v in product(SIGNS, SIGNS)}
    for one in found:
        for region in one.regions:
            if region.reached and region.usual:
                name = one.objective.name
                reached[region.d_w, region.d_l].append(f"[{name}](#{_anchor(name)})")
    rows = []
    for (d_w, d_l), names in reached.items():
        cells = ["chosen {}, rejected {}".format(*fate(d_w, d_l, dot)) for dot in (-1, 0, 1)]
        every = ", ".join(names) or "none"
        if (d_w, d_l) == (1, 1):
            every = f"{len(names)} objectives"
        rows.append((_SIGN[d_w], _SIGN[d_l], *cells, every))
    columns = ("$d_w$", "$d_l$", "$\\langle a,b\\rangle < 0$", "$= 0$", "$> 0$", "reached by")
    lines = ["## What the signs decide\n", _SIGNS_HEAD, *table(columns, rows)]
    return "\n".join(lines) + "\n"


def _batch() -> str:
    lines = [
        f"* **{one.name}** ({one.source}): {one.pairwise.name} after a sort of the batch, so that "
        f"all said of {one.pairwise.name} holds for the partners that meet. {one.note}"
        for one in BATCH_OBJECTIVES
    ]
    return "\n".join(["## Objectives of a whole batch\n", *lines, ""])


def _section(one: Facts) -> str:
    own, words = one.objective, Words(one, typeset)
    defaults = ", ".join(f"{typeset(s)} = {v:.4g}" for s, v in own.defaults.items())
    lines = [f"## {own.name}\n", f"{own.source}. {own.note}".rstrip() + "\n"]
    lines.append(f"* loss: {typeset(own.loss)}" + (f", with {defaults}" if defaults else ""))
    for name, meaning in one.chart.meanings.items():
        lines.append(f"* {typeset(name)} stands for {typeset(meaning)}")
    lines += _incentive("d_w", own.d_w, own.signs_w, one.chart)
    lines += _incentive("d_l", own.d_l, own.signs_l, one.chart)
    lines.append(f"* $r$ = {typeset(one.chart.short(own.ratio))}" if own.d_l != 0 else "* no $r$")
    if gap := words.undefined():
        lines.append(f"* {gap}")
    lines += [
        _region(region, words) for region in one.regions if (region.d_w, region.d_l) != (1, 1)
    ]
    for name, zero in words.crossings():
        lines.append(
            f"* with the defaults, $d_w = 0$ at {typeset(name)} between {float(zero.low):.7f} and "
            f"{float(zero.high):.7f} (certified by interval arithmetic)"
        )
    lines.append(f"* band: {'; '.join(words.band())}")
    lines.append(f"* $r$ along training: {'; '.join(words.motion())}")
    lines.append(f"* **{words.protection()}**\n")
    return "\n".join([*lines, *_limits(one, words), *_versions(one)])


def _incentive(name: str, formula: Basic, found: Signs, names: Chart) -> list[str]:
    places = [(sign, names.short(found.of(sign))) for sign in SIGNS if found.of(sign) != false]
    if any(length(where) > LONG for _, where in places):
        said = "of either sign and zero: see below"
    else:
        said = "; ".join(
            f"${_SIGN[sign]}$ {'' if where == true else 'where '}{typeset(where)}"
            for sign, where in places
        )
    return [f"* ${name}$ = {typeset(names.short(formula))}: {said}"]


def _region(region: Region, words: Words) -> str:
    signs = f"$d_w {_SIGN[region.d_w]}$, $d_l {_SIGN[region.d_l]}$"
    where = words.facts.chart.short(region.where)
    place = f" where {typeset(where)}" if where != true and length(where) <= LONG else ""
    if not region.reached:
        return f"* {signs}{place}: no state found, none ruled out"
    kind = "" if region.usual else ", for other hyperparameters than the defaults"
    agree, oppose = fate(region.d_w, region.d_l, 1), fate(region.d_w, region.d_l, -1)
    said = "chosen {}, rejected {} where scores agree".format(*agree)
    said += "; chosen {}, rejected {} where they oppose".format(*oppose)
    return f"* {signs}{place}{kind}: {said}"


def _limits(one: Facts, words: Words) -> list[str]:
    rows = [
        (
            f"{typeset(WAYS[way])} $\\to -\\infty$",
            *(words.limits(found) for found in (ends.d_w, ends.d_l, ends.ratio)),
        )
        for way, ends in one.ends.items()
    ]
    return [*table(("as", "$d_w \\to$", "$d_l \\to$", "$r \\to$"), rows), ""]


def _versions(one: Facts) -> list[str]:
    others = [version for version in VERSIONS if version.objective is one.objective]
    if not others:
        return []
    own = one.objective
    rows = [_version_row(f"here ({own.source})", own, own.defaults, "")]
    for version in others:
        theirs = Objective(own.name, version.loss, version.who, _defaults(own, version))
        rows.append(_version_row(version.who, theirs, theirs.defaults, version.differs))
    columns = ("whose", "loss", "defaults", "$d_w$", "$d_l$", "differs")
    return ["Not everybody means the same by this name:\n", *table(columns, rows), ""]


def _defaults(own: Objective, version: Version) -> dict[Symbol, float]:
    used = version.loss.free_symbols
    return {s: v for s, v in {**own.defaults, **version.defaults}.items() if s in used}


def _version_row(
    who: str, objective: Objective, defaults: Mapping[Symbol, float], differs: str
) -> tuple[str, ...]:
    names = chart(objective.d_w, objective.d_l)
    values = ", ".join(f"{typeset(s)} = {v:.4g}" for s, v in defaults.items()) or "none"
    cells = [typeset(names.short(d)) for d in (objective.d_w, objective.d_l)]
    loss = typeset(chart(objective.loss).short(objective.loss))
    return who, loss, values, *cells, differs


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")
