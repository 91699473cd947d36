"""Finished work on disk: found again by what it was computed from, and by that alone."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .codec import decode, encode
from .files import plain
from .provenance import code_hash, provenance, versions
from .sealed import DamagedError, read_arrays, read_record, write_arrays, write_record

Arrays = dict[str, NDArray[Any]]
T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """Finished steps, arrays or plain records, keyed by configuration, data, code and versions.

    A file that is damaged counts as missing.

    Args:
        folder: Where the files live; made when first needed.
        module: The module that computes what is stored; a change in it, or in anything of this
            project that it imports, makes stored results unknown.
        fresh: Ignore what an earlier run stored.
    """

    folder: Path
    module: str
    fresh: bool = False

    def value(
        self, kind: type[T], name: str, key: Mapping[str, Any], compute: Callable[[], T]
    ) -> tuple[T, bool]:
        """Return what ``compute`` returns, and whether an earlier run kept it.

        ``kind`` is its type, one that :func:`disband.verify.kept.codec.decode` can make.
        """
        if (arrays := self.load(name, key)) is not None:
            return decode(kind, arrays), True
        made = compute()
        self.save(name, key, encode(made))
        return made, False

    def record(
        self, name: str, key: Mapping[str, Any], compute: Callable[[], Any]
    ) -> tuple[Any, bool]:
        """Return the plain data that ``compute`` returns, and whether an earlier run kept them."""
        if (kept := self.load_record(name, key)) is not None:
            return kept, True
        made = plain(compute())
        self.save_record(name, key, made)
        return made, False

    def load(self, name: str, key: Mapping[str, Any]) -> Arrays | None:
        """Return the arrays saved under ``name`` and ``key``, or ``None``."""
        arrays: Arrays | None = self._read(read_arrays, self.path(name, key))
        if arrays is not None:
            del arrays["provenance"]
        return arrays

    def save(self, name: str, key: Mapping[str, Any], arrays: Mapping[str, Any]) -> Path:
        """Write ``arrays`` under ``name`` and ``key`` with their provenance; return the path."""
        path = self.path(name, key)
        write_arrays(path, {"provenance": np.array(json.dumps(self._origin(key))), **arrays})
        return path

    def load_record(self, name: str, key: Mapping[str, Any]) -> Any:
        """Return the plain data saved under ``name`` and ``key``, or ``None``."""
        kept = self._read(read_record, self.path(name, key, "json"))
        return None if kept is None else kept["data"]

    def save_record(self, name: str, key: Mapping[str, Any], record: Any) -> Path:
        """Write plain data under ``name`` and ``key`` with their provenance; return the path."""
        path = self.path(name, key, "json")
        write_record(path, {"provenance": self._origin(key), "data": record})
        return path

    def path(self, name: str, key: Mapping[str, Any], kind: str = "npz") -> Path:
        """Return where ``name`` computed from ``key`` by the present code is stored."""
        text = json.dumps([code_hash(self.module), versions(), key], sort_keys=True)
        return self.folder / f"{name}-{sha256(text.encode()).hexdigest()[:12]}.{kind}"

    def _read(self, read: Callable[[Path], Any], path: Path) -> Any:
        if self.fresh:
            return None
        try:
            return read(path)
        except (OSError, DamagedError):
            return None

    def _origin(self, key: Mapping[str, Any]) -> dict[str, Any]:
        return {**provenance(), "key": key, "code": code_hash(self.module)}
