"""Tokenizer, batches and log-probabilities."""

import pytest
import torch

from disband.lm.data.tweets import LABELS, STYLES, responses
from disband.lm.model import gpt2
from disband.lm.model.gpt2 import (
    encode,
    join,
    logp,
    new_model,
    token_logp,
    train_tokenizer,
    wrap_tokenizer,
)
from tests.lm.tiny import model_of, tokenizer_of

PROMPTS = ("what a day", "the train was late and nobody told us why", "ok")
ANSWERS = ("Positive sentiment.", "Negative", "Positive sentiment based on my judgement.")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def model(tokenizer):
    return model_of(tokenizer).double()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("label", LABELS)
def test_every_label_word_is_one_token_wherever_it_stands(tokenizer, style, label):
    chosen, rejected = (tokenizer.tokenize(text) for text in responses(style, label))
    differing = [pair for pair in zip(chosen, rejected, strict=True) if len(set(pair)) == 2]
    assert [tuple(t.strip("Ġ").lower() for t in pair) for pair in differing] == [
        LABELS if label == LABELS[0] else LABELS[::-1]
    ]


def test_tokens_spell_the_text_back(tokenizer):
    text = "Ünïcode 👍 and\nnew lines, " + ANSWERS[2]
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_tokenizer_survives_its_text_form(tokenizer):
    again = wrap_tokenizer(tokenizer.backend_tokenizer.to_str())
    assert again.encode(PROMPTS[1]) == tokenizer.encode(PROMPTS[1])
    assert again.pad_token_id == tokenizer.pad_token_id


def test_a_vocabulary_too_small_for_the_words_is_refused():
    with pytest.raises(ValueError, match="raise the vocabulary above 260"):
        train_tokenizer(PROMPTS, ANSWERS, 260)


def test_a_batch_ends_in_its_responses(tokenizer):
    batch = encode(tokenizer, PROMPTS, ANSWERS)
    assert len(batch) == 3
    assert batch.lengths.tolist() == [len(tokenizer.encode(a)) for a in ANSWERS]
    for i, (prompt, answer) in enumerate(zip(PROMPTS, ANSWERS, strict=True)):
        row = batch.row(i)
        assert tokenizer.decode(row.ids[0]) == f"{prompt}\n{answer}"
        assert tokenizer.decode(row.ids[0][row.response[0]]) == answer
        assert bool((row.attention == 1).all())


def test_a_long_prompt_is_cut_at_its_end(tokenizer):
    batch = encode(tokenizer, PROMPTS[1:2], ANSWERS[1:2], 3)
    assert batch.ids[0, :3].tolist() == tokenizer.encode(PROMPTS[1])[:3]
    assert tokenizer.decode(batch.ids[0, 3:]) == f"\n{ANSWERS[1]}"


@pytest.mark.parametrize(
    ("prompts", "answers"), [((), ()), (("a",), ()), (("a", "b"), ("Positive", ""))]
)
def test_bad_batches_are_refused(tokenizer, prompts, answers):
    with pytest.raises(ValueError, match=r"a batch needs rows|row 1 has none"):
        encode(tokenizer, prompts, answers)


def test_logp_is_transformers_own_loss(tokenizer, model):
    batch = encode(tokenizer, PROMPTS, ANSWERS)
    got = logp(model, batch)
    for i in range(len(batch)):
        row = batch.row(i)
        labels = row.ids.masked_fill(~row.response, -100)
        # transformers casts the logits to float32 for its loss.
        loss = model(input_ids=row.ids, labels=labels).loss
        assert got[i].item() == pytest.approx(-loss.item() * row.lengths.item(), rel=1e-6)


def test_padding_changes_no_number(tokenizer, model):
    batch = encode(tokenizer, PROMPTS, ANSWERS)
    padded = join(batch, encode(tokenizer, [" ".join(PROMPTS)], ANSWERS[:1]))
    assert padded.ids.shape[1] > batch.ids.shape[1]
    torch.testing.assert_close(
        token_logp(model, padded)[:3], token_logp(model, batch), rtol=1e-12, atol=1e-12
    )
    for i in range(len(batch)):
        alone = token_logp(model, batch.row(i))
        together = token_logp(model, batch)[i : i + 1, -alone.shape[1] :]
        torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)


def test_what_stands_in_the_padding_does_not_matter(tokenizer, model):
    batch = encode(tokenizer, PROMPTS, ANSWERS)
    noise = torch.randint(len(tokenizer), batch.ids.shape)
    other = gpt2.Batch(
        torch.where(batch.attention == 1, batch.ids, noise), batch.attention, batch.response
    )
    assert not torch.equal(other.ids, batch.ids)
    torch.testing.assert_close(logp(model, other), logp(model, batch), rtol=1e-12, atol=0)


def test_logp_is_the_sum_over_response_tokens(tokenizer, model):
    batch = encode(tokenizer, PROMPTS, ANSWERS)
    tokens = token_logp(model, batch)
    assert tokens.shape == (3, int(batch.lengths.max()))
    assert (tokens != 0).sum(1).tolist() == batch.lengths.tolist()
    torch.testing.assert_close(tokens.sum(1), logp(model, batch))


def test_the_same_seed_gives_the_same_model(tokenizer):
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    weights = [model_of(tokenizer, seed=seed).state_dict() for seed in (3, 3, 4)]
    assert torch.equal(torch.rand(1), before)
    same = [torch.equal(v, weights[1][k]) for k, v in weights[0].items()]
    other = [torch.equal(v, weights[2][k]) for k, v in weights[0].items()]
    assert all(same)
    assert not all(other)


def test_the_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        model = new_model(**gpt2.GPT2_SMALL, seed=0)
    assert sum(p.numel() for p in model.parameters()) == 124_439_808


def test_a_model_that_takes_fewer_arguments_gives_the_same_numbers(tokenizer, model):
    batch = encode(tokenizer, PROMPTS, ANSWERS)

    class Plain(torch.nn.Module):
        def forward(self, input_ids, attention_mask, position_ids):
            assert input_ids is not None
            out = model(
                input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids
            )
            assert out.logits.shape[1] == input_ids.shape[1]
            return out

    torch.testing.assert_close(token_logp(Plain(), batch), token_logp(model, batch))


def test_a_batch_moves_as_a_whole(tokenizer):
    moved = encode(tokenizer, PROMPTS, ANSWERS).to("meta")
    assert {t.device.type for t in (moved.ids, moved.attention, moved.response)} == {"meta"}
