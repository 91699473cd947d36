"""Finds an objective by its name, however a person writes it."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Protocol, TypeVar


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The name in tables."""


T = TypeVar("T", bound=Named)


def named(name: str, objectives: Iterable[T], aliases: Mapping[str, T]) -> T:
    """Return the one of ``objectives`` called ``name``, whatever its case, hyphens and underscores.

    Where hyphens alone tell two apart, they count: ``r-dpo`` is R-DPO and ``rdpo`` is rDPO. An
    alias counts after the objectives' own names.

    Raises:
        ValueError: No objective has that name.
    """
    every = list(objectives)
    exact = {_hyphened(o.name): o for o in every}
    loose = {_bare(n): o for n, o in (*aliases.items(), *((o.name, o) for o in every))}
    for known, key in ((exact, _hyphened(name)), (loose, _bare(name))):
        if key in known:
            return known[key]
    names = ", ".join(o.name for o in every)
    near = get_close_matches(_bare(name), loose, n=1)
    hint = f"did you mean {loose[near[0]].name}?" if near else "choose one of these"
    raise ValueError(f"an objective is one of {names}: got {name!r}; {hint}")


def _hyphened(name: str) -> str:
    return name.lower().replace("_", "-")


def _bare(name: str) -> str:
    return _hyphened(name).replace("-", "")
