"""The records of ``disband gpt2`` that are kept with the project."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .provenance import ROOT

RESULTS = ROOT / "results"
NAMES = ("gpt2", "smollm2")


def recorded(folder: Path = RESULTS) -> dict[str, Mapping[str, Any]]:
    """What is kept in the folders within ``folder``, by the name of each; GPT-2 comes first."""
    found = [path for name in NAMES for path in sorted(folder.glob(f"*/{name}.json"))]
    return {path.parent.name: json.loads(path.read_text("utf-8")) for path in found}
