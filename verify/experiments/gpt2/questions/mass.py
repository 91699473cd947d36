"""Probability on tokens that are neither label, along DPO and stable preference optimization."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.model.gpt2 import OPTIONAL, Model, forward_arguments, join, logp
from disband.lm.training.finetune import Pair, train_preferences
from disband.lm.training.optimizers import Rule
from disband.lm.training.unrolled import train_unrolled
from disband.theory.objectives import find

from ..arms import DPO, SPO, TERM
from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import Contest, Protocol, Supervision, prepare

Array = npt.NDArray[Any]

# Tokens whose gain is kept by name.
NAMED = 12


@dataclass(frozen=True)
class Mass:
    r"""One piece: a method and a style.

    Args:
        name: The method's.
        style: The response style, one whose responses differ in one token.
        weight: :math:`\lambda` of the chosen's own term, per token; 0 is DPO.
        strength: :math:`\mu` of the lower level; 0 leaves it out.
        beta: DPO's.
        rule: The optimizer.
        steps, batch: Updates, and pairs in one.
        pairs: Held-out pairs that are followed.
        every: Updates between two measurements.
        supervision: The fine-tuning before.
    """

    name: str
    style: str
    weight: float = 0.0
    strength: float = 0.0
    beta: float = 0.1
    rule: Rule = Rule("adam", 2e-5)  # noqa: RUF009 (frozen)
    steps: int = 60
    batch: int = 32
    pairs: int = 64
    every: int = 3
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)

    def __str__(self) -> str:
        return f"{self.name} on {self.style}"


def run_mass(
    piece: Mass, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Train one piece and follow the distribution at the label's place.

    Returns:
        ``steps``: updates done at each measurement, ``(times,)``. ``label_w``, ``label_l``:
        log-probability of the chosen and of the rejected label there, ``(times, pairs)`` nats;
        ``neither``: probability of all other tokens. ``logp_w``, ``logp_l``: of the whole
        responses, nats. ``gainers``: the tokens, neither label, that gained most, their mean
        probabilities ``gainers_before`` and ``gainers_after``, ``(NAMED,)``.
    """
    contest = Contest("RPO", rule=piece.rule, steps=piece.steps, batch=piece.batch)
    protocol = Protocol(piece.style, piece.supervision, contest, piece.pairs)
    prepared = prepare(protocol, seed, items, *restore(base))
    steps: list[int] = []
    seen: list[tuple[Array, ...]] = []
    means: list[Array] = []

    def look(step: int, model: Model) -> None:
        report(step / piece.steps)
        if step % piece.every and step != piece.steps:
            return
        spread, *labels = label_distribution(model, prepared.held_out)
        with torch.no_grad():
            both = logp(model, join(*prepared.held_out)).double().numpy(force=True)
        steps.append(step)
        seen.append((*labels, 1 - np.exp(labels).sum(0), *np.split(both, 2)))
        means.append(spread.mean(0))

    _trainer(piece)(prepared.model, prepared.batches, look)
    names = ("label_w", "label_l", "neither", "logp_w", "logp_l")
    series = dict(zip(names, map(np.stack, zip(*seen, strict=True)), strict=True))
    gain = means[-1] - means[0]
    gain[_label_ids(prepared.held_out)] = -np.inf
    most = np.argsort(-gain, kind="stable")[:NAMED]
    words = prepared.tokenizer.convert_ids_to_tokens(most.tolist())
    return {
        "steps": np.array(steps),
        **series,
        "gainers": np.array(words),
        "gainers_before": means[0][most],
        "gainers_after": means[-1][most],
    }


def label_distribution(model: Model, pair: Pair) -> tuple[Array, Array, Array]:
    """Distribution of the next token where both responses differ, and both labels' own.

    Returns:
        Probabilities ``(pairs, vocabulary)``; log-probabilities of the chosen and of the
        rejected label, ``(pairs,)`` nats.

    Raises:
        ValueError: The responses differ in more than one token.
    """
    chosen, rejected = pair
    place = _place(pair)
    inputs = {
        "input_ids": chosen.ids[:, :place],
        "attention_mask": chosen.attention[:, :place],
        "use_cache": False,
        "position_ids": (chosen.attention[:, :place].cumsum(1) - 1).clamp(min=0),
    }
    taken = forward_arguments(model)
    given = {k: v for k, v in inputs.items() if k not in OPTIONAL or k in taken}
    with torch.no_grad():
        values = torch.log_softmax(model(**given).logits[:, -1].double(), -1)
    label_w, label_l = (
        values.gather(1, batch.ids[:, place, None])[:, 0].numpy(force=True)
        for batch in (chosen, rejected)
    )
    return values.exp().numpy(force=True), label_w, label_l


def _place(pair: Pair) -> int:
    chosen, rejected = pair
    if chosen.ids.shape != rejected.ids.shape:
        raise ValueError(
            "mass on neither label is measured where responses differ in one token: these differ "
            "in length; take a style such as short suffix"
        )
    places = np.flatnonzero((chosen.ids != rejected.ids).any(0).numpy(force=True))
    if len(places) != 1:
        raise ValueError(
            "mass on neither label is measured where responses differ in one token: these differ "
            f"in {len(places)}; take a style such as short suffix"
        )
    return int(places[0])


def _label_ids(pair: Pair) -> list[int]:
    place = _place(pair)
    return sorted({int(i) for batch in pair for i in batch.ids[:, place]})


def _trainer(
    piece: Mass,
) -> Callable[[Model, Any, Callable[[int, Model], None]], None]:
    def plain(model: Model, batches: Any, look: Callable[[int, Model], None]) -> None:
        train_preferences(
            model,
            batches,
            find("RPO"),
            rule=piece.rule,
            after=lambda step: look(step, model),
            beta=piece.beta,
            lam=piece.weight,
        )

    def unrolled(model: Model, batches: Any, look: Callable[[int, Model], None]) -> None:
        train_unrolled(
            model,
            batches,
            strength=piece.strength,
            rule=piece.rule,
            after=look,
            beta=piece.beta,
            lam=piece.weight,
        )

    return unrolled if piece.strength else plain


# The lower level's step of 1/50 is well below what its curvature forbids on the small model.
_METHODS = ((DPO, 0.0, 0.0), (TERM, 0.05, 0.0), (SPO, 0.05, 50.0))
_PIECES = tuple(
    Mass(name, style, weight, strength)
    for style in ("short suffix", "single token")
    for name, weight, strength in _METHODS
)
_LOOSE = Mass(f"{SPO}, loose", "short suffix", 0.05, 10.0)
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("mass", run_mass, _PIECES, 45, asked=False),
    "laptop": Inquiry("mass", run_mass, (*_PIECES, _LOOSE), 45),
}
