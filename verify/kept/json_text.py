"""Records as JSON text, which has no NaN: what has no value is null."""

import json
import math
from collections.abc import Mapping
from typing import Any


def json_text(record: Any) -> str:
    """Return a record of plain values as indented JSON."""
    return json.dumps(_finite(record), indent=1, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
