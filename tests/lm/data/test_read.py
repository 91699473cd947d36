"""Rows of files, folders and hub data sets, with their places and faults."""

import gzip
import hashlib
import json
import os
import re
import sys
import tracemalloc
from time import monotonic

import pytest

from disband.lm.data import formats
from disband.lm.data.formats import Fault
from disband.lm.data.read import collect, read_rows
from disband.lm.model import hub

ROWS = [{"a": 1, "b": "é"}, {"a": 2, "b": "two\nlines"}, {"a": 3, "b": "\u2028"}]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)


def packed(content):
    """Gzipped without the time, which would change the tests' names."""
    return gzip.compress(content, mtime=0)


def places(source, **how):
    return [(place, row) for place, row in read_rows(source, **how).rows]


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet(folder, rows=ROWS, name="a.parquet"):
    from pyarrow import Table
    from pyarrow.parquet import write_table

    write_table(Table.from_pylist(rows), folder / name)
    return folder / name


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Neither the hub nor the caches of earlier runs."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("disband.lm.model.hub.out_of_reach", lambda: True)
    datasets.disable_progress_bar()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", LINES),
        ("a.JSONL", LINES),
        ("bom.jsonl", "\ufeff" + LINES),
        ("windows.jsonl", LINES.replace("\n", "\r\n")),
        ("a.jsonl.gz", packed(LINES.encode())),
        ("lines.json", LINES),
        ("a.ndjson", LINES),
    ],
)
def test_each_line_is_a_row_with_its_number(tmp_path, name, content):
    path = write(tmp_path, name, content)
    assert places(path) == [(f"line {i}", row) for i, row in enumerate(ROWS, start=1)]


def test_arrays_and_parquet_count_rows(tmp_path):
    expected = [(f"row {i}", row) for i, row in enumerate(ROWS, start=1)]
    assert places(write(tmp_path, "a.json", json.dumps(ROWS))) == expected
    assert places(parquet(tmp_path)) == expected


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS) + "\n\n",
        json.dumps(ROWS, indent=1),
        "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]",
        "\n".join(json.dumps(row, indent=1) for row in ROWS),
    ],
)
def test_json_may_go_over_any_lines_whatever_its_name(tmp_path, name, content):
    expected = [(f"row {i}", row) for i, row in enumerate(ROWS, start=1)]
    assert places(write(tmp_path, name, content)) == expected
    assert places(write(tmp_path, f"{name}.gz", packed(content.encode()))) == expected


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("whole", "where"),
    [
        ({"train": ROWS}, "train, "),
        ({"rows": ROWS}, "rows, "),
        ({"train": ROWS, "test": ROWS[:1]}, "train, "),
        ({name: [row[name] for row in ROWS] for name in "ab"}, ""),
        ({name: {str(i): row[name] for i, row in enumerate(ROWS)} for name in "ab"}, ""),
        ({str(i): row for i, row in enumerate(ROWS)}, ""),
    ],
)
def test_rows_may_stand_under_a_key_or_as_columns(tmp_path, whole, where, indent):
    path = write(tmp_path, "a.json", json.dumps(whole, indent=indent))
    assert places(path) == [(f"{where}row {i}", row) for i, row in enumerate(ROWS, start=1)]


@pytest.mark.parametrize("row", [{"a": 1}, {"chosen": [{"role": "user"}], "b": [{"role": "x"}]}])
def test_one_object_is_one_row(tmp_path, row):
    for indent in (None, 2):
        assert places(write(tmp_path, "a.json", json.dumps(row, indent=indent)))[0][1] == row


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.jsonl")
    (tmp_path / "null.jsonl").symlink_to("/dev/zero")
    for name in ("a.jsonl", "null.jsonl"):
        with pytest.raises(ValueError, match="this is a pipe or a device"):
            read_rows(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_of_a_line_that_is_too_long_only_the_beginning_is_read(tmp_path, monkeypatch, name):
    monkeypatch.setattr(formats, "LONGEST_ROW", 100)
    text = "\n".join(['{"a": 1}', json.dumps("x" * 1000), '{"a": 3}'])
    content = packed(text.encode()) if name.endswith("gz") else text
    (_, first), (place, fault), last = places(write(tmp_path, name, content))
    assert (first, last) == ({"a": 1}, ("line 3", {"a": 3}))
    assert (place, fault.place) == ("line 2", "line 2")
    assert "at most" in fault.reason


def test_values_that_a_small_parquet_file_repeats_are_read_a_few_at_a_time(tmp_path, monkeypatch):
    path = parquet(tmp_path, [{"a": "x" * (1 << 20)}] * 200)
    assert path.stat().st_size < 2 << 20
    tracemalloc.start()
    assert sum(len(row["a"]) for _, row in read_rows(path).rows) == 200 << 20
    assert tracemalloc.get_traced_memory()[1] < 40 << 20
    tracemalloc.stop()
    monkeypatch.setattr(formats, "LONGEST_ROW", 100)
    rows = places(parquet(tmp_path, [{"a": "x"}, {"a": "x" * 200}, {"a": "z"}], "b.parquet"))
    assert [rows[0], rows[2]] == [("row 1", {"a": "x"}), ("row 3", {"a": "z"})]
    assert rows[1][1].place == "row 2"
    assert "at most" in rows[1][1].reason


def test_a_small_archive_of_one_long_line_takes_little_memory(tmp_path):
    path = write(tmp_path, "a.jsonl.gz", packed(b'"' + b"x" * (200 << 20) + b'"'))
    tracemalloc.start()
    ((_, row),) = places(path)
    assert isinstance(row, Fault)
    assert tracemalloc.get_traced_memory()[1] < 20 * formats.LONGEST_ROW
    tracemalloc.stop()


def test_files_that_are_read_whole_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "LARGEST_JSON", 10)
    assert len(places(write(tmp_path, "lines.json", LINES))) == 3
    with pytest.raises(ValueError, match=r"is read whole and has at most.*save it as JSONL"):
        places(write(tmp_path, "a.json", json.dumps(ROWS)))
    monkeypatch.setattr(formats, "LONGEST_ROW", 100)
    with pytest.raises(ValueError, match="a row has at most 100 characters"):
        places(write(tmp_path, "a.csv", "a,b\n1," + "x" * 200))


def test_blank_lines_count_but_are_no_rows(tmp_path):
    assert [p for p, _ in places(write(tmp_path, "a.jsonl", "\n\n{}\n\n{}\n"))] == [
        "line 3",
        "line 5",
    ]


def test_a_csv_field_may_hold_lines(tmp_path):
    path = write(tmp_path, "a.csv", 'a,b\n1,"x\ny"\n2,z\n')
    assert places(path) == [("line 3", {"a": "1", "b": "x\ny"}), ("line 4", {"a": "2", "b": "z"})]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz"])
def test_a_header_tells_what_stands_between_fields(tmp_path, mark, name):
    text = f'a{mark}b\n1{mark}"x; y, z\t"\n'
    path = write(tmp_path, name, packed(text.encode()) if name.endswith("gz") else text)
    assert places(path) == [("line 2", {"a": "1", "b": "x; y, z\t"})]


@pytest.mark.parametrize(
    ("name", "content", "place", "reason"),
    [
        ("a.jsonl", b"{}\n{oops\n{}", "line 2", "not JSON"),
        ("a.jsonl", b"[INFO] begun\n{}\n{}", "line 1", "not JSON"),
        ("a.jsonl", b"{oops\n{}\n{}", "line 1", "not JSON"),
        ("a.jsonl", b'{}\n{"a": 1\n', "line 2", "not JSON"),
        ("a.jsonl", b'{}\n{"a": "caf\xe9"}\n', "line 2", "UTF-8, but byte 0xe9"),
        ("a.jsonl.gz", packed(b'{}\n{"a": "caf\xe9"}'), "line 2", "byte 0xe9"),
        ("a.jsonl", b"{}\n" + b"[" * 100_000, "line 2", "cannot be read"),
        ("a.jsonl", b"{}\n" + b"9" * 5000, "line 2", "cannot be read"),
        ("a.jsonl", b'{}\n{"a": 1, "a": 2}', "line 2", "each name once.* 'a' again"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "line 3", "as many fields as the header, which are 2"),
        ("a.csv", b"a,b\n1,2\n1\n", "line 3", "as many fields as the header"),
        ("a.csv", b'a,b\n1,2\n"x"y,2\n3,4\n', "by line 3", "not valid CSV"),
        ("a.csv", b'a,b\n1,2\n"x,2\n3,4\n', "by line 4", "not valid CSV"),
        ("a.csv", b"a,b\n1,2\ncaf\xe9,2\n", "line 3", "byte 0xe9"),
    ],
)  # fmt: skip
def test_a_row_that_is_none_keeps_its_place(tmp_path, name, content, place, reason):
    faults = [row for _, row in places(write(tmp_path, name, content)) if isinstance(row, Fault)]
    assert [fault.place for fault in faults] == [place]
    assert re.search(reason, faults[0].reason)


def test_reading_goes_on_after_a_fault(tmp_path):
    rows = places(write(tmp_path, "a.csv", 'a,b\n"x"y,2\n3,4\n'))
    assert rows[-1] == ("line 3", {"a": "3", "b": "4"})


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.txt", b"x", r"data come as \.csv, \.json"),
        ("a.jsonl", "{}".encode("utf-16"), "begins as UTF-16"),
        ("a.json", b"[1, 2", "one JSON array, but is not"),
        ("a.json", b'["caf\xe9"]', "UTF-8, but byte 0xe9"),
        ("a.jsonl.gz", b"no gzip", "must be whole"),
        ("a.jsonl.gz", packed(LINES.encode())[:-12], "must be whole"),
        ("a.jsonl.gz", packed(LINES.encode())[:12] + b"\xff" * 9, "must be whole"),
        ("a.json", b'{"test": [{}], "valid": [{}]}', "under test, valid; choose with --part"),
        ("a.parquet", b"PAR1 not", "not readable Parquet"),
        ("a.csv", b"a,b,a\n1,2,3\n", "names each column once, but a more than once"),
        ("a.jsonl", packed(LINES.encode()), "a gzip archive; let its name end in .gz"),
        ("a.csv", b"PAR1", "let its name end in .parquet"),
        ("a.jsonl", b"PK\x03\x04" + LINES.encode(), "this file is one; unpack it"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("a.jsonl", b"<!DOCTYPE html>\n", "this is a web page"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, complaint):
    path = write(tmp_path, name, content)
    with pytest.raises(ValueError, match=complaint) as caught:
        places(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["absent.jsonl", "./absent", "a/b/c", "~/absent"])
def test_a_missing_path_is_not_looked_for_on_the_hub(name):
    with pytest.raises(ValueError, match="no such file"):
        read_rows(name)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("kind", ["files", "saved", "saved dictionary"])
def test_a_local_folder_is_a_data_set(tmp_path, kind):
    from datasets import Dataset, DatasetDict

    folder = tmp_path / "data"
    data = Dataset.from_list(ROWS)
    if kind == "files":
        folder.mkdir()
        write(folder, "train.jsonl", LINES)
    else:
        saved = data if kind == "saved" else DatasetDict(train=data)
        saved.save_to_disk(folder)
    assert places(folder) == [(f"row {i}", row) for i, row in enumerate(ROWS, start=1)]
    rows, origin = collect(read_rows(folder), dict)
    assert len(rows) == origin.rows == 3
    assert origin == collect(read_rows(folder), dict)[1]
    if kind != "saved":
        with pytest.raises(ValueError, match="with a part 'no part'"):
            read_rows(folder, "no part")


@pytest.mark.usefixtures("offline")
def test_a_folder_of_two_formats_is_refused_for_one_would_not_be_read(tmp_path):
    write(tmp_path, "a.jsonl", LINES)
    write(tmp_path, "b.csv", "a\n1\n")
    with pytest.raises(ValueError, match=r"b\.csv and a\.jsonl are of two formats"):
        read_rows(tmp_path)


@pytest.mark.usefixtures("offline")
def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a folder of data holds"):
        read_rows(tmp_path)


def test_a_hub_data_set_is_asked_for_by_name_and_part(monkeypatch):
    import datasets

    asked = []
    monkeypatch.setattr("disband.lm.model.hub.out_of_reach", lambda: False)
    monkeypatch.setattr(
        datasets, "load_dataset", lambda n, **k: asked.append((n, k["split"])) or ROWS
    )
    assert [row for _, row in places("someone/pairs", split="test")] == ROWS
    assert asked == [("someone/pairs", "test")]

    def fails(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", fails)
    with pytest.raises(ValueError, match=r"someone/pairs: neither a file.*no route"):
        read_rows("someone/pairs")


@pytest.mark.usefixtures("offline")
def test_a_hub_out_of_reach_is_said_at_once():
    started = monotonic()
    with pytest.raises(ValueError, match="the Hugging Face hub is out of reach; give a file"):
        read_rows("someone/pairs")
    assert monotonic() - started < 5


def test_reach_is_a_look_at_the_network(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(hub, "getproxies", dict)
    monkeypatch.setattr(hub.socket, "getaddrinfo", lambda *_: [])
    assert not hub.out_of_reach()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert hub.out_of_reach()
    monkeypatch.delenv("HF_HUB_OFFLINE")

    def unknown(*_):
        raise OSError

    monkeypatch.setattr(hub.socket, "getaddrinfo", unknown)
    assert hub.out_of_reach()
    monkeypatch.setattr(hub, "getproxies", lambda: {"https": "proxy"})
    assert not hub.out_of_reach()


@pytest.mark.parametrize("library", ["datasets", "pyarrow.parquet"])
def test_a_missing_library_is_named_with_the_command(tmp_path, monkeypatch, library):
    path = tmp_path if library == "datasets" else parquet(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"pip install 'disband\[lm\]'"):
        places(path)


def number(row):
    if row.get("a") in (1, 3, 5):
        return row["a"]
    raise ValueError("a is a number")


def test_faults_are_told_with_their_places_unless_they_are_to_be_skipped(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n{}\n{oops\n{"a": "x"}\n{"a": []}\n{"a": 5}')
    with pytest.raises(
        ValueError,
        match=r"4 of 6 rows are malformed: line 2: a is a number; line 3: .*not JSON.*; "
        r"line 4: a is a number; and 1 more; mend them, or .*--skip-malformed",
    ):
        collect(read_rows(path), number)
    rows, origin = collect(read_rows(path), number, skip_malformed=True)
    assert rows == [("line 1", 1), ("line 6", 5)]
    assert [fault.place for fault in origin.skipped] == ["line 2", "line 3", "line 4", "line 5"]
    assert origin.rows == 6
    assert origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_limit_counts_usable_rows_and_reads_no_further(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"a": 1}\n{}\n{"a": 3}\n{oops')
    rows, origin = collect(read_rows(path), number, skip_malformed=True, limit=2)
    assert rows == [("line 1", 1), ("line 3", 3)]
    assert (origin.rows, len(origin.skipped)) == (3, 1)
    assert collect(read_rows(path), number, limit=1)[0] == [("line 1", 1)]
    with pytest.raises(ValueError, match="1 or more: got 0"):
        collect(read_rows(path), number, limit=0)


@pytest.mark.parametrize(
    ("content", "complaint"), [("", "at least one row"), ("{}", "no row is left")]
)
def test_data_without_a_usable_row_are_refused(tmp_path, content, complaint):
    with pytest.raises(ValueError, match=complaint):
        collect(read_rows(write(tmp_path, "a.jsonl", content)), number, skip_malformed=True)
