"""``disband explore``: one page that computes where it is read, from the same declarations."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bokeh.embed import json_item
from bokeh.resources import Resources
from markupsafe import Markup
from sympy import Basic, Expr, latex, symbols

from disband.figures import explorer
from disband.figures.style import CHOSEN, REJECTED
from disband.sims.pairs.policies import PLACES
from disband.sims.pairs.studies import TOYS
from disband.theory.band import Case
from disband.theory.facts.abbreviations import LATEX as CHARTS
from disband.theory.facts.abbreviations import chart
from disband.theory.javascript import PRELUDE, javascript
from disband.theory.kernels.primitives import relu, step
from disband.theory.kernels.stable import TANGENT
from disband.theory.models.toys import single_token_gram
from disband.theory.objective import Objective
from disband.theory.objectives import DPO, MECHANISMS, OBJECTIVES
from disband.theory.own_loss.grammar import grammar
from disband.theory.symbols import DATA, LATEX
from disband.verify.kept.files import json_text
from disband.verify.kept.provenance import versions
from disband.verify.pages.kit import as_is, mathml
from disband.verify.pages.kit import page as page_of
from disband.verify.pages.report import band_functions

from .controls import CONTROLS, MOST_ROWS, MOST_SEEDS, MOST_TOKENS, PRESETS

Record = Mapping[str, Any]

FOLDER = Path(__file__).parent
SCRIPTS = ("state.js", "theory.js", "formula.js", "typed.js", "draw.js", "pair.js", "beside.js",
           "toys.js", "run.js", "horizon.js", "tokens.js", "export.js", "start.js")  # fmt: skip
OWN_GROUP = "your own"


def page(
    tokens: Record | None, own: Objective | None = None, *, loss: str = "", command: str = ""
) -> str:
    """Return the page: one file that asks nothing of a network.

    Args:
        tokens: Token products of real pairs, as :mod:`disband.heat` has them; none where ``None``.
        own: A loss of one's own, which the page begins with.
        loss: What was typed for it.
        command: What made the page.

    Raises:
        ValueError: The loss has a function without JavaScript.
    """
    listed = (*([own] if own else []), *OBJECTIVES)
    tokens = tokens and _seen(tokens)
    return page_of(
        FOLDER / "page.html.j2",
        {},
        [
            "\n".join(_bokeh().js_raw),
            "\n".join([PRELUDE, grammar_script(), *functions(listed), *_scripts()]),
        ],
        style=as_is((FOLDER / "page.css").read_text("utf-8")),
        data=as_is(_json(_data(listed, tokens, own, loss))),
        formulas=[_formulas(objective) for objective in listed],
        groups=_groups(own),
        presets=list(PRESETS),
        reads=", ".join([*grammar()["functions"], *grammar()["extremes"]]),
        toys=list(TOYS),
        tokens=tokens,
        command=command,
        versions={name: versions()[name] for name in ("numpy", "sympy")},
    )


def grammar_script() -> str:
    """Return the JavaScript of what a typed loss is read by: the grammar, as Python has it."""
    return f"const GRAMMAR = {_json({**grammar(), 'tangent': TANGENT})};"


def functions(listed: Sequence[Objective]) -> Iterator[str]:
    """Yield the JavaScript of all that the page computes by a formula.

    ``objective_I`` gives loss and incentives of the I-th objective; the others take a Gram.

    Raises:
        ValueError: A loss has a function without JavaScript.
    """
    for i, objective in enumerate(listed):
        made = [objective.loss, objective.d_w, objective.d_l]
        yield javascript(made, [*DATA, *objective.defaults], f"objective_{i}")
        yield javascript(_kinks(objective), [*DATA, *objective.defaults], f"kinks_{i}")
    for name, stem in (("INCENTIVES", "objective"), ("KINKS", "kinks")):
        yield f"const {name} = [{', '.join(f'{stem}_{i}' for i in range(len(listed)))}];"
    yield from band_functions()
    s_w, s_l, sum_sq, h_sq = symbols("s_w s_l sum_sq h_sq", real=True)
    single = single_token_gram(s_w, s_l, sum_sq, h_sq)
    args = [s_w, s_l, sum_sq, h_sq]
    yield javascript([single.sq_w, single.sq_l, single.dot], args, "single_token_gram")


def _kinks(objective: Objective) -> list[Expr]:
    """Return what is zero where the loss has a kink, so that its slope is one of two."""
    hinges = [*objective.loss.atoms(relu), *objective.d_w.atoms(step), *objective.d_l.atoms(step)]
    return sorted({hinge.args[0] for hinge in hinges}, key=str)


def _bokeh() -> Resources:
    """Return Bokeh's own script: of its parts, the one that draws."""
    return Resources(mode="inline", components=["bokeh"], log_level="warn")


def _scripts() -> list[str]:
    return [(FOLDER / name).read_text("utf-8") for name in SCRIPTS]


def _data(
    listed: Sequence[Objective], tokens: Record | None, own: Objective | None, loss: str
) -> Record:
    """Return all that the page's script reads, as plain data."""
    normals = [np.random.default_rng(seed).standard_normal(MOST_ROWS * MOST_TOKENS)
               for seed in range(MOST_SEEDS)]  # fmt: skip
    figures = {
        "plane": explorer.plane("plane", "log r, r = d_w/d_l"),
        "directions": explorer.directions(),
        "scores": explorer.scores(),
        "courses": explorer.courses(PLACES),
        "toyplane": explorer.plane("toyplane", "log r − log r*"),
        "shares": explorer.shares(),
        "horizon_w": explorer.horizon("horizon_w", "chosen", CHOSEN.color),
        "horizon_l": explorer.horizon("horizon_l", "rejected", REJECTED.color),
    }
    if tokens:
        figures["heat"] = explorer.heat(tokens)
    return {
        "objectives": [
            {**_objective(objective), **({"loss": loss} if objective is own else {})}
            for objective in listed
        ],
        "first": own.name if own else DPO.name,
        "dpo": listed.index(DPO),
        "presets": {name: dict(numbers) for name, numbers in PRESETS.items()},
        "controls": [control.record() for control in CONTROLS],
        "cases": [case.words for case in Case],
        "toys": {
            toy.name: {"summary": toy.summary, "lr": toy.lr, "defaults": dict(toy.defaults)}
            for toy in TOYS.values()
        },
        "normals": [[float(v) for v in row] for row in normals],
        "paints": explorer.PAINTS,
        "figures": {name: json_item(made) for name, made in figures.items()},
        "tokens": tokens,
    }


def _seen(tokens: Record) -> Record:
    """Return token products whose tokens show their spaces."""
    words = {side: [token.replace(" ", "␣") for token in tokens[side]]
             for side in ("chosen", "rejected")}  # fmt: skip
    return {**tokens, **words}


def _objective(objective: Objective) -> Record:
    parameters = objective.compiled.hyperparameters
    return {
        "name": objective.name,
        "source": objective.source,
        "note": objective.note,
        "latex": _latex(objective),
        "parameters": [
            {
                "name": one.name,
                "label": one.label,
                "start": one.default,
                "sign": one.sign,
                "below": None if one.below is None else float(one.below),
            }
            for one in parameters
        ],
    }


def _formulas(objective: Objective) -> dict[str, Markup]:
    """Return what follows from an objective, typeset in few names, with what these mean."""
    return {word: mathml(text, large=True) for word, text in _latex(objective).items()}


def _latex(objective: Objective) -> dict[str, str]:
    """Return the same as LaTeX."""
    d_w, d_l, ratio, loss = objective.d_w, objective.d_l, objective.ratio, objective.loss
    names, of_loss = chart(d_w, d_l), chart(loss)
    lines = {
        "loss": of_loss.short(loss),
        "pull on the chosen": names.short(d_w),
        "push on the rejected": names.short(d_l),
    }
    if d_l != 0:
        lines["ratio of incentives"] = names.short(ratio)
    meant = {**of_loss.meanings, **names.meanings}
    marks = dict(zip(lines, (r"\ell", "d_w", "d_l", "r"), strict=False))
    said = {word: f"{marks[word]} = {_typeset(expr)}" for word, expr in lines.items()}
    if meant:
        parts = [f"{_typeset(name)} = {_typeset(what)}" for name, what in meant.items()]
        said["where"] = r",\quad ".join(parts)
    return said


def _typeset(expression: Basic) -> str:
    return str(latex(expression, symbol_names={**LATEX, **CHARTS}))


def _groups(own: Objective | None) -> dict[str, tuple[str, ...]]:
    """Return the names of all objectives by mechanism, as the menu shows them."""
    return ({OWN_GROUP: (own.name,)} if own else {}) | dict(MECHANISMS)


def _json(data: Record) -> str:
    """Return ``data`` to stand in a page: no tag can begin in it."""
    return json_text(data, indent=None).replace("<", "\\u003c")
