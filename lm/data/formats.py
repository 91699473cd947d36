"""Rows of one file of each format, with the place of each and what is wrong."""

import csv
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

FORMATS = (".csv", ".json", ".jsonl", ".ndjson", ".parquet", ".tsv")
NAMED = f"{', '.join(FORMATS)}, those of text also with .gz"
# Of a row in characters, and of a JSON file, which is read whole, in bytes: a row takes many times
# its size once it is read, and an archive can be a thousand times the size of its file.
LONGEST_ROW = 1 << 24
LARGEST_JSON = 1 << 28
AT_ONCE = 16  # rows of Parquet, which repeats a value of its file at no cost there
_PACKED = ".gz"
_ESCAPED = re.compile("[\udc80-\udcff]")
_BLANK = re.compile(r"\s*")
_OPENS = re.compile(r"\s*(?:\{|\[\s*(?:\{|$))")  # how JSON over several lines begins
# How files begin that are not what their name says, and what to do.
_BEGINNINGS = (
    (b"\xff\xfe", "the file must be UTF-8, but it begins as UTF-16; save it anew"),
    (b"\xfe\xff", "the file must be UTF-8, but it begins as UTF-16; save it anew"),
    (b"PK\x03\x04", "data are no zip archive, but this file is one; unpack it"),
    (b"version https://git-lfs", "this is Git LFS's pointer to a file; run: git lfs pull"),
    (b"<!doctype html", "this is a web page; download the file that it shows"),
    (b"<html", "this is a web page; download the file that it shows"),
)


class Fault(NamedTuple):
    """A row that cannot be used: where it is, such as ``line 3``, and why."""

    place: str
    reason: str


def format_of(path: Path) -> str | None:
    """The format that the name of a file says, one of ``FORMATS``."""
    name = path.name.lower()
    kind = next((kind for kind in FORMATS if name.removesuffix(_PACKED).endswith(kind)), None)
    return None if kind == ".parquet" and _is_packed(path) else kind


def rows_of(path: Path, encoding: str, part: str) -> Iterator[tuple[str, Any]]:
    """The rows of a file, each with its place; a row that is none is a :class:`Fault`.

    Raises:
        ImportError: A library that reads the format is not installed.
        ValueError: The file is not of the format that its name says.
    """
    kind = format_of(path)
    with path.open("rb") as file:
        start = file.read(64)
    beginnings = [*_BEGINNINGS]
    if kind != ".parquet" and not _is_packed(path):
        beginnings += [
            (b"\x1f\x8b", "this is a gzip archive; let its name end in .gz"),
            (b"PAR1", "this is Parquet; let its name end in .parquet"),
        ]
    for beginning, complaint in beginnings:
        if start.lower().startswith(beginning.lower()):
            raise ValueError(f"{path}: {complaint}")
    if kind == ".parquet":
        return numbered(_parquet(path))
    if kind in {".csv", ".tsv"}:
        return _whole(path, _csv(path, encoding))
    return _whole(path, _json(path, encoding, part))


def numbered(rows: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    """Rows without places of their own, by their numbers."""
    for number, row in enumerate(rows, start=1):
        place = f"row {number}"
        yield place, row._replace(place=place) if isinstance(row, Fault) else row


def _is_packed(path: Path) -> bool:
    return path.suffix.lower() == _PACKED


def _whole(path: Path, rows: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    try:
        yield from rows
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"{path}: the compressed file must be whole ({error}); copy it again"
        ) from error


def _text(path: Path, encoding: str) -> TextIOWrapper:
    # Lines end at \n alone. A byte that is no UTF-8 becomes a mark, so that its line can be named.
    if _is_packed(path):
        return TextIOWrapper(gzip.GzipFile(path), encoding, "surrogateescape", "\n")
    return path.open("r", -1, encoding, "surrogateescape", "\n")


def _foreign(place: str, text: str) -> Fault | None:
    if (found := _ESCAPED.search(text)) is None:
        return None
    byte = ord(found[0]) - 0xDC00
    return Fault(
        place,
        f"text must be UTF-8, but byte 0x{byte:02x} after {found.start()} is not; save the file "
        "as UTF-8",
    )


def _csv(path: Path, encoding: str) -> Iterator[tuple[str, Any]]:
    with _text(path, encoding) as file:
        csv.field_size_limit(LONGEST_ROW)
        lines = _refused_if_too_long(path, _bounded(file))
        header = next(lines, "")
        # Of commas, semicolons (spreadsheets where a comma is in numbers) and tabs.
        delimiter = max(",;\t", key=header.count)
        reader = csv.DictReader(chain([header], lines), strict=True, delimiter=delimiter)
        _require_names(path, reader)
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


def _require_names(path: Path, reader: "csv.DictReader[str]") -> None:
    """See that a header names no column twice, of which one would be lost."""
    try:
        names = Counter(name for name in reader.fieldnames or () if name)
    except csv.Error as error:
        raise ValueError(f"{path}: a header is valid CSV, but this is not ({error})") from error
    if twice := [name for name, count in names.items() if count > 1]:
        raise ValueError(
            f"{path}: a header names each column once, but {', '.join(twice)} more than once; "
            "rename one"
        )


def _lines(path: Path, encoding: str) -> Iterator[tuple[str, Any]]:
    with _text(path, encoding) as file:
        for number, line in enumerate(_bounded(file), start=1):
            if line.strip():
                place = f"line {number}"
                if len(line) > LONGEST_ROW:
                    yield place, Fault(place, _too_long())
                else:
                    yield place, _foreign(place, line) or _json_or_fault(place, line)


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


def _json(path: Path, encoding: str, part: str) -> Iterator[tuple[str, Any]]:
    """A row in each line; or rows of one JSON value or of several, over any lines."""
    with _text(path, encoding) as file:
        first = next((line for line in _bounded(file) if line.strip()), "")
        more = bool(file.read(1))
    if _in_lines(path, first, more=more):
        yield from _lines(path, encoding)
        return
    largest = LONGEST_ROW if _is_packed(path) else LARGEST_JSON
    with _text(path, encoding) as file:
        text = file.read(largest + 1)
    if len(text) > largest or path.stat().st_size > largest:
        raise ValueError(
            f"{path}: JSON over several lines is read whole and has at most {largest >> 20} MiB, "
            "but this has more; save it as JSONL, a row in each line"
        )
    try:
        whole = _parsed(text)
    except json.JSONDecodeError as error:
        rows = _one_after_another(text)
        if rows is None and not text.lstrip().startswith("["):
            yield from _lines(path, encoding)
            return
        if rows is None:
            raise ValueError(f"{path}: the file is one JSON array, but is not ({error})") from error
        whole = rows
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: this JSON cannot be read ({error})") from error
    if fault := _foreign("", text):
        raise ValueError(f"{path}: {fault.reason}")
    where, rows = _array(path, whole, part)
    for number, row in enumerate(rows, start=1):
        yield f"{where}row {number}", row


def _in_lines(path: Path, first: str, *, more: bool) -> bool:
    """Whether a file has a row in each line, as its first line and its name tell."""
    if len(first) > LONGEST_ROW:
        # An array in one line is none; of one row that is too long, there may be others.
        return not first.startswith("[")
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        # A line that is broken, or the beginning of what goes on in the next one.
        if format_of(path) == ".json" and first.lstrip().startswith("["):
            return False
        large = path.stat().st_size > LARGEST_JSON
        return not _OPENS.match(first) or (large and first.lstrip().startswith("{"))
    if _is_list(row, dict):
        return False
    return more or format_of(path) != ".json"


def _parsed(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_object)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        twice = next(name for name, count in Counter(n for n, _ in pairs).items() if count > 1)
        raise ValueError(f"an object has each name once, but this one has {twice!r} again")
    return row


def _one_after_another(text: str) -> list[Any] | None:
    """JSON objects that follow each other, over any lines; None if they do not."""
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    rows: list[Any] = []
    place = _BLANK.match(text).end()  # type: ignore[union-attr]
    while place < len(text):
        try:
            row, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return None
        if not isinstance(row, dict):
            return None
        rows.append(row)
        place = _BLANK.match(text, place).end()  # type: ignore[union-attr]
    return rows


def _array(path: Path, whole: Any, part: str) -> tuple[str, list[Any]]:
    """The rows of a JSON value, and what to say before their number."""
    if not isinstance(whole, dict):
        return "", whole if isinstance(whole, list) else [whole]
    names, values = list(whole), list(whole.values())
    parts = {key: rows for key, rows in whole.items() if _is_list(rows, dict)}
    if any({"role", "from"} & set(rows[0]) for rows in parts.values()):
        return "", [whole]
    if len(parts) == 1 or part in parts:
        key = part if part in parts else next(iter(parts))
        return f"{key}, ", parts[key]
    if parts:
        raise ValueError(
            f"{path}: rows are under one key, but under {', '.join(parts)}; choose with --part"
        )
    if all(_is_list(c, object) for c in values) and len(set(map(len, values))) == 1:
        return "", [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    # As pandas writes rows: each under its number.
    if all(isinstance(c, dict) for c in values) and all(name.isdecimal() for name in names):
        return "", values
    # As pandas writes columns: each an object of its rows.
    if all(isinstance(c, dict) and list(c) == list(values[0]) for c in values):
        return "", [{name: whole[name][key] for name in names} for key in values[0]]
    return "", [whole]


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, kind) for v in value)


def _json_or_fault(place: str, line: str) -> Any:
    try:
        return _parsed(line)
    except json.JSONDecodeError as error:
        return Fault(place, f"a line is one JSON object, but this is not JSON ({error.msg})")
    except (ValueError, RecursionError) as error:
        return Fault(place, f"this JSON cannot be read ({error})")


def _parquet(path: Path) -> Iterator[Any]:
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
