"""The catalogue as numbers, read from a generated file, so that it starts without sympy.

``catalogue.json`` lies beside this module; ``python -m disband.verify.pages`` writes it. It is
data: names, numbers, and programs of named functions, and reading it runs none of it as code. A
file that is absent, damaged, or written from other declarations than those beside it is not
believed: the catalogue is then derived anew, in memory.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from .kernels.compiled import QUANTITIES, Compiled, Hyperparameter
from .kernels.program import Program
from .lookup import named

FILE = Path(__file__).with_name("catalogue.json")


@dataclass(frozen=True)
class Catalogue:
    """Every objective as numbers, and the other names that some have."""

    objectives: tuple[Compiled, ...]
    aliases: Mapping[str, Compiled]

    def find(self, name: str) -> Compiled:
        """Return the objective called ``name``, as :func:`disband.theory.lookup.named`."""
        return named(name, self.objectives, self.aliases)


@cache
def catalogue() -> Catalogue:
    """Return the catalogue: from its file, or derived if the file is not to be believed."""
    try:
        text = FILE.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        text = ""
    stamp, _, body = text.partition("\n")
    if stamp != _stamp(body):
        body = catalogue_text().partition("\n")[2]
    content = json.loads("{" + body)
    objectives = tuple(_compiled(entry) for entry in content["objectives"])
    by_name = {objective.name: objective for objective in objectives}
    return Catalogue(objectives, {a: by_name[name] for a, name in content["aliases"].items()})


def catalogue_text() -> str:
    """Return the text of the file, derived from the declarations: an objective a line."""
    from .objectives import ALIASES, OBJECTIVES

    aliases = json.dumps({alias: objective.name for alias, objective in ALIASES.items()})
    lines = (
        json.dumps(_written(objective.compiled), ensure_ascii=False, separators=(",", ":"))
        for objective in OBJECTIVES
    )
    body = f'"aliases":{aliases},\n"objectives":[\n' + ",\n".join(lines) + "\n]}\n"
    return f"{_stamp(body)}\n{body}"


def _stamp(body: str) -> str:
    """Return the first line of the file: a digest of its body and of the declarations it is of."""
    root = FILE.parent
    digest = hashlib.sha256(body.encode())
    for path in (root / "symbols.py", *sorted((root / "objectives").glob("*.py"))):
        digest.update(f"\0{path.name}\0{path.read_text(encoding='utf-8')}".encode())
    return f'{{"digest":"{digest.hexdigest()}",'


def _written(objective: Compiled) -> dict[str, Any]:
    programs = {what: objective.program(what) for what in QUANTITIES}
    return {
        "name": objective.name,
        "source": objective.source,
        "note": objective.note,
        "hyperparameters": [
            (*p[:4], None if p.below is None else str(p.below)) for p in objective.hyperparameters
        ],
        "programs": {
            what: (p.arguments, p.constants, p.steps, p.results) for what, p in programs.items()
        },
    }


def _compiled(entry: Mapping[str, Any]) -> Compiled:
    programs = {
        what: Program(
            tuple(arguments),
            tuple(constants),
            tuple((function, tuple(read)) for function, read in steps),
            tuple(results),
        )
        for what, (arguments, constants, steps, results) in entry["programs"].items()
    }
    parameters = tuple(
        Hyperparameter(name, label, default, sign, None if below is None else Fraction(below))
        for name, label, default, sign, below in entry["hyperparameters"]
    )
    return Compiled(entry["name"], entry["source"], entry["note"], parameters, programs.__getitem__)
