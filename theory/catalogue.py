"""The catalogue as numbers, read from disk where it is there, so that it starts without sympy.

What is stored is data: names, numbers, and programs of named functions. Reading it runs none of
it as code, so that a file that somebody tampered with can at worst be wrong in its numbers; a
file that is damaged, or was written by other sources or another sympy, is derived anew. The
folder is the user's own: ``DISBAND_CACHE`` if it is set (set but empty: nothing is stored), else
``disband`` in the place where the system keeps caches.
"""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .kernels.compiled import QUANTITIES, Compiled, Hyperparameter
from .kernels.program import Program
from .lookup import named

# Of what a file looks like; raised when that changes.
FORMAT = 1
# As many versions of the sources can take turns before one of them is derived anew.
_KEPT = 4


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
    """Return the catalogue: from disk, or derived and then stored if that is possible."""
    key, folder = content_key(), cache_folder()
    path = folder / f"catalogue-{key}.json" if folder else None
    if path and (stored := _stored(path)):
        return stored
    text = json.dumps(_derived(), ensure_ascii=False, separators=(",", ":"))
    if path:
        with suppress(OSError):
            _store(path, text)
    return _read(json.loads(text))


def content_key() -> str:
    """Return what names the catalogue's file: a hash of all that it is derived from."""
    root = Path(__file__).parent
    files = {str(path.relative_to(root)): path for path in root.rglob("*.py")}
    sympy = find_spec("sympy")
    if sympy and sympy.origin:
        # the module that holds only sympy's version, for importing sympy would take longer
        files["sympy"] = Path(sympy.origin).with_name("release.py")
    digest = hashlib.sha256(f"{FORMAT}\0{sys.version_info[:2]}".encode())
    for name, path in sorted(files.items()):
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"\0{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def cache_folder() -> Path | None:
    """Return where catalogues are stored, or None if nowhere."""
    if (own := os.environ.get("DISBAND_CACHE")) is not None:
        return Path(own).expanduser() if own else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(base) / "disband"


def _stored(path: Path) -> Catalogue | None:
    """Read a catalogue; None if there is none or its digest is not that of its text."""
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeError):
        return None
    return _read(json.loads(text)) if digest == _digest(text) else None


def _store(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # readable by its owner only, and under its name only when it is whole
    handle, name = tempfile.mkstemp(dir=path.parent, prefix="new-", suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(f"{_digest(text)}\n{text}")
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    files = sorted(path.parent.glob("catalogue-*.json"), key=lambda p: p.stat().st_mtime)
    for old in files[:-_KEPT]:
        old.unlink(missing_ok=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _derived() -> dict[str, Any]:
    from .objectives import ALIASES, OBJECTIVES

    return {
        "objectives": [_written(objective.compiled) for objective in OBJECTIVES],
        "aliases": {alias: objective.name for alias, objective in ALIASES.items()},
    }


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


def _read(content: Mapping[str, Any]) -> Catalogue:
    objectives = tuple(_compiled(entry) for entry in content["objectives"])
    by_name = {objective.name: objective for objective in objectives}
    return Catalogue(objectives, {a: by_name[name] for a, name in content["aliases"].items()})


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
