"""What an outsider may rely on: objectives, Grams, bands and first-order steps.

>>> from disband import DPO, Gram, band
>>> low, high = band(Gram.of_angle(cosine=0.9, norm_ratio=1.3))

Names are imported when they are first used, so that the command line starts at once; the list of
them is ``__init__.pyi``, beside this file, and docs/python.md says what each is for.
"""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.2.0"

_LIST = Path(__file__).with_suffix(".pyi")
_CATALOGUE = "disband.theory.objectives"
# theory, sims, lm, verify and figures are links here to the folders beside this one. In a checkout
# whose links are plain files, and in an unpacked source archive, those folders are found by this.
_beside = Path(__file__).parent.parent
if not Path(__file__).with_name("theory").is_dir() and (_beside / "theory").is_dir():
    __path__.append(str(_beside))


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted({*_homes(), *import_module(_CATALOGUE).__all__})
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home, own = _homes().get(name, (_CATALOGUE, name))
    module = import_module(home)
    if home == _CATALOGUE and own not in module.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, own) if hasattr(module, own) else import_module(f"{home}.{own}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})


@cache
def _homes() -> dict[str, tuple[str, str]]:
    """Return for each public name its module and its name there; the catalogue has the rest."""
    lines = ast.parse(_LIST.read_text("utf-8")).body
    return {
        alias.asname or alias.name: (f"{__name__}." * line.level + str(line.module), alias.name)
        for line in lines
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
        if alias.name != "*"
    }
