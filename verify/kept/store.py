"""Finished work on disk: whole files only, found again by what they were computed from."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import whole_file, write_text
from .provenance import code_hash, provenance, versions

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Store:
    """Finished steps, arrays or plain records, keyed by configuration, data, code and versions.

    Args:
        folder: Where the files live; made when first needed.
        module: The module that computes what is stored; a change in it, or in anything of this
            project that it imports, makes stored results unknown.
        fresh: Ignore what an earlier run stored.
    """

    folder: Path
    module: str
    fresh: bool = False

    def load(self, name: str, key: Mapping[str, Any]) -> Arrays | None:
        """Return the arrays saved under ``name`` and ``key``, or ``None``."""
        path = self.path(name, key)
        if self.fresh or not path.exists():
            return None
        try:
            with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
                return {k: file[k] for k in file.files if k != "provenance"}
        except (OSError, ValueError, zipfile.BadZipFile):
            return None

    def save(self, name: str, key: Mapping[str, Any], arrays: Mapping[str, Any]) -> Path:
        """Write ``arrays`` under ``name`` and ``key`` with their provenance; return the path."""
        path = self.path(name, key)
        record = json.dumps({**provenance(), "key": key, "code": code_hash(self.module)})
        with whole_file(path) as file:
            np.savez_compressed(file, provenance=np.array(record), **arrays)
        return path

    def load_record(self, name: str, key: Mapping[str, Any]) -> Any:
        """Return the plain data saved under ``name`` and ``key``, or ``None``."""
        path = self.path(name, key, "json")
        if self.fresh or not path.exists():
            return None
        try:
            return json.loads(path.read_text("utf-8"))["record"]
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def save_record(self, name: str, key: Mapping[str, Any], record: Any) -> Path:
        """Write plain data under ``name`` and ``key`` with their provenance; return the path."""
        path = self.path(name, key, "json")
        origin = {**provenance(), "key": key, "code": code_hash(self.module)}
        write_text(path, json.dumps({"provenance": origin, "record": record}, ensure_ascii=False))
        return path

    def path(self, name: str, key: Mapping[str, Any], kind: str = "npz") -> Path:
        """Return where ``name`` computed from ``key`` by the present code is stored."""
        text = json.dumps([code_hash(self.module), versions(), key], sort_keys=True)
        return self.folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.{kind}"
