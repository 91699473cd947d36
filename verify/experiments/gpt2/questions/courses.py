"""How much of a run is first order: predicted changes added up and compared with the curve.

Held-out pairs are followed token by token; what each update's gradient, memory and decay do to
them to first order is added up, and what is left of the measured change is curvature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from disband.lm.model.gpt2 import join
from disband.lm.training.finetune import Step
from disband.lm.training.optimizers import Rule

from ..explained import token_parts
from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import (
    Contest,
    Labels,
    Mix,
    Protocol,
    Supervision,
    prepare,
    train,
)

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Course:
    """One piece: a style, an optimizer, and a control.

    Args:
        style: The response style.
        rule: The optimizer.
        labels, mix, batch: See :class:`disband.verify.experiments.gpt2.protocol.Contest`.
        steps: Updates.
        pairs: Held-out pairs that are followed.
        supervision: The fine-tuning before.
        objective: A name of the catalogue.
    """

    style: str
    rule: Rule
    labels: Labels = "true"
    mix: Mix = "balanced"
    batch: int = 32
    steps: int = 36
    pairs: int = 16
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)
    objective: str = "DPO"

    def __str__(self) -> str:
        kind = f"{self.rule.kind} {self.rule.rate:g}"
        what = f"{self.objective} on {self.style}, {kind}"
        return f"{what}, {self.mix} batches of {self.batch}, {self.labels} labels"


def run_course(
    piece: Course, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Train one piece and take every update apart.

    Returns:
        ``token_logp``: ``(steps + 1, 2, pairs, tokens)``, nats; ``parts``: first-order change by
        each update and part, ``(steps, parts, 2, pairs, tokens)``, in the order of ``PARTS``;
        ``differs``: where the two responses differ, ``(tokens,)``.
    """
    contest = Contest(
        piece.objective,
        rule=piece.rule,
        steps=piece.steps,
        batch=piece.batch,
        labels=piece.labels,
        mix=piece.mix,
    )
    protocol = Protocol(piece.style, piece.supervision, contest, eval_pairs=piece.pairs)
    prepared = prepare(protocol, seed, items, *restore(base))
    held = join(*prepared.held_out)
    parts: list[Array] = []

    def watch(step: Step) -> None:
        changes = token_parts(step, held)
        parts.append(np.stack(np.split(changes, 2, axis=1), axis=1))
        report(step.number / piece.steps)

    run = train(prepared, contest, watch=watch)
    longest = run["token_logp"].shape[-1]
    ids_w, ids_l = (batch.ids[:, -longest:].numpy(force=True) for batch in prepared.held_out)
    return {
        "token_logp": run["token_logp"],
        "parts": np.stack(parts),
        "differs": (ids_w != ids_l).any(0),
    }


_ADAM = Rule("adam", 1e-5)
_SHORT, _LONG = "short suffix", "long suffix"
_PIECES = (
    *(Course(style, _ADAM) for style in (_SHORT, _LONG)),
    Course(_LONG, _ADAM, labels="shuffled"),
    Course(_LONG, _ADAM, mix="drawn"),
    Course(_LONG, _ADAM, batch=1),
    Course(_LONG, Rule("sgd", 1e-2)),
)
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("courses", run_course, _PIECES[:3], 20),
    "laptop": Inquiry("courses", run_course, _PIECES, 20),
}
