"""What methods do to a training run of a small GPT-2, what they cost, and which labels it writes.

Every objective is trained without a method and with each, from the same fine-tuned model on the
same batches with Adam, whose steps do not depend on the size of the incentives. The Gram is that of
all parameters, measured anew for every batch, unless the method says otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.data.preferences import Preference
from disband.lm.data.tweets import Tweet, split
from disband.lm.model.gpt2 import Batch, Model, TextTokenizer, encode, greedy, join, logp
from disband.lm.model.load import positions
from disband.lm.training.calibrated import Method, train_calibrated
from disband.lm.training.finetune import sft
from disband.lm.training.optimizers import Rule
from disband.lm.training.remedies import (
    BandCalibration,
    PublishedCalibration,
    calibrated_by_batch,
    calibrated_by_pair,
    normalised_gradients,
)
from disband.theory.objectives import find

from ..arms import (
    ALL,
    BAND,
    BATCH,
    MAIN,
    NONE,
    NORMALISED,
    PAIRS,
    PUBLISHED,
)
from ..inquiry import Inquiry, Scale
from ..items import Item, free_pairs
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import Contest, Prepared, Protocol, Supervision, prepare
from ..readings import GAINED

Array = npt.NDArray[Any]
Data = Literal["sentiment", "free text"]
DATA: tuple[Data, ...] = ("sentiment", "free text")

OBJECTIVES = ("DPO", "SimPO", "IPO", "CPO", "BCE", "DDRO")


@dataclass(frozen=True)
class Trial:
    """One piece: an objective on some data, without a method and with each.

    Args:
        objective: A name of the catalogue.
        data: ``sentiment``, or ``free text``, of
            :func:`disband.verify.experiments.gpt2.items.free_rows`.
        methods: What is compared; the first is what the others are compared with.
        style: The response style of the sentiment data.
        rule: The optimizer.
        steps, batch: Updates at most, for a run ends when the mean held-out margin has grown by
            ``GAINED``; and pairs in one.
        pairs: Held-out pairs that are followed.
        supervision: The fine-tuning before.
        longest_prompt: Tokens kept of a prompt.
    """

    objective: str
    data: Data = "sentiment"
    methods: tuple[str, ...] = MAIN
    style: str = "short suffix"
    rule: Rule = Rule("adam", 5e-5)  # noqa: RUF009 (frozen)
    steps: int = 90
    batch: int = 16
    pairs: int = 48
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)
    longest_prompt: int = 24

    def __str__(self) -> str:
        return f"{self.objective} on {self.data}"


def run_trial(
    piece: Trial, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Train one piece with every method; pairs of one's own are free text whatever the piece says.

    Returns:
        For each method, ``NAME/logp_w`` and ``NAME/logp_l``: held-out log-probabilities,
        ``(updates + 1, pairs)``, nats; ``NAME/labels``: whether the model writes the right label
        by itself, ``(2, pairs)``, before and after (of free text: whether the chosen response is
        the likelier one); ``NAME/seconds``: CPU time of each update; ``NAME/log_ratio``: how the
        method changed the logarithm of the ratio of incentives; ``NAME/empty``: whether the batch
        band was empty, NaN where it was not looked at.
    """
    tweets = tuple(item for item in items if isinstance(item, Tweet))
    spoken = bool(tweets) and piece.data == "sentiment"
    if tweets and not spoken:
        ready = free_text(piece, seed, tweets, *restore(base))
    else:
        ready = _as_they_are(piece, seed, items, *restore(base))
    by_method: Arrays = {}
    for done, name in enumerate(piece.methods):
        prepared = ready.copy()
        method = None if name == NONE else METHODS[name](prepared.model)
        logps: list[Array] = []

        def after(
            step: int, of: Prepared = prepared, to: list[Array] = logps, done: int = done
        ) -> bool:
            with torch.no_grad():
                to.append(logp(of.model, join(*of.held_out)).double().numpy(force=True))
            report((done + step / piece.steps) / len(piece.methods))
            margins = [float(np.subtract(*np.split(one, 2)).mean()) for one in (to[0], to[-1])]
            return margins[1] - margins[0] >= GAINED

        labels = [_labels(prepared, spoken=spoken)]
        times = train_calibrated(
            prepared.model, prepared.batches, find(piece.objective), rule=piece.rule,
            method=method, after=after,
        )  # fmt: skip
        labels.append(_labels(prepared, spoken=spoken))
        logp_w, logp_l = np.split(np.stack(logps), 2, axis=1)
        empty = (
            method.empty
            if isinstance(method, BandCalibration)
            else [np.nan] * len(times["seconds"])
        )
        arrays = {
            "logp_w": logp_w, "logp_l": logp_l, "labels": np.stack(labels),
            "empty": np.array(empty, float), **times,
        }  # fmt: skip
        by_method |= {f"{name}/{key}": value for key, value in arrays.items()}
    return by_method


def _as_they_are(
    piece: Trial, seed: int, items: Sequence[Item], model: Model, tokenizer: TextTokenizer
) -> Prepared:
    contest = Contest(piece.objective, rule=piece.rule, steps=piece.steps, batch=piece.batch)
    protocol = Protocol(piece.style, piece.supervision, contest, piece.pairs, piece.longest_prompt)
    return prepare(protocol, seed, items, model, tokenizer)


def free_text(
    piece: Trial, seed: int, tweets: Sequence[Tweet], model: Model, tokenizer: TextTokenizer
) -> Prepared:
    """Fine-tune on chosen responses, then deal other pairs; held-out tweets stay held out."""
    training, held_out = split(tweets, Protocol(piece.style).split)
    rng = np.random.default_rng([seed, 4])
    drawn = free_pairs(training, rng)
    fits = _fits(model, tokenizer, piece.longest_prompt)
    pool = [drawn[i] for i in rng.permutation(len(drawn)) if fits(drawn[i])]
    others = free_pairs(held_out, np.random.default_rng([seed, 5]))
    watched = [pair for pair in others if fits(pair)][: piece.pairs]
    taught, wanted = piece.supervision.steps * piece.supervision.batch, piece.steps * piece.batch
    if len(pool) < taught + wanted or len(watched) < piece.pairs:
        raise ValueError(
            f"free text needs {taught + wanted} training pairs and {piece.pairs} held out: the "
            f"tweets give {len(pool)} and {len(watched)}; give more tweets or smaller settings"
        )

    def both(group: Sequence[Preference]) -> tuple[Batch, Batch]:
        chosen, rejected = (
            encode(
                tokenizer, [str(p.prompt) for p in group], [str(getattr(p, side)) for p in group],
                piece.longest_prompt,
            ).to(model.device)
            for side in ("chosen", "rejected")
        )  # fmt: skip
        return chosen, rejected

    shown = [both(part)[0] for part in _parts(pool[:taught], piece.supervision.batch)]
    sft(model, shown, rate=piece.supervision.rate, after=lambda _: None)
    batches = [both(part) for part in _parts(pool[taught : taught + wanted], piece.batch)]
    model.double()
    return Prepared(model, tokenizer, batches, np.zeros(0), both(watched))


def _fits(
    model: Model, tokenizer: TextTokenizer, longest_prompt: int
) -> Callable[[Preference], bool]:
    """Whether the longest prompt, its separator and either response have positions enough."""
    room = (positions(model) or 10**9) - longest_prompt - 1

    def fits(pair: Preference) -> bool:
        texts = (str(pair.chosen), str(pair.rejected))
        return all(len(tokenizer.encode(t, add_special_tokens=False)) <= room for t in texts)

    return fits


def _parts(group: Sequence[Preference], size: int) -> list[Sequence[Preference]]:
    return [group[i : i + size] for i in range(0, len(group), size)]


def _labels(prepared: Prepared, *, spoken: bool) -> Array:
    """Whether the label that the model writes is right, ``(pairs,)``; see ``run_trial``."""
    model, (chosen, rejected) = prepared.model, prepared.held_out
    with torch.no_grad():
        if not spoken:
            return np.asarray((logp(model, chosen) > logp(model, rejected)).numpy(force=True))
        written = greedy(model, chosen)
    longest = written.shape[1]
    differs = (chosen.ids[:, -longest:] != rejected.ids[:, -longest:]).numpy(force=True)
    until = np.cumsum(differs, 1) - differs == 0  # up to the label, itself included
    return np.asarray((written.numpy(force=True) | ~until).all(1))


METHODS: Mapping[str, Callable[[Model], Method]] = {
    BATCH: lambda _: calibrated_by_batch,
    PAIRS: lambda _: calibrated_by_pair,
    BAND: BandCalibration,
    NORMALISED: lambda _: normalised_gradients,
    PUBLISHED: PublishedCalibration,
}


_PIECES = tuple(Trial(name, data, ALL) for data in DATA for name in OBJECTIVES)
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("methods", run_trial, tuple(map(Trial, OBJECTIVES)), 40, asked=False),
    "laptop": Inquiry("methods", run_trial, _PIECES, 80),
}
