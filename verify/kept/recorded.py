"""The results that are kept with the project: records of ``disband gpt2``, the ledger's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .provenance import DOOR, ROOT

# An installed package has them inside, a checkout beside it.
RESULTS = DOOR / "results" if (DOOR / "results").is_dir() else ROOT / "results"
RECORDED_LEDGER = RESULTS / "ledger.json"
SECOND_LOOK = RESULTS / "second-look.json"
DOUBLE_ENTRY = RESULTS / "double-entry.json"
NAMES = ("gpt2", "smollm2")


def recorded(folder: Path = RESULTS) -> dict[str, Mapping[str, Any]]:
    """What is kept in the folders within ``folder``, by the name of each; GPT-2 comes first."""
    found = [path for name in NAMES for path in sorted(folder.glob(f"*/{name}.json"))]
    return {path.parent.name: json.loads(path.read_text("utf-8")) for path in found}
