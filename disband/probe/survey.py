"""One pass over preference data of any size: what is in them, and a random sample of the pairs."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from disband.lm.data.preferences import Preference, Text, preference
from disband.lm.data.read import Fault, Origin, read_rows

_SHOWN_FAULTS = 20


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
        identical, repeated, contradictory, same_prompt: As in :class:`Row`.
        longer_chosen: Pairs whose chosen response has more characters than the rejected one.
        longer_rejected: Likewise.
    """

    rows: int = 0
    pairs: int = 0
    malformed: int = 0
    empty: int = 0
    identical: int = 0
    repeated: int = 0
    contradictory: int = 0
    same_prompt: int = 0
    longer_chosen: int = 0
    longer_rejected: int = 0


@dataclass(frozen=True)
class Survey:
    """What one pass over the data found.

    Args:
        origin: Source and hash; of the rows that state no pair the first few.
        counts: Of all rows.
        sample: Pairs drawn without replacement, in random order.
        places: Where each stands.
    """

    origin: Origin
    counts: Counts
    sample: tuple[Preference, ...]
    places: tuple[str, ...]


def survey(source: str | Path, sample: int, *, seed: int = 0, part: str = "train") -> Survey:
    """Read all rows once and draw ``sample`` of the pairs that they state, all if there are fewer.

    Rows that state no pair are counted, not refused. Beside the sample, a few bytes of each row
    are kept.

    Raises:
        ImportError: A library that reads the format is not installed.
        ValueError: The source is missing, no row states a pair, or a sample below 1.
    """
    if sample < 1:
        raise ValueError(f"a sample has at least one pair: got {sample}")
    pass_ = Pass(source, part)
    random = np.random.default_rng(seed)
    drawn: list[tuple[str, Preference]] = []
    for met, row in enumerate(pass_):
        if len(drawn) < sample:
            drawn.append((row.place, row.pair))
        elif (place := int(random.integers(met + 1))) < sample:
            drawn[place] = (row.place, row.pair)
    if not drawn:
        told = "; ".join(f"{place}: {reason}" for place, reason in pass_.faults[:3])
        raise ValueError(
            f"{source}: a probe needs rows with chosen and rejected, but none states a pair"
            + (f": {told}" if told else "")
            + "; mend the data"
        )
    mixed = [drawn[i] for i in random.permutation(len(drawn))]
    places, pairs = zip(*mixed, strict=True)
    return Survey(pass_.origin(), pass_.counts, pairs, places)


class Pass:
    """Goes through all rows of a source once and counts; yields those that state a pair."""

    def __init__(self, source: str | Path, part: str = "train") -> None:
        self._table = read_rows(source, part)
        self._seen: set[bytes] = set()
        self._prompts: set[bytes] = set()
        self._found = dict.fromkeys(asdict(Counts()), 0)
        self.faults: list[Fault] = []

    @property
    def counts(self) -> Counts:
        """What has been counted so far."""
        return Counts(**self._found)

    def origin(self) -> Origin:
        """Where the data come from; their hash is complete when the pass is."""
        table = self._table
        return Origin(
            table.source, table.digest.hexdigest(), self._found["rows"], tuple(self.faults)
        )

    def __iter__(self) -> Iterator[Row]:
        for place, raw in self._table.rows:
            self._found["rows"] += 1
            if isinstance(raw, Fault):
                self._fault(raw)
                continue
            try:
                pair = preference(raw)
            except ValueError as error:
                self._fault(Fault(place, str(error)))
                continue
            yield self._met(place, raw, pair)

    def _fault(self, fault: Fault) -> None:
        self._found["malformed"] += 1
        self._found["empty"] += "is empty" in fault.reason
        if len(self.faults) < _SHOWN_FAULTS:
            self.faults.append(fault)

    def _met(self, place: str, raw: object, pair: Preference) -> Row:
        key = _digest(pair.prompt, pair.chosen, pair.rejected)
        exchanged = _digest(pair.prompt, pair.rejected, pair.chosen)
        prompt = _digest(pair.prompt)
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
        chosen, rejected = _characters(pair.chosen), _characters(pair.rejected)
        for name, counts in (
            ("pairs", True),
            ("identical", row.identical),
            ("repeated", row.repeated),
            ("contradictory", row.contradictory),
            ("same_prompt", row.prompt_before),
            ("longer_chosen", chosen > rejected),
            ("longer_rejected", chosen < rejected),
        ):
            self._found[name] += counts
        return row


def _digest(*texts: Text) -> bytes:
    return hashlib.blake2b(repr(texts).encode(), digest_size=16).digest()


def _characters(text: Text) -> int:
    return len(text) if isinstance(text, str) else sum(len(m.content) for m in text)
