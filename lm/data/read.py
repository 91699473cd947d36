"""Rows of a file, a folder or a data set of the hub, with the place of each and what is wrong."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..model.hub import is_name, within_reach
from .formats import NAMED, Fault, format_of, numbered, rows_of

Parsed = TypeVar("Parsed")

_SHOWN = 3
_LONGEST = 300  # characters of what a library says
_SAVED = ("dataset_dict.json", "state.json")
_ABOUT = ("dataset_info.json", "dataset_infos.json", "config.json")


@dataclass(frozen=True)
class Origin:
    """Where data come from.

    Args:
        source: Path, name on the hub, or name of a package.
        sha256: Of the file's bytes; of the rows that were read where there is no single file.
        rows: How many rows were read, unusable ones included.
        skipped: The unusable ones.
        licence: Under which the data may be used, where it is known.
    """

    source: str
    sha256: str
    rows: int
    skipped: tuple[Fault, ...] = ()
    licence: str | None = None


class Table(NamedTuple):
    """Rows to be read once, each with its place; ``digest`` is complete when they are read."""

    source: str
    rows: Iterator[tuple[str, Any]]
    digest: Any


def read_rows(source: str | Path, split: str = "train", encoding: str = "utf-8-sig") -> Table:
    """Rows of a data source, in order; a row that is no row is a :class:`Fault` in its place.

    Args:
        source: A file of one of the formats of :mod:`disband.lm.data.formats`; a folder that
            ``save_to_disk`` wrote or that holds such files; or ``owner/name`` on the hub.
        split: Part of a folder or of a data set on the hub; files have no parts.
        encoding: Of a text file.

    Raises:
        ImportError: A library that reads the format is not installed.
        ValueError: There is no such source, or it is not of a known format.
    """
    path = Path(source).expanduser()
    named = is_name(str(source)) and not format_of(path) and not path.exists()
    if path.is_dir() or named:
        return _data_set(str(source), path, split)
    if not path.exists():
        raise ValueError(f"{path}: no such file; check the path")
    if not path.is_file():
        raise ValueError(f"{path}: data are a file or a folder, but this is a pipe or a device")
    if format_of(path) is None:
        raise ValueError(f"{path}: data come as {NAMED}, or a folder; unpack or convert the file")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Table(str(path), rows_of(path, encoding, split), digest)


def collect(
    table: Table,
    parse: Callable[[Any], Parsed],
    *,
    skip_malformed: bool = False,
    limit: int | None = None,
) -> tuple[list[tuple[str, Parsed]], Origin]:
    """Parse every row, or the first ``limit`` usable ones; return them with their places.

    Args:
        table: As from ``read_rows``.
        parse: What a row says; raises ValueError with the rule it breaks.
        skip_malformed: Leave unusable rows out and list them in the origin.
        limit: Read no further than so many usable rows.

    Raises:
        ValueError: Rows are unusable and are not to be skipped, none is usable, or a limit
            below 1.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"the limit is a number of rows, 1 or more: got {limit}")
    parsed: list[tuple[str, Parsed]] = []
    faults: list[Fault] = []
    count = 0
    for place, row in table.rows:
        count += 1
        if isinstance(row, Fault):
            faults.append(row)
            continue
        try:
            parsed.append((place, parse(row)))
        except ValueError as error:
            faults.append(Fault(place, str(error)))
        if len(parsed) == limit:
            break
    if faults and not (skip_malformed and parsed):
        raise ValueError(_complaint(table.source, count, faults, skip=skip_malformed))
    if not parsed:
        raise ValueError(f"{table.source}: data have at least one row, but there is none")
    return parsed, Origin(table.source, table.digest.hexdigest(), count, tuple(faults))


def _complaint(source: str, count: int, faults: list[Fault], *, skip: bool) -> str:
    shown = "; ".join(f"{place}: {reason}" for place, reason in faults[:_SHOWN])
    more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    remedy = "no row is left" if skip else "mend them, or leave them out with --skip-malformed"
    return f"{source}: {len(faults)} of {count} rows are malformed: {shown}{more}; {remedy}"


def _data_set(name: str, path: Path, split: str) -> Table:
    try:
        import datasets
    except ImportError as error:
        raise ImportError(
            f"reading {name} needs the library datasets; run: pip install 'disband[lm]'"
        ) from error
    reached = True
    try:
        if any((path / name).is_file() for name in _SAVED):
            saved = datasets.load_from_disk(str(path))
            rows = saved[split] if isinstance(saved, dict) else saved
        elif path.is_dir():
            _require_one_format(path)
            rows = datasets.load_dataset(str(path), split=split)
        else:
            with within_reach() as reached:
                rows = datasets.load_dataset(name, split=split)
    except (OSError, ValueError, LookupError, datasets.exceptions.DatasetsError) as error:
        raise ValueError(_no_data_set(name, path, split, error, reached=reached)) from error
    digest = hashlib.sha256()

    def read() -> Iterator[Any]:
        for row in rows:
            digest.update(json.dumps(row, sort_keys=True, default=str).encode() + b"\n")
            yield row

    return Table(name, numbered(read()), digest)


def _require_one_format(folder: Path) -> None:
    """See that files of one format hold the data, for of several only one's would be read."""
    files = [file for file in sorted(folder.rglob("*")) if format_of(file) and file.is_file()]
    first = {format_of(file): file for file in reversed(files) if file.name not in _ABOUT}
    if len(first) > 1:
        names = " and ".join(str(file.relative_to(folder)) for file in first.values())
        raise ValueError(f"{names} are of two formats, of which one would not be read")


def _no_data_set(name: str, path: Path, split: str, error: Exception, *, reached: bool) -> str:
    told = " ".join(str(error.__cause__ or error).split())
    detail = shown if len(shown := told[:_LONGEST]) == len(told) else f"{shown} …"
    if path.is_dir():
        return (
            f"{name}: a folder of data holds files with a part {split!r}, all of one format "
            f"({NAMED}), or is one that save_to_disk wrote ({detail}); give a file of it instead"
        )
    if not reached:
        return (
            f"{name}: no such file, and the Hugging Face hub is out of reach; "
            f"give a file ({NAMED}) or a folder, or connect"
        )
    return (
        f"{name}: neither a file nor a data set that the hub gave with a part {split!r} "
        f"({detail}); check the name and the part, or give a file"
    )
