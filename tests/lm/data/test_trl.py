"""The tokens of a pair are those that TRL's own code makes of the same row."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("trl")

import datasets
from hypothesis import assume, given
from hypothesis import strategies as st
from trl import DPOConfig, DPOTrainer
from trl.data_utils import extract_prompt
from trl.trainer.dpo_trainer import DataCollatorForPreference

from disband.lm.data.columns import TURN
from disband.lm.data.preferences import preference
from disband.lm.data.tokenize import Cut, token_pair
from tests.lm.data import models

CASES = Path(__file__).parent / "cases"
TOOLS = json.loads((CASES / "tool_call_in_prompt.jsonl").read_text().splitlines()[0])["tools"]
CALL = [{"type": "function", "function": {"name": "get_weather", "arguments": {"town": "Rome"}}}]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    datasets.disable_progress_bar()
    monkeypatch.setattr("trl.trainer.dpo_trainer.logger", SimpleNamespace(warning_once=print))


def default(name):
    return DPOConfig.__dataclass_fields__[name].default


def theirs(tokenizer, row, max_length=None):
    """Context and responses that TRL trains on; None where it leaves the row out."""
    trainer = SimpleNamespace(_tokenizer=tokenizer)
    args = SimpleNamespace(
        max_length=max_length, truncation_mode=default("truncation_mode"), dataset_num_proc=None
    )
    data = datasets.Dataset.from_list([row])
    made = list(DPOTrainer._prepare_dataset(trainer, data, tokenizer, args, "a"))
    if not made:
        return None
    batch = DataCollatorForPreference(0, max_length)(made)
    asked = len(made[0]["prompt_ids"])
    rows = [
        ids[mask.bool()].tolist()
        for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
    ]
    return rows[0][:asked], rows[0][asked:], rows[1][asked:]


def ours(tokenizer, row, max_length=None):
    pair = token_pair(tokenizer, preference(row), Cut(max_length))
    if pair.is_empty:
        return None
    return tuple(map(list, (pair.context, pair.chosen, pair.rejected)))


def rows_of(name):
    text = (CASES / name).read_text()
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("plain", "trl_standard.jsonl"),
        ("strict", "trl_standard.jsonl"),
        ("plain", "cut_side.jsonl"),
        ("plain", "scored_ties.jsonl"),
        ("plain", "prompt_repeated_in_responses.jsonl"),
        ("strict", "bos_eos_already_there.jsonl"),
        ("chat", "trl_conversational.jsonl"),
        ("chat", "trl_conversational_implicit.jsonl"),
        ("chat", "trajectories_user_turn_in_response.jsonl"),
        ("chat", "tool_call_in_prompt.jsonl"),
        ("chat", "tool_call_is_the_chosen.jsonl"),
        ("chat", "tool_call_is_the_chosen_empty_content.jsonl"),
        ("chat", "tool_calls_both_with_text.jsonl"),
    ],
)
@pytest.mark.parametrize("max_length", [None, 40, 90, 140, 1024])
def test_the_cases_that_trl_takes(kind, name, max_length):
    tokenizer = getattr(models, kind)()
    for row in rows_of(name):
        assert ours(tokenizer, row, max_length) == theirs(tokenizer, row, max_length)


def turn(role, content, **more):
    return {"role": role, "content": content, **more}


ASKED = [turn("user", "Weather in Rome?")]
PAIR = {"prompt": ASKED, "chosen": [turn("assistant", "A.")], "rejected": [turn("assistant", "B")]}


@pytest.mark.parametrize(
    "row",
    [
        PAIR,
        PAIR | {"tools": TOOLS},
        PAIR | {"tools": json.dumps(TOOLS)},
        PAIR | {"chat_template_kwargs": {"thinking": True}},
        PAIR | {"tools": TOOLS, "chosen": [turn("assistant", None, tool_calls=CALL)]},
        PAIR | {"tools": TOOLS, "chosen": [{"role": "assistant", "tool_calls": CALL}]},
        PAIR | {"prompt": [turn("system", "Be brief."), *ASKED]},
        PAIR | {"prompt": [*ASKED, turn("assistant", "Look: "), turn("user", "And?")]},
        PAIR | {"prompt": [*ASKED, turn("tool", "sunny", name="get_weather")]},
    ],
    ids=lambda row: ", ".join(sorted(set(row) - {"rejected"})),
)
def test_what_stands_beside_the_turns(row):
    tokenizer = models.chat()
    assert ours(tokenizer, row) == theirs(tokenizer, row)


letters = st.text("ab é", max_size=8)


@given(letters, letters, letters)
def test_an_implicit_prompt_of_strings_is_trls(start, one, other):
    row = {"chosen": start + one, "rejected": start + other}
    assume(all(text.strip() for text in row.values()) and TURN not in start)
    # Where nothing is shared, TRL looks at the last character in place of the one before.
    assume(row["chosen"][0] == row["rejected"][0])
    expected = extract_prompt(row)
    assume(expected["chosen"].strip() and expected["rejected"].strip())
    pair = preference(row)
    assert vars(pair) | expected == vars(pair)


def test_a_cut_is_trls_by_default():
    assert Cut().max_length == default("max_length")
