"""Dataclasses of arrays as plain arrays by name, for files, and back."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
T = TypeVar("T")

_TREE = "tree"


def encode(value: Any) -> dict[str, NDArray[Any]]:
    """Return ``value`` as arrays, each named for its place; :func:`decode` undoes it.

    ``value`` is made of dataclasses, mappings by text, numbers or tuples of these, tuples, lists,
    arrays, and what JSON knows. The array ``tree`` says how the others belong together.

    Raises:
        TypeError: It holds something else.
    """
    arrays: dict[str, NDArray[Any]] = {}

    def taken_apart(value: Any, place: str) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return {"plain": value}
        if isinstance(value, np.ndarray | np.generic):
            arrays[place] = np.asarray(value)
            return {"array": place}
        if is_dataclass(value) and not isinstance(value, type):
            entries = [(field.name, getattr(value, field.name)) for field in fields(value)]
            return [[name, taken_apart(entry, f"{place}/{name}")] for name, entry in entries]
        if isinstance(value, Mapping):
            return [
                [key, taken_apart(entry, f"{place}/{_joined(key)}")] for key, entry in value.items()
            ]
        if isinstance(value, tuple | list):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {kind: [taken_apart(e, f"{place}/{i}") for i, e in enumerate(value)]}
        raise TypeError(f"arrays, plain values and dataclasses of them are kept: got {value!r:.60}")

    tree = taken_apart(value, "data")
    return {_TREE: np.array(json.dumps(tree)), **arrays}


def decode(kind: type[T], arrays: Arrays) -> T:
    """Return the value of type ``kind`` that :func:`encode` made ``arrays`` from.

    The annotations of ``kind`` say which dataclass stands where.

    Raises:
        LookupError: ``arrays`` lacks one.
        TypeError: ``kind`` has other fields.
    """

    def put_together(kind: Any, tree: Any) -> Any:
        if isinstance(tree, dict):
            ((what, content),) = tree.items()
            if what in {"tuple", "list"}:
                entries = [put_together(Any, entry) for entry in content]
                return tuple(entries) if what == "tuple" else entries
            return arrays[content] if what == "array" else content
        if is_dataclass(kind):
            hints = get_type_hints(kind)
            made = {name: put_together(hints.get(name), entry) for name, entry in tree}
            return kind(**made)  # type: ignore[operator]
        inner = get_args(kind)[1] if issubclass(get_origin(kind) or object, Mapping) else Any
        return {
            tuple(key) if isinstance(key, list) else key: put_together(inner, entry)
            for key, entry in tree
        }

    made: T = put_together(kind, json.loads(str(arrays[_TREE])))
    return made


def _joined(key: Any) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
