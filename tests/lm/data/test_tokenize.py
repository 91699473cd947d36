"""Preference pairs as tokens: borders, ends, cuts, chat templates."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from disband.lm.data import tokenize as tokenizing
from disband.lm.data.messages import Message
from disband.lm.data.preferences import Preference, preference
from disband.lm.data.tokenize import Cut, batches, tokenize
from disband.lm.model.gpt2 import encode, logp
from tests.lm.tiny import model_of, tokenizer_of

TOKENIZER = tokenizer_of()
TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}<|endoftext|>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
END = TOKENIZER.eos_token_id
WHOLE = Cut(max_length=None, end=False)


def chat():
    tokenizer = copy.deepcopy(TOKENIZER)
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def talk(prompt="q", chosen="Positive", rejected="Negative"):
    asked = (Message("user", prompt),) if prompt else ()
    return Preference(asked, *((Message("assistant", text),) for text in (chosen, rejected)))


@pytest.mark.parametrize(
    ("how", "code"), [("{{ m.content }}", True), ("{{ m.content[0].text }}", False)]
)
def test_parts_that_a_template_writes_as_python_does_are_said(how, code):
    tokenizer = chat()
    tokenizer.chat_template = f"{{% for m in messages %}}{how}{{% endfor %}}"
    row = {"chosen": [{"role": "assistant", "content": [{"type": "text", "text": "a"}]}]}
    tokens = one(preference(row | {"rejected": row["chosen"]}), Cut(), tokenizer)
    assert tokens.parts_as_code == code


def one(pair, cut=WHOLE, tokenizer=TOKENIZER):
    (tokens,) = tokenize(tokenizer, [pair], cut)
    return tokens


def text(ids):
    return TOKENIZER.decode(list(ids))


def test_styles_come_out_as_in_the_sentiment_study():
    prompts, answers = ("what a day", "ok"), ("Positive sentiment.", "Negative")
    pairs = [Preference(p, *answers) for p in prompts]
    cut = Cut(max_length=None, end=False, separator="\n")
    batch_w, batch_l = batches(TOKENIZER, tokenize(TOKENIZER, pairs, cut))
    for batch, answer in ((batch_w, answers[0]), (batch_l, answers[1])):
        expected = encode(TOKENIZER, prompts, [answer] * 2)
        assert torch.equal(batch.ids, expected.ids)
        assert torch.equal(batch.response, expected.response)


pieces = st.text("ab .!é\n", max_size=6)


@given(pieces, pieces.filter(str.strip), pieces.filter(str.strip))
def test_the_tokens_are_those_of_the_whole_texts_and_their_context_is_shared(x, w, l):  # noqa: E741
    tokens = one(Preference(x, w, l))
    start = (END,) if tokens.context == (END,) else ()
    for response, said in ((tokens.chosen, w), (tokens.rejected, l)):
        ids = (*tokens.context, *response)[len(start) :]
        assert list(ids) == TOKENIZER.encode(x + said)
        assert response
    alone = TOKENIZER.encode(x)
    assert tokens.merged == len(alone) - len(tokens.context) + len(start)


def test_a_token_over_the_border_counts_with_both_responses():
    # " judgement" is one token; of "judge" and " jud", none is a beginning of it.
    tokens = one(Preference("on my jud", "gement.", "o."))
    assert tokens.merged > 0
    assert text(tokens.context) == "on my"
    assert text(tokens.chosen) == " judgement."
    assert text(tokens.rejected) == " judo."


def test_a_text_without_a_prompt_begins_with_a_start_token():
    tokens = one(Preference("", "Positive", "Negative"))
    assert tokens.context == (END,)
    assert (text(tokens.chosen), text(tokens.rejected)) == ("Positive", "Negative")


def test_a_tokenizer_that_begins_every_text_begins_the_context():
    from tokenizers.processors import TemplateProcessing

    tokenizer = copy.deepcopy(TOKENIZER)
    tokenizer.bos_token = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", END)]
    )
    tokens = one(Preference("on my", " judgement", " day"), tokenizer=tokenizer)
    assert tokens.context == (END, *TOKENIZER.encode("on my"))
    assert END not in tokens.chosen


def test_a_response_ends_once():
    tokens = one(Preference("x", " yes", " no<|endoftext|>"), Cut())
    assert tokens.chosen[-1] == tokens.rejected[-1] == END
    assert (*tokens.chosen, *tokens.rejected).count(END) == 2
    assert END not in one(Preference("x", " yes", " no")).chosen


@pytest.mark.parametrize("end", [True, False])
def test_a_conversation_is_laid_out_by_its_template(end):
    tokens = one(talk(), Cut(None, end), chat())
    assert text(tokens.context) == "<user>q<|endoftext|>\n<assistant>"
    closing = "<|endoftext|>\n" if end else ""
    assert text(tokens.chosen) == f"Positive{closing}"
    assert text(tokens.rejected) == f"Negative{closing}"


def test_a_conversation_without_a_prompt_is_laid_out_too():
    tokens = one(talk(prompt=""), WHOLE, chat())
    assert text(tokens.context + tokens.chosen).endswith("<assistant>Positive")


def test_conversations_need_a_template_that_renders_them():
    with pytest.raises(ValueError, match="need a tokenizer with a chat template"):
        one(talk())
    broken = chat()
    broken.chat_template = "{{ raise_exception('no system turns') }}"
    with pytest.raises(ValueError, match=r"not one with the roles user.*no system turns"):
        one(talk(), tokenizer=broken)


def test_a_template_that_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr(tokenizing, "_PATIENCE", 0.2)
    endless = chat()
    many = "".join(f"{{% for {i} in range(90000) %}}" for i in "abcd")
    endless.chat_template = f"{many}{{% endfor %}}{{% endfor %}}{{% endfor %}}{{% endfor %}}"
    with pytest.raises(ValueError, match=r"in 0\.2 s, but this one took longer"):
        one(talk(), tokenizer=endless)


@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("limit", [2, 3, 5, 8, 14, 200])
def test_a_cut_keeps_the_start(limit, end):
    pair = Preference("one two three four five six", " yes", " Positive sentiment based on my day")
    whole, cut = one(pair, Cut(None, end)), one(pair, Cut(limit, end))
    assert cut.context == whole.context[:limit]
    left = limit - len(cut.context)
    assert (cut.chosen, cut.rejected) == (whole.chosen[:left], whole.rejected[:left])
    assert cut.is_empty == (limit <= len(whole.context))
    lengths = (len(whole.context) + len(response) for response in (whole.chosen, whole.rejected))
    assert cut.cut == tuple(length > limit for length in lengths)


def test_a_long_text_is_cut_before_it_is_tokenized():
    """Every tokenizer keeps offsets and spellings of all it is given."""
    long = "one two three four " * 100_000
    seen = []

    def watched(self, text, **how):
        seen.append(len(text))
        return type(TOKENIZER).__call__(self, text, **how)

    tokenizer = copy.deepcopy(TOKENIZER)
    tokenizer.__class__ = type("Watched", (type(TOKENIZER),), {"__call__": watched})
    cut = one(Preference(long, long + "x", long + "y"), Cut(16), tokenizer)
    assert max(seen) < len(long) / 10
    assert cut.context == tuple(TOKENIZER.encode(long[:1000])[:16])


def test_batches_go_through_a_model():
    tokens = tokenize(
        TOKENIZER, [Preference("what a day", " yes", " no!"), Preference("", "a", "b")]
    )
    model = model_of(TOKENIZER).double()
    for batch, responses in zip(
        batches(TOKENIZER, tokens), zip(*((t.chosen, t.rejected) for t in tokens), strict=True),
        strict=True,
    ):  # fmt: skip
        assert batch.lengths.tolist() == [len(r) for r in responses]
        alone = torch.cat([logp(model, batch.row(i)) for i in range(2)])
        torch.testing.assert_close(logp(model, batch), alone)


def test_tokens_that_the_data_and_the_tokenizer_both_put_are_noticed():
    from tests.lm.data import models

    tokens = one(Preference("<s>hm", " a</s>", " b"), Cut(), models.strict())
    assert (tokens.started_twice, tokens.ended_twice) == (True, False)
    tokens = one(Preference("hm", " a</s></s>", " b"), Cut(), models.strict())
    assert (tokens.started_twice, tokens.ended_twice) == (False, True)


def test_misuse_is_refused():
    with pytest.raises(ValueError, match="a batch needs pairs"):
        batches(TOKENIZER, [])
    with pytest.raises(ValueError, match=r"max_length is at least 2.*got 1"):
        Cut(max_length=1)
