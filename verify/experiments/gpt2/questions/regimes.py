"""In which regimes the predictions of yuan2025, section 4.3, hold.

The same four styles after different amounts and kinds of supervised fine-tuning, trained with
different optimizers and learning rates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.lm.scores.grams import pair_gram
from disband.lm.training.optimizers import Rule
from disband.theory.gram import Gram

from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import (
    Contest,
    Prepared,
    Protocol,
    Supervision,
    leading,
    prepare,
    summed,
    train,
)

Array = npt.NDArray[Any]

RULES = (
    Rule("sgd", 1e-2),
    Rule("momentum", 1e-3),
    Rule("adam", 1e-5),
    Rule("adam", 5e-5),
    Rule("adamw", 2e-4),
)
SUPERVISIONS = (
    Supervision("both labels", 24),
    Supervision("both labels", 72),
    Supervision("both labels", 256),
    Supervision("correct", 72),
)
GRAM_PAIRS = 24


@dataclass(frozen=True)
class Regime:
    """One piece: a style after one supervised fine-tuning, with several optimizers.

    Args:
        style: The response style.
        supervision: The fine-tuning before.
        rules: Optimizers, each from the same fine-tuned model.
        objective: A name of the catalogue.
        steps, batch: Updates, an even number of them, and pairs in one.
        pairs: Held-out pairs that are followed.
    """

    style: str
    supervision: Supervision
    rules: tuple[Rule, ...] = RULES
    steps: int = 36
    batch: int = 16
    pairs: int = 64
    objective: str = "DPO"

    def __str__(self) -> str:
        taught = self.supervision
        return f"{self.objective} on {self.style} after {taught.steps} steps on {taught.shown}"


def _pieces(supervisions: tuple[Supervision, ...], styles: tuple[str, ...]) -> tuple[Regime, ...]:
    return tuple(Regime(style, taught) for taught in supervisions for style in styles)


def run_regime(
    piece: Regime, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Train one piece with every optimizer.

    Returns:
        ``logp_w``, ``logp_l``: before and after DPO, ``(rules, 2, pairs)``, nats; ``token_logp``:
        of every response token before it, ``(2, pairs, tokens)``; ``sq_w``, ``sq_l``, ``dot``:
        the Gram of the first pairs before, half-way and after, ``(rules, 3, GRAM_PAIRS)``.
    """
    contest = Contest(piece.objective, steps=piece.steps, batch=piece.batch)
    protocol = Protocol(
        piece.style, piece.supervision, contest, eval_pairs=piece.pairs, precision="float32"
    )
    ready = prepare(protocol, seed, items, *restore(base))
    watched = leading(ready.held_out, GRAM_PAIRS)
    by_rule: dict[str, list[Array]] = {}
    for done, rule in enumerate(piece.rules):
        prepared, grams = ready.copy(), [pair_gram(ready.model, *watched)]

        def until(step: int, _: Array, of: Prepared = prepared, to: list[Gram] = grams) -> bool:
            if step:
                to.append(pair_gram(of.model, *watched))
            return False

        half = piece.steps // 2
        run = train(prepared, replace(contest, rule=rule), until=until, every=half)
        logp_w, logp_l = summed(run)
        values = {"logp_w": logp_w[[0, -1]], "logp_l": logp_l[[0, -1]]} | {
            part: np.stack([getattr(gram, part) for gram in grams])
            for part in ("sq_w", "sq_l", "dot")
        }
        for name, value in values.items():
            by_rule.setdefault(name, []).append(value)
        report((done + 1) / len(piece.rules))
    return {"token_logp": run["token_logp"][0], **{n: np.stack(v) for n, v in by_rule.items()}}


_STYLES = ("single token", "short suffix", "long suffix")
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("regimes", run_regime, _pieces(SUPERVISIONS[:2], _STYLES[::2]), 25),
    "laptop": Inquiry("regimes", run_regime, _pieces(SUPERVISIONS, _STYLES), 25),
}
