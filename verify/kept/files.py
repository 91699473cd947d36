"""Files written whole or not at all, and the one dialect of JSON in them."""

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # where it is missing, nobody can remove what another has open
    fcntl = None  # type: ignore[assignment]

PARTIAL = ".partial"


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears at ``path`` complete or not at all.

    Raises:
        OSError: The folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file, partial = _partial(path)
    try:
        with file:
            yield file
            partial.chmod(0o644)
            partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _partial(path: Path) -> tuple[IO[bytes], Path]:
    """A file of another name to write in, locked for as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}", suffix=PARTIAL)
        file = os.fdopen(handle, "wb")
        swept = False
        try:
            _lock(file)
        except OSError as error:  # of another kind where a file system has no locks
            swept = isinstance(error, BlockingIOError)
        if not swept and Path(name).exists():
            return file, Path(name)
        file.close()


def sweep(folder: Path) -> None:
    """Remove what killed runs left half written in ``folder``; what a live one writes stays."""
    for path in folder.glob(f".*{PARTIAL}"):
        with suppress(OSError), path.open("rb") as file:
            _lock(file)
            path.unlink()


def _lock(file: IO[bytes]) -> None:
    """Hold ``file`` for as long as it is open, or raise OSError where another does."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, complete or not at all."""
    with whole_file(path) as file:
        file.write(text.encode())


def write_json(path: Path, record: Any) -> None:
    """Write a record as JSON to ``path``, complete or not at all; see :func:`json_text`."""
    write_text(path, json_text(record))


def json_text(record: Any, indent: int | None = 1) -> str:
    """Return a record as JSON, which has no NaN and no infinity: what has no value is null.

    Without an ``indent`` it is one line without spaces.

    Raises:
        TypeError: It holds what is neither text, number, list nor mapping.
    """
    marks = (",", ":") if indent is None else None
    return json.dumps(
        plain(record), indent=indent, separators=marks, ensure_ascii=False, allow_nan=False
    )


def plain(value: Any) -> Any:
    """Return ``value`` in the terms of JSON: numpy's numbers and arrays become Python's.

    Raises:
        TypeError: It holds what is neither text, number, list nor mapping.
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): plain(entry) for name, entry in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Sequence):
        return [plain(entry) for entry in value]
    raise TypeError(
        f"a record holds text, numbers, lists and mappings: got {type(value).__name__}; "
        "turn it into one of these"
    )
