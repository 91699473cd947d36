"""Free preference data: TRL's formats, implicit prompts, malformed rows."""

import json

import pytest

from disband.lm.data.messages import Message
from disband.lm.data.preferences import Preference, preference, read_preferences


def turns(*contents, first="user"):
    roles = ("user", "assistant") if first == "user" else ("assistant", "user")
    return [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]


def said(*contents, first="user"):
    return tuple(Message(**turn) for turn in turns(*contents, first=first))


PLAIN = {"prompt": "Is it good?", "chosen": " Yes.", "rejected": " No."}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (PLAIN, ("Is it good?", " Yes.", " No.")),
        ({**PLAIN, "prompt": "", "score": 3}, ("", " Yes.", " No.")),
        (
            {"chosen": "It is very good", "rejected": "It is very goofy"},
            ("It is very goo", "d", "fy"),
        ),
        ({"chosen": "Well? Yes", "rejected": "Well? No"}, ("Well?", " Yes", " No")),
        (
            {
                "chosen": "\n\nHuman: Hi\n\nAssistant: I can help",
                "rejected": "\n\nHuman: Hi\n\nAssistant: I can not",
            },
            ("\n\nHuman: Hi\n\nAssistant:", " I can help", " I can not"),
        ),
        (
            {
                "prompt": turns("q"),
                "chosen": turns("a", first="assistant"),
                "rejected": turns("b", first="assistant"),
            },
            (said("q"), said("a", first="assistant"), said("b", first="assistant")),
        ),
        (
            {"chosen": turns("q", "r", "s", "a"), "rejected": turns("q", "r", "s", "b")},
            (said("q", "r", "s"), said("a", first="assistant"), said("b", first="assistant")),
        ),
        (
            {"prompt": "q", "chosen": turns("q", "a"), "rejected": turns("q", "b")},
            (said("q"), said("a", first="assistant"), said("b", first="assistant")),
        ),
        (
            {"chosen": turns("q", "same"), "rejected": turns("q", "same")},
            (said("q"), said("same", first="assistant"), said("same", first="assistant")),
        ),
    ],
)
def test_both_formats_are_understood_with_and_without_a_prompt(row, expected):
    assert preference(row) == Preference(*expected)


@pytest.mark.parametrize(
    "row",
    [
        {"chosen": "Is it good? Yes, very.", "rejected": "Is it good? Yes, a bit."},
        {"chosen": "no common word", "rejected": "none"},
        {"chosen": "a b c", "rejected": "a b d"},
    ],
)
def test_an_implicit_prompt_takes_nothing_away(row):
    pair = preference(row)
    assert pair.prompt + pair.chosen == row["chosen"]
    assert pair.prompt + pair.rejected == row["rejected"]
    assert pair.chosen != pair.rejected


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ([1], r"a row is an object.*not \[1\]"),
        ({"prompt": "x", "chosen": "y"}, "rejected is missing from prompt, chosen"),
        ({"text": "x"}, "chosen and rejected are missing from text"),
        ({**PLAIN, "chosen": None}, "chosen is missing"),
        ({**PLAIN, "prompt": None}, "a trainer stops where it is null; leave the row out"),
        ({**PLAIN, "chosen": b"Yes"}, "chosen is a string or a list of messages, not b'Yes'"),
        ({**PLAIN, "chosen": 3}, "chosen is a string or a list of messages, not 3"),
        ({**PLAIN, "prompt": {"role": "user"}}, "a message of prompt has a content"),
        ({**PLAIN, "rejected": "  "}, "rejected is empty"),
        ({**PLAIN, "chosen": ""}, "chosen is empty"),
        ({"chosen": "Yes, sir", "rejected": "Yes, "}, "rejected is empty after the beginning"),
        ({**PLAIN, "chosen": turns("q", "a")}, "one is a string, one a list"),
        ({**PLAIN, "chosen": [3], "rejected": [4]}, "a message of chosen is an object.*3"),
        ({**PLAIN, "rejected": ["a", "b"]}, "rejected is one text, but holds a list of 2"),
        (
            {"chosen": [{"role": "assistant", "content": 3}], "rejected": turns("a")},
            "content that is a string, or calls tools",
        ),
        ({"chosen": turns("q", "a"), "rejected": turns("Q", "a")}, "begins with a turn .*'user'"),
        ({"chosen": [], "rejected": []}, "chosen is empty"),
        ({**PLAIN, "chosen": "\ud800"}, "half a surrogate pair"),
    ],
)
def test_a_malformed_row_is_told_by_the_rule_it_breaks(row, rule):
    with pytest.raises(ValueError, match=rule) as caught:
        preference(row)
    assert len(str(caught.value)) < 200


def file(folder, *rows):
    path = folder / "pairs.jsonl"
    path.write_text("".join(f"{r if isinstance(r, str) else json.dumps(r)}\n" for r in rows))
    return path


def test_a_file_is_read_with_its_provenance(tmp_path):
    path = file(tmp_path, PLAIN, "", {**PLAIN, "rejected": " Yes."}, PLAIN)
    data = read_preferences(path)
    assert len(data) == 3
    assert data.places == ("line 1", "line 3", "line 4")
    assert data.identical == ("line 3",)
    assert (data.origin.rows, data.origin.skipped) == (3, ())
    assert len(read_preferences(path, limit=2)) == 2


def test_malformed_rows_stop_the_reading_unless_they_are_to_be_skipped(tmp_path):
    path = file(tmp_path, PLAIN, {"prompt": "x"}, "{", PLAIN)
    with pytest.raises(ValueError, match=r"2 of 4 rows.*line 2: .*missing.*line 3: .*not JSON"):
        read_preferences(path)
    data = read_preferences(path, skip_malformed=True)
    assert data.places == ("line 1", "line 4")
    assert [fault.place for fault in data.origin.skipped] == ["line 2", "line 3"]


@pytest.mark.parametrize(
    "rows", [[PLAIN] * 2, [{k: turns("q", k) for k in ("chosen", "rejected")}]]
)
def test_parquet_gives_the_same_pairs_as_jsonl(tmp_path, rows):
    from pyarrow import Table
    from pyarrow.parquet import write_table

    write_table(Table.from_pylist(rows), tmp_path / "pairs.parquet")
    found = read_preferences(tmp_path / "pairs.parquet")
    assert found.pairs == read_preferences(file(tmp_path, *rows)).pairs
    assert found.places[0] == "row 1"


def test_a_local_folder_gives_the_same_pairs_as_its_file(tmp_path, monkeypatch):
    import datasets

    datasets.disable_progress_bar()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "data"
    folder.mkdir()
    path = file(folder, PLAIN, {**PLAIN, "prompt": "q"})
    assert read_preferences(folder).pairs == read_preferences(path).pairs
