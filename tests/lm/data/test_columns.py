"""Preference data as people have them: which column is what, said, or refused with the way out."""

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disband.lm.data.columns import Named, recognise
from disband.lm.data.formats import Fault
from disband.lm.data.messages import Message
from disband.lm.data.preferences import PairReader, Preference
from disband.lm.data.read import read_rows
from disband.lm.data.tokenize import Cut, token_pair
from tests.lm.data import models

CASES = Path(__file__).parent / "cases"
BRIEF = Message("system", "Answer in one short sentence and never mention wool.")
BEES = "What do bees make?"
ASKED, HONEY, WOOL = (
    (Message(role, text),)
    for role, text in (
        ("user", BEES),
        ("assistant", "Bees make honey."),
        ("assistant", "Bees make wool."),
    )
)
PLAIN = {"chosen": "Bees make honey.", "rejected": "Bees make wool."}


def read(name, named=None):
    """The pairs and faults of a case, and what is said of its columns."""
    reader = PairReader(named)
    said = []
    for _, row in read_rows(CASES / name).rows:
        assert not isinstance(row, Fault)
        try:
            said.append(reader(row))
        except ValueError as error:
            said.append(str(error))
    return said, reader


@pytest.mark.parametrize(
    ("name", "pair", "words"),
    [
        ("prompt_as_instruction_input.jsonl", (f"Answer the question.\n{BEES}",),
         r"prompt from instruction \+ input.*LLaMA-Factory"),
        ("prompt_as_problem.jsonl", (BEES,), "prompt from problem"),
        ("argilla_response_columns.jsonl", (BEES,), "prompt from instruction.*argilla"),
        ("safe_rlhf.jsonl", (BEES,), "chosen by better_response_id.*safe-RLHF"),
        ("system_beside_prompt.jsonl",
         ((BRIEF, *ASKED), (Message("assistant", " Bees make honey."),),
          (Message("assistant", " Bees make wool."),)), "system turn from system"),
        ("messages_beside_text_responses.jsonl", ((BRIEF, *ASKED), HONEY, WOOL), "from messages"),
        ("axolotl_chat_template.jsonl", ((BRIEF, *ASKED), HONEY, WOOL), "from messages.*axolotl"),
        ("sharegpt.json", ((BRIEF, *ASKED), HONEY, WOOL), "from conversations.*ShareGPT"),
        ("sharegpt_chosen_text.json", (ASKED, HONEY, WOOL), "from conversations"),
        ("prompt_text_responses_messages.jsonl", (ASKED, HONEY, WOOL), "from prompt"),
        ("ultrafeedback.jsonl", (ASKED, HONEY, WOOL), "scores from score_chosen and score_rej"),
        ("conversation_in_csv.csv", (ASKED, HONEY, WOOL), "which stand in the columns as text"),
        ("hh_text.jsonl",
         ("\n\nHuman: Hi\n\nAssistant: Hello!\n\nHuman: What do bees make?\n\nAssistant:",
          " Bees make honey.", " Bees make wool."), r"up to the last Assistant: \(HH\)"),
        ("images_beside_text.jsonl",
         ((Message("user", f"<image>{BEES}"),), HONEY, WOOL), "Not read: images"),
    ],
)  # fmt: skip
def test_a_form_is_told_by_the_names_of_its_columns(name, pair, words):
    said, reader = read(name)
    texts = pair if len(pair) == 3 else (*pair, *PLAIN.values())
    assert all(isinstance(one, Preference) for one in said)
    assert (said[0].prompt, said[0].chosen, said[0].rejected) == texts
    assert re.search(words, reader.words)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("kto_unpaired.jsonl", "this one is unpaired: one response with label.*pair rows of one"),
        ("list_of_rejected.jsonl", "rejected is one text, but holds a list of 2; write a row"),
        ("rejected_in_the_user_role.jsonl", "rejected begins with a turn of the role 'user'"),
    ],
)
def test_what_states_no_pair_is_refused_with_the_way_out(name, rule):
    said, _ = read(name)
    for told in said:
        assert re.search(rule, told)


TURNS = [{"role": "user", "content": BEES}, {"role": "assistant", "content": "Bees make honey."}]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # axolotl, and Orca's pairs
        ({"system": "Be brief.", "question": BEES, **PLAIN},
         ((Message("system", "Be brief."), *ASKED), HONEY, WOOL)),
        ({"system": "", "question": BEES, **PLAIN}, (ASKED, HONEY, WOOL)),
        # ms-swift
        ({"messages": TURNS, "rejected_response": "Bees make wool."}, (ASKED, HONEY, WOOL)),
        ({"messages": TURNS, "rejected_messages": [TURNS[0], TURNS[1] | {
            "content": "Bees make wool."}]}, (ASKED, HONEY, WOOL)),
        ({"query": BEES, "response": "Bees make honey.", "rejected_response": "Bees make wool."},
         (BEES, *PLAIN.values())),
        # LLaMA-Factory with earlier turns
        ({"instruction": BEES, "input": "", "history": [["Hi", "Hello"]], **PLAIN},
         ((Message("user", "Hi"), Message("assistant", "Hello"), *ASKED), HONEY, WOOL)),
        # Step-DPO
        ({"prompt": BEES, "initial_reason_steps": "Step 1: think.", **PLAIN},
         (f"{BEES}\nStep 1: think.", *PLAIN.values())),
        # SHP
        ({"history": BEES, "human_ref_A": "Bees make wool.", "human_ref_B": "Bees make honey.",
          "labels": 0}, (BEES, *PLAIN.values())),
        # UltraFeedback, whose messages are those of the chosen response
        ({"prompt": BEES, "messages": TURNS, "chosen": TURNS, "rejected": [TURNS[0], {
            "role": "assistant", "content": "Bees make wool."}]}, (ASKED, HONEY, WOOL)),
        ({"messages": TURNS, **PLAIN}, (ASKED, HONEY, WOOL)),
        # OpenAI, with a list and with an object
        *[({"input": asked, "preferred_output": [TURNS[1]], "non_preferred_output": [
            TURNS[1] | {"content": "Bees make wool."}]}, (ASKED, HONEY, WOOL))
          for asked in (TURNS[:1], {"messages": TURNS[:1], "tools": []})],
        # torchtune, LLaVA
        *[({chosen: TURNS, rejected: [TURNS[0], TURNS[1] | {"content": "Bees make wool."}]},
           (ASKED, HONEY, WOOL))
          for chosen, rejected in (("chosen_conversations", "rejected_conversations"),
                                   ("conversations", "rejected_conversations"))],
        # Names that differ in chosen and rejected alone
        ({"question": BEES, "answer_chosen": "Bees make honey.",
          "answer_rejected": "Bees make wool.", "model_chosen": "a", "model_rejected": "b"},
         (BEES, *PLAIN.values())),
        ({"prompt": BEES, "history": TURNS, **PLAIN}, ((*ASKED, *HONEY, *ASKED), HONEY, WOOL)),
        # Answers that are JSON for another purpose
        *[({"prompt": "Who?", "chosen": json.dumps(one), "rejected": json.dumps(other)},
           ("Who?", json.dumps(one), json.dumps(other)))
          for one, other in (({"role": "admin"}, {"role": "guest"}),
                             ({"content": "a"}, [{"content": "b"}]),
                             ({"role": "user", "rights": 1}, {"value": 3}))],
    ],
)  # fmt: skip
def test_other_forms(row, expected):
    assert PairReader()(row) == Preference(*expected)


@pytest.mark.parametrize(
    ("names", "judge", "first", "second", "neither"),
    [
        (("response_0", "response_1"), "better_response_id", (0, "0", "0.0"), (1, "1"), 2),
        (("response_0", "response_1"), "safer_response_id", (0,), (1,), None),
        (("output_1", "output_2"), "preference", (1, "1"), (2,), 0),
        (("conversation_a", "conversation_b"), "winner", ("model_a",), ("model_b",), "tie"),
        (("response1", "response2"), "overall_preference", (-3, "-1"), (2, "3"), 0),
        (("response_1", "response_2"), "preference_strength", (-1,), (1,), 0),
    ],
)
def test_a_column_says_which_response_is_preferred(names, judge, first, second, neither):
    row = {"instruction": BEES} | dict(zip(names, ("a", "b"), strict=True))
    assert [PairReader()(row | {judge: value}).chosen for value in first] == ["a"] * len(first)
    assert [PairReader()(row | {judge: value}).chosen for value in second] == ["b"] * len(second)
    with pytest.raises(ValueError, match=r"which response is preferred|no column that is known"):
        PairReader()(row | {judge: neither})


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"response_a": "a", "response_b": "b", "label": 0}, "has response_a and response_b, and"),
        ({"answers": [{"answer": "a"}, {"answer": "b"}]}, "a list, answers, with 2 responses"),
        ({"data": {"chosen": "a", "rejected": "b"}}, "they stand within data"),
        ({"completion": "a", "label": "1"}, "unpaired: one response with label"),
        ({"response": "a", "rating": 4}, "unpaired: one, response"),
        ({" chosen": "a", "rejected ": "b"}, "from id, ' chosen', 'rejected '"),
        ({f"question {i}": {} for i in range(99)}, "question 10 and 88 more; name the columns"),
    ],
)  # fmt: skip
def test_what_a_row_has_in_place_of_a_pair_is_said(row, rule):
    with pytest.raises(ValueError, match=rule) as caught:
        PairReader()({"id": 1, **row})
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("empty", [{}, {"input": None}, {"input": ""}])
def test_the_second_column_of_a_prompt_may_be_empty_in_some_rows(empty, order):
    reader = PairReader()
    rows = [
        {"instruction": BEES, "input": "Be brief.", **PLAIN},
        {"instruction": BEES} | PLAIN | empty,
    ]
    assert {reader(row).prompt for row in rows[::order]} == {BEES, f"{BEES}\nBe brief."}
    assert "prompt from instruction + input" in reader.words
    assert reader.unread == ()


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        (
            {"input": "Of wool?", "id": "a"},
            "Not read: input, id, of which input may be of the prompt",
        ),
        ({"context": "Long."}, "Not read: context, which may be of the prompt: name all"),
        ({"messages": [{"role": "human", "content": "Hi"}, TURNS[0]]}, "messages, which may be"),
        ({"messages": TURNS}, "Not read: messages.$"),
    ],
)
def test_an_unread_column_that_may_be_of_the_prompt_is_said_to_be(beside, words):
    reader = PairReader()
    reader({"prompt": BEES, **PLAIN, **beside})
    assert re.search(words, reader.words)


def test_what_stands_within_messages_is_said():
    image = {"type": "image_url", "image_url": {"url": "a.png"}}
    turn = {"role": "human", "content": [image, {"type": "text", "text": BEES}]}
    row = {"input": {"messages": [turn], "parallel_tool_calls": True}}
    reader = PairReader()
    pair = reader(row | {"preferred_output": "a", "non_preferred_output": "b"})
    assert json.loads(pair.media) == {"messages": [image]}
    assert reader.unread == ("input.parallel_tool_calls",)
    assert "roles that few templates know: human" in reader.words


def test_a_columns_name_that_says_nothing_is_asked_for():
    row = {"frage": BEES, "id": "a1", **PLAIN}
    with pytest.raises(ValueError, match="it may be frage; name it with --prompt-column"):
        recognise(row)
    assert PairReader(Named(prompt=("frage",)))(row).prompt == BEES
    assert PairReader(Named(prompt=("none",)))(row) == PairReader()(PLAIN)


def test_of_several_prompts_none_is_guessed():
    row = {"question": BEES, "context": "Bees are insects.", **PLAIN}
    with pytest.raises(ValueError, match="question, context may all do"):
        recognise(row)
    pair = PairReader(Named(prompt=("context", "question")))(row)
    assert pair.prompt == f"Bees are insects.\n{BEES}"


def test_columns_can_be_named():
    row = {"q": BEES, "good": "Bees make honey.", "bad": "Bees make wool.", "system": "Be brief."}
    named = Named(("q",), "none", "good", "bad")
    assert PairReader(named)(row) == Preference(BEES, *PLAIN.values())
    with pytest.raises(ValueError, match="worse is missing from q, good"):
        recognise(row, Named(("q",), chosen="good", rejected="worse"))


def test_every_column_that_was_not_read_is_named():
    reader = PairReader()
    reader({"prompt": BEES, **PLAIN, "source": "own", "empty": None})
    reader({"prompt": BEES, **PLAIN, "note": "later", "tools": [{}]})
    # Of text, no template takes the tools.
    assert reader.unread == ("source", "note", "tools")
    assert "Not read: source, note, tools." in reader.words


def test_mixed_rows_are_refused():
    reader = PairReader()
    reader({"prompt": BEES, **PLAIN})
    for other in ({"question": BEES, **PLAIN}, {"prompt": TURNS[:1], **PLAIN}):
        with pytest.raises(ValueError, match="all rows are of one form, but this one has"):
            reader(other)
    judged = PairReader()
    for better in (0, 1):
        judged({"prompt": "q", "response_0": "a", "response_1": "b", "better_response_id": better})


def test_a_row_whose_system_turn_is_missing_is_a_conversation_still():
    reader = PairReader()
    reader({"prompt": BEES, "system": "Be brief.", **PLAIN})
    assert reader({"prompt": BEES, **PLAIN}).prompt == ASKED


def test_tool_calls_set_responses_apart():
    said, reader = read("tool_calls_both_with_text.jsonl")
    assert all(pair.chosen != pair.rejected and "get_weather" in pair.template for pair in said)
    assert reader.unread == ()


def test_whole_conversations_say_the_prompt_of_their_column():
    row = {"prompt": "Another?", "chosen": TURNS, "rejected": TURNS}
    with pytest.raises(ValueError, match="that of prompt is none of their turns"):
        PairReader()(row)
    with pytest.raises(ValueError, match="it says the prompt again"):
        PairReader()(row | {"prompt": TURNS[:1]})


@pytest.mark.parametrize("write", [json.dumps, str])
def test_a_conversation_written_as_text_is_one(write):
    row = {"prompt": BEES, "chosen": write([TURNS[1]]), "rejected": write([TURNS[1]])}
    assert PairReader()(row) == Preference(ASKED, HONEY, HONEY)
    broken = row | {"chosen": write([TURNS[1]]).replace("}]", "}\n {")}
    with pytest.raises(ValueError, match="a conversation written as text that is neither"):
        PairReader()(broken)


def test_scores_are_read_where_they_stand():
    for names in (("score_chosen", "score_rejected"), ("chosen-rating", "rejected-rating")):
        for values in ((4, 3.5), ("4", " 3.5")):  # In CSV, all are strings.
            row = {"prompt": BEES, **PLAIN, **dict(zip(names, values, strict=True))}
            assert PairReader()(row).scores == (4.0, 3.5)
    row = {"prompt": BEES, **PLAIN, "chosen_tokens": 4, "rejected_tokens": 5}
    assert PairReader()(row).scores is None
    for odd in (10**400, float("nan"), float("inf"), True, "nan", "high"):
        row = {"prompt": BEES, **PLAIN, "score_chosen": odd, "score_rejected": 1}
        assert PairReader()(row).scores is None
    row = {"prompt": BEES, "chosen": "a", "reject": "b", "chosen_reward": 4, "reject_reward": 5}
    pair = PairReader()(row)
    assert (pair.chosen, pair.rejected, pair.scores) == ("a", "b", (4.0, 5.0))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
NAMES = st.sampled_from(
    ["prompt", "chosen", "rejected", "messages", "conversations", "system", "history", "tools",
     "chat_template_kwargs", "images", "label", "score_chosen", "score_rejected", "frage",
     "response_0", "response_1", "better_response_id", "rejected_response"]
)  # fmt: skip
KEYS = st.sampled_from(["role", "content", "from", "value", "tool_calls"])
VALUES = st.recursive(
    SCALARS | st.sampled_from(["user", "assistant", "\ud800", "[{'role': 'user'", str(TURNS)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES | st.just(TURNS), min_size=2, max_size=6), st.booleans())
def test_whatever_comes_is_read_or_refused_in_words(row, in_chat):
    tokenizer = models.chat() if in_chat else models.plain()
    reader = PairReader()
    with suppress(ValueError):
        token_pair(tokenizer, reader(row), Cut(40))
    assert reader.words
