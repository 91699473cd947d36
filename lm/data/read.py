"""Rows of a file, a folder or a data set of the hub, with the place of each and what is wrong."""

import csv
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ..model.hub import is_name, within_reach

Parsed = TypeVar("Parsed")

FORMATS = (".csv", ".json", ".jsonl", ".jsonl.gz", ".parquet")
# Of a row in characters, and of a JSON file, which is read whole, in bytes: a row takes many times
# its size once it is read, and an archive can be a thousand times the size of its file.
LONGEST_ROW = 1 << 24
LARGEST_JSON = 1 << 28
AT_ONCE = 16  # rows of Parquet, which repeats a value of its file at no cost there
_SHOWN = 3
_ESCAPED = re.compile("[\udc80-\udcff]")
_SAVED = ("dataset_dict.json", "state.json")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Fault(NamedTuple):
    """A row that cannot be used: where it is, such as ``line 3``, and why."""

    place: str
    reason: str


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
        source: A file of one of ``FORMATS`` in UTF-8; a folder that ``save_to_disk`` wrote or
            that holds such files; or ``owner/name`` on the Hugging Face hub.
        split: Part of a folder or of a data set on the hub; files have no parts.
        encoding: Of a text file.

    Raises:
        ImportError: A library that reads the format is not installed.
        ValueError: There is no such source, or it is not of a known format.
    """
    path = Path(source).expanduser()
    if path.is_dir() or (is_name(str(source)) and not _kind(path)):
        return _data_set(str(source), path, split)
    if not path.exists():
        raise ValueError(f"{path}: no such file; check the path")
    if not path.is_file():
        raise ValueError(f"{path}: data are a file or a folder, but this is a pipe or a device")
    kind = _kind(path)
    if kind is None:
        raise ValueError(f"{path}: data come as {', '.join(FORMATS)} or a folder; convert the file")
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256")
    if start in _UTF_16:
        raise ValueError(f"{path}: the file must be UTF-8, but it begins as UTF-16; save it anew")
    rows = _json(path, encoding, split) if kind == ".json" else _READERS[kind](path, encoding)
    return Table(str(path), rows, digest)


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


def _kind(path: Path) -> str | None:
    return next((kind for kind in FORMATS if path.name.lower().endswith(kind)), None)


def _text(path: Path, encoding: str) -> TextIOWrapper:
    # Lines end at \n alone. A byte that is no UTF-8 becomes a mark, so that its line can be named.
    if path.suffix.lower() == ".gz":
        return TextIOWrapper(gzip.GzipFile(path), encoding, "surrogateescape", "\n")
    return path.open("r", -1, encoding, "surrogateescape", "\n")


def _foreign(place: str, text: str) -> Fault | None:
    if (found := _ESCAPED.search(text)) is None:
        return None
    byte = ord(found[0]) - 0xDC00
    return Fault(place, f"text must be UTF-8, but byte 0x{byte:02x} after {found.start()} is not")


def _csv(path: Path, encoding: str) -> Iterator[tuple[str, Any]]:
    with _text(path, encoding) as file:
        csv.field_size_limit(LONGEST_ROW)
        lines = _refused_if_too_long(path, _bounded(file))
        reader = csv.DictReader(lines, strict=True)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                place = f"by line {reader.reader.line_num}"
                yield place, Fault(place, f"this is not valid CSV ({error})")
                continue
            place = f"line {reader.line_num}"
            if None in row or None in row.values():
                size = len(reader.fieldnames or ())
                rule = f"a row has as many fields as the header, which are {size}"
                yield place, Fault(place, rule)
                continue
            yield place, _foreign(place, "".join(row.values())) or row


def _lines(path: Path, encoding: str) -> Iterator[tuple[str, Any]]:
    try:
        with _text(path, encoding) as file:
            for number, line in enumerate(_bounded(file), start=1):
                if line.strip():
                    place = f"line {number}"
                    if len(line) > LONGEST_ROW:
                        yield place, Fault(place, _too_long())
                    else:
                        yield place, _foreign(place, line) or _json_or_fault(place, line)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path}: the compressed file must be whole ({error}); copy it again"
        ) from error


def _bounded(file: TextIOWrapper) -> Iterator[str]:
    """The lines of a file; of one that is too long, its beginning."""
    while line := file.readline(LONGEST_ROW + 1):
        yield line
        while len(line) > LONGEST_ROW and not line.endswith("\n"):
            line = file.readline(LONGEST_ROW + 1)


def _too_long() -> str:
    return f"a row has at most {LONGEST_ROW:,} characters, but this one has more"


def _refused_if_too_long(path: Path, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if len(line) > LONGEST_ROW:
            raise ValueError(f"{path}: {_too_long()}; leave it out")
        yield line


def _json(path: Path, encoding: str, split: str) -> Iterator[tuple[str, Any]]:
    """Rows of one JSON array, or of the object that holds it; or a row in each line."""
    with _text(path, encoding) as file:
        first = next((line for line in _bounded(file) if line.strip()), "")
        more = bool(file.read(1))
        large = path.stat().st_size > LARGEST_JSON
        if large and not _is_object(first):
            raise ValueError(
                f"{path}: a JSON file is read whole and has at most {LARGEST_JSON >> 20} MiB, but "
                "this one has more; save it as JSONL, a row in each line"
            )
        if (more and _is_object(first)) or large:
            yield from _lines(path, encoding)
            return
        file.seek(0)
        text = file.read()
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        if not text.lstrip().startswith("["):
            yield from _lines(path, encoding)
            return
        raise ValueError(f"{path}: the file is one JSON array, but is not ({error})") from error
    if fault := _foreign("", text):
        raise ValueError(f"{path}: {fault.reason}; save the file as UTF-8")
    where, rows = _array(path, rows, split)
    for number, row in enumerate(rows, start=1):
        yield f"{where}row {number}", row


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _array(path: Path, whole: Any, split: str) -> tuple[str, list[Any]]:
    """The rows of a JSON value, and what to say before their number."""
    if not isinstance(whole, dict):
        return "", whole if isinstance(whole, list) else [whole]
    parts = {key: rows for key, rows in whole.items() if _is_list(rows, dict)}
    if any({"role", "from"} & set(rows[0]) for rows in parts.values()):
        return "", [whole]
    if len(parts) == 1 or split in parts:
        key = split if split in parts else next(iter(parts))
        return f"{key}, ", parts[key]
    if parts:
        raise ValueError(
            f"{path}: rows are under one key, but under {', '.join(parts)}; choose with --part"
        )
    columns = list(whole.values())
    if all(_is_list(c, object) for c in columns) and len(set(map(len, columns))) == 1:
        return "", [dict(zip(whole, row, strict=True)) for row in zip(*columns, strict=True)]
    # As pandas writes columns: each an object of its rows.
    if all(isinstance(c, dict) and list(c) == list(columns[0]) for c in columns):
        return "", [{name: whole[name][key] for name in whole} for key in columns[0]]
    return "", [whole]


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, kind) for v in value)


def _json_or_fault(place: str, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        return Fault(place, f"a line is one JSON object, but this is not JSON ({error.msg})")
    except (ValueError, RecursionError) as error:
        return Fault(place, f"this JSON cannot be read ({error})")


def _parquet(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped]
    except ImportError as error:
        raise ImportError(
            f"reading {path} needs pyarrow, which comes with datasets; "
            "run: pip install 'disband[lm]'"
        ) from error
    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches(AT_ONCE):
                yield from batch.to_pylist() if batch.nbytes <= LONGEST_ROW else _one_by_one(batch)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: this is not readable Parquet ({error})") from error


def _one_by_one(batch: Any) -> Iterator[Any]:
    """Rows of which one may be long."""
    for row in (batch.slice(i, 1) for i in range(len(batch))):
        yield row.to_pylist()[0] if row.nbytes <= LONGEST_ROW else Fault("", _too_long())


_READERS: dict[str, Callable[[Path, str], Iterator[tuple[str, Any]]]] = {
    ".csv": _csv,
    ".jsonl": _lines,
    ".jsonl.gz": _lines,
    ".parquet": lambda path, _: _numbered(_parquet(path)),
}


def _numbered(rows: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    for number, row in enumerate(rows, start=1):
        place = f"row {number}"
        yield place, row._replace(place=place) if isinstance(row, Fault) else row


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

    return Table(name, _numbered(read()), digest)


def _no_data_set(name: str, path: Path, split: str, error: Exception, *, reached: bool) -> str:
    detail = " ".join(str(error).split())
    if path.is_dir():
        return (
            f"{name}: a folder of data holds {', '.join(FORMATS)} files with a part {split!r}, "
            f"or is one that save_to_disk wrote ({detail}); give a file of it instead"
        )
    if not reached:
        return (
            f"{name}: no such file, and the Hugging Face hub is out of reach; "
            f"give a file ({', '.join(FORMATS)}) or a folder, or connect"
        )
    return (
        f"{name}: neither a file nor a data set that the hub gave with a part {split!r} "
        f"({detail}); check the name and the part, or give a file"
    )
