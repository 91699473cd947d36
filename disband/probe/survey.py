"""One pass over preference data of any size: what is in them, and a random sample of the pairs."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from disband.lm.data.columns import Named
from disband.lm.data.formats import Fault
from disband.lm.data.messages import Text, characters, plain
from disband.lm.data.preferences import PairReader, Preference
from disband.lm.data.read import Origin, read_rows
from disband.lm.data.tokenize import TokenPair

_SHOWN_FAULTS = 20
_SHOWN_PROMPT = 4000  # characters
# Rows whose conversations are put into the chat template to see whether it takes them; of the
# others, those of the sample are.
TRIED = 20_000

Tokenize = Callable[[Preference], TokenPair]


class Row(NamedTuple):
    """A row that states a pair, as the pass meets it.

    Args:
        place: Where it stands, such as ``line 3``.
        raw: The row as it came.
        pair: What it states.
        identical: Whether both responses are the same text.
        repeated: Whether the same prompt, chosen and rejected came before.
        contradictory: Whether they came before with chosen and rejected exchanged.
        prompt_before: Whether its prompt came before, in any pair.
    """

    place: str
    raw: object
    pair: Preference
    identical: bool
    repeated: bool
    contradictory: bool
    prompt_before: bool


@dataclass(frozen=True)
class Counts:
    """What a pass has counted, in rows.

    Args:
        rows: All that were read.
        pairs: Those that state a pair.
        malformed: Those that do not, the next ones included.
        empty: Those with an empty response.
        refused: Those that the chat template does not render.
        identical, repeated, contradictory, same_prompt: As in :class:`Row`.
        longer_chosen: Pairs whose chosen response has more characters than the rejected one.
        longer_rejected: Likewise.
        prompt_again: Pairs whose responses both begin with the prompt once more.
        user_turns: Pairs with a turn of the user in a response, which counts as response.
        with_media: Pairs beside which images, videos or sounds stand, which are left out.
        scored: Pairs whose responses have scores.
        tied: Of these, those whose scores are equal.
        scored_against: Of these, those whose rejected response has the higher score.
    """

    rows: int = 0
    pairs: int = 0
    malformed: int = 0
    empty: int = 0
    refused: int = 0
    identical: int = 0
    repeated: int = 0
    contradictory: int = 0
    same_prompt: int = 0
    longer_chosen: int = 0
    longer_rejected: int = 0
    prompt_again: int = 0
    user_turns: int = 0
    with_media: int = 0
    scored: int = 0
    tied: int = 0
    scored_against: int = 0


class Sampled(NamedTuple):
    """A pair of the sample: where it stands, its tokens, its prompt to be shown, its score gap."""

    place: str
    tokens: TokenPair
    prompt: str
    gap: float = float("nan")


@dataclass(frozen=True)
class Survey:
    """What one pass over the data found.

    Args:
        origin: Source and hash; of the rows that state no pair the first few.
        columns: What was read as what, and which columns were not.
        counts: Of all rows.
        sample: Pairs drawn without replacement, in random order.
        filled: Places of sampled pairs that were left out, as a trainer does: the prompt alone
            fills all that is kept.
    """

    origin: Origin
    columns: str
    counts: Counts
    sample: tuple[Sampled, ...]
    filled: tuple[str, ...]

    @property
    def pairs(self) -> tuple[TokenPair, ...]:
        """The tokens of the sample."""
        return tuple(pair.tokens for pair in self.sample)

    @property
    def gaps(self) -> npt.NDArray[np.float64]:
        """The score gap of each pair of the sample, NaN where it has no scores."""
        return np.array([pair.gap for pair in self.sample])


def survey(pass_: "Pass", sample: int, tokenize: Tokenize, *, seed: int = 0) -> Survey:
    """Read all rows once and draw ``sample`` of the pairs that they state, all if there are fewer.

    Rows that state no pair are counted, not refused. Beside the sample's tokens, a few bytes of
    each row are kept.

    Args:
        pass_: That has not begun.
        sample: Pairs to be drawn.
        tokenize: Makes tokens of a pair, or raises ValueError.
        seed: Of the sample.

    Raises:
        ImportError: A library that reads the format is not installed.
        ValueError: No row states a pair, or the trainer would leave every one out, or a sample
            below 1.
    """
    if sample < 1:
        raise ValueError(f"a sample has at least one pair: got {sample}")
    random = np.random.default_rng(seed)
    drawn: list[Sampled] = []
    met = 0
    for row in pass_:
        place = met if met < sample else int(random.integers(met + 1))
        if place < sample:
            try:
                pair = _sampled(row, tokenize(row.pair))
            except ValueError as error:
                pass_.refuse(row, str(error))
                continue
            drawn[place : place + 1] = [pair]
        met += 1
    if not drawn:
        first_of = {reason: place for place, reason in reversed(pass_.faults)}
        told = "; ".join(f"{place}: {reason}" for reason, place in [*first_of.items()][-3:][::-1])
        raise ValueError(
            f"{pass_.source}: a probe needs rows with chosen and rejected, but none states a pair"
            + (f": {told}" if told else "")
            + "; mend the data"
        )
    mixed = [drawn[i] for i in random.permutation(len(drawn))]
    kept = tuple(pair for pair in mixed if not pair.tokens.is_empty)
    if not kept:
        raise ValueError(
            f"{pass_.source}: the prompt of every sampled pair fills all that --max-length keeps, "
            "so a trainer leaves them all out; raise it"
        )
    filled = tuple(pair.place for pair in mixed if pair.tokens.is_empty)
    return Survey(pass_.origin(), pass_.columns, pass_.counts, kept, filled)


def _sampled(row: Row, tokens: TokenPair) -> Sampled:
    scores = row.pair.scores
    gap = scores[0] - scores[1] if scores else float("nan")
    return Sampled(row.place, tokens, plain(row.pair.prompt)[:_SHOWN_PROMPT], gap)


class Pass:
    """Goes through all rows of a source once and counts; yields those that state a pair.

    Args:
        source: See :func:`disband.lm.data.read.read_rows`.
        part: Of a folder or of a data set on the hub.
        named: Columns that the user names.

    Raises:
        ImportError: A library that reads the format is not installed.
        ValueError: The source is missing, or of no known format.
    """

    def __init__(self, source: str | Path, part: str = "train", named: Named | None = None) -> None:
        self._table = read_rows(source, part)
        self._read = PairReader(named)
        self._seen: set[bytes] = set()
        self._prompts: set[bytes] = set()
        self._counted: Counter[str] = Counter()
        self.faults: list[Fault] = []
        # Raises ValueError for a pair that the chat template does not take.
        self.render: Callable[[Preference], object] = lambda _: None

    @property
    def source(self) -> str:
        """What is read."""
        return self._table.source

    @property
    def columns(self) -> str:
        """What was read as what, and which columns were not, in one line."""
        return self._read.words

    @property
    def counts(self) -> Counts:
        """What has been counted so far."""
        return Counts(**{field.name: self._counted[field.name] for field in fields(Counts)})

    def origin(self) -> Origin:
        """Where the data come from; their hash is complete when the pass is."""
        table = self._table
        return Origin(
            table.source, table.digest.hexdigest(), self._counted["rows"], tuple(self.faults)
        )

    def __iter__(self) -> Iterator[Row]:
        for place, raw in self._table.rows:
            self._counted["rows"] += 1
            if isinstance(raw, Fault):
                self._fault(raw)
                continue
            try:
                pair = self._read(raw)
            except ValueError as error:
                self._fault(Fault(place, str(error)))
                continue
            if pair.is_conversation and self._counted["pairs"] < TRIED:
                try:
                    self.render(pair)
                except ValueError as error:
                    self._counted["refused"] += 1
                    self._fault(Fault(place, str(error)))
                    continue
            yield self._met(place, raw, pair)

    def refuse(self, row: Row, reason: str) -> None:
        """Count a row that was yielded as one that the chat template does not render."""
        self._counted["pairs"] -= 1
        self._counted["refused"] += 1
        self._fault(Fault(row.place, reason))

    def _fault(self, fault: Fault) -> None:
        self._counted["malformed"] += 1
        self._counted["empty"] += "is empty" in fault.reason
        if len(self.faults) < _SHOWN_FAULTS:
            self.faults.append(fault)

    def _met(self, place: str, raw: object, pair: Preference) -> Row:
        beside = pair.template + pair.media
        key = _digest(pair.prompt, pair.chosen, pair.rejected, beside)
        exchanged = _digest(pair.prompt, pair.rejected, pair.chosen, beside)
        prompt = _digest(pair.prompt, beside)
        identical = pair.chosen == pair.rejected
        row = Row(
            place,
            raw,
            pair,
            identical=identical,
            repeated=key in self._seen,
            contradictory=exchanged in self._seen and not identical,
            prompt_before=prompt in self._prompts,
        )
        self._seen.add(key)
        self._prompts.add(prompt)
        self._counted.update(name for name, holds in _what_holds(row) if holds)
        return row


def _what_holds(row: Row) -> Iterator[tuple[str, bool]]:
    """What is counted of a row, by the names of :class:`Counts`."""
    pair = row.pair
    chosen, rejected = characters(pair.chosen), characters(pair.rejected)
    yield "pairs", True
    yield "identical", row.identical
    yield "repeated", row.repeated
    yield "contradictory", row.contradictory
    yield "same_prompt", row.prompt_before
    yield "longer_chosen", chosen > rejected
    yield "longer_rejected", chosen < rejected
    yield "prompt_again", _says_the_prompt_again(pair)
    yield (
        "user_turns",
        any(
            not isinstance(text, str) and any(turn.role == "user" for turn in text)
            for text in (pair.chosen, pair.rejected)
        ),
    )
    yield "with_media", bool(pair.media)
    yield "scored", pair.scores is not None
    if pair.scores is not None:
        yield "tied", pair.scores[0] == pair.scores[1]
        yield "scored_against", pair.scores[0] < pair.scores[1]


def _says_the_prompt_again(pair: Preference) -> bool:
    asked = pair.prompt if isinstance(pair.prompt, str) else pair.prompt[-1:]
    if not isinstance(asked, str):
        asked = asked[0].content if asked else ""
    texts = [
        text if isinstance(text, str) else text[0].content for text in (pair.chosen, pair.rejected)
    ]
    return bool(asked.strip()) and all(text.lstrip().startswith(asked.strip()) for text in texts)


def _digest(*texts: Text) -> bytes:
    return hashlib.blake2b(repr(texts).encode(), digest_size=16).digest()
