"""What a run does after many updates, beside what was forecast of it and by what means."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from time import process_time
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from sympy import Rational

from disband.lm.data.tweets import Tweet
from disband.lm.horizon.path import measure_path
from disband.lm.horizon.run import follow
from disband.lm.model.gpt2 import Batch, join
from disband.lm.training.optimizers import Rule
from disband.theory.horizon.forecast import forecast
from disband.theory.horizon.path import strength
from disband.theory.kernels.primitives import logsigmoid
from disband.theory.objective import Objective
from disband.theory.objectives import BCE, CPO, DDRO, DPO, IPO, ORPO, SIMPO
from disband.theory.symbols import beta, logp_l, logp_w, ref_l, ref_w

from ..findings.horizon import FREE, METHODS, OBJECTIVES, UPDATES
from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import restore
from ..protocol import Contest, Prepared, Protocol, Supervision, prepare
from .methods import free_text

Array = npt.NDArray[Any]

CALIBRATED = Objective(
    name="DPO, calibrated",
    loss=-logsigmoid(
        beta * (Rational(5, 4) * (logp_w - ref_w) - Rational(4, 5) * (logp_l - ref_l))
    ),
    defaults={beta: 0.1},
    source="DPO whose chosen pull is multiplied, and whose push is divided, by one factor",
)
_OBJECTIVES = {
    objective.name: objective for objective in (DPO, SIMPO, IPO, CPO, BCE, DDRO, ORPO, CALIBRATED)
}
FASTER = 4  # the pilot's rate beside the run's, and the coarse run's stride
LINE = 12  # real updates that a straight line goes through; half of them for a nearer horizon


@dataclass(frozen=True)
class Horizon:
    """One piece: a style and an optimizer, with several objectives.

    Args:
        style: The response style, or free text.
        rule: The optimizer. The rate of SGD is DPO's; another objective has the one at which its
            incentives are, at the start, as strong.
        batch: Pairs in an update.
        epoch: Updates in an epoch, whose pairs are all that is trained on.
        pairs: Held-out pairs that are followed.
        supervision: The fine-tuning before.
        longest_prompt: Tokens kept of a prompt.
        objectives: Names of those that are run and forecast.
        updates: The horizons; the last is how far is run.
        anchors: See :func:`disband.lm.horizon.path.measure_path`.
        pretrained: Whether the model comes with its language, and is fine-tuned in bfloat16 where
            autocast does.
    """

    style: str
    rule: Rule
    batch: int = 8
    epoch: int = 4
    pairs: int = 32
    supervision: Supervision = Supervision()  # noqa: RUF009 (frozen)
    longest_prompt: int = 24
    objectives: tuple[str, ...] = OBJECTIVES
    updates: tuple[int, ...] = UPDATES
    anchors: int = 13
    pretrained: bool = False

    @property
    def steps(self) -> int:
        """Updates for which fresh texts are dealt: an epoch."""
        return self.epoch

    def __str__(self) -> str:
        return f"{self.rule.kind} at {self.rule.rate:g} on {self.style}"


def run_horizon(
    piece: Horizon, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """Run every objective to the last horizon, and forecast it by every means.

    Returns:
        ``real``: changes of all responses, ``(objectives, horizons, 4, pairs)``, nats: the trained
        chosen and rejected, and the held-out ones; ``said``: the same by each means,
        ``(means, objectives, horizons, 4, pairs)``; ``seconds``: processor time of the run and of
        each means, ``(1 + means, objectives)``, where what serves all objectives stands at the
        first; ``advice``, ``distance``, ``apart``: the forecast's own trust, ``(objectives,)``.
    """
    ready = _prepared(piece, seed, items, base)
    model, held_out = ready.model.float().eval(), ready.held_out
    chosen, rejected = (_joined([pair[side] for pair in ready.batches]) for side in (0, 1))
    last, lines = piece.updates[-1], {step: min(step // 2, LINE) for step in piece.updates}
    path = measure_path(
        model, chosen, rejected, rule=piece.rule, steps=last, batch_size=piece.batch,
        held_out=held_out, anchors=piece.anchors, seed=seed + 1000,
        report=lambda share: report(_MEASURED * share),
    )  # fmt: skip
    n, counts = len(chosen), (len(piece.objectives), len(piece.updates), 4, len(chosen))
    real, said = np.empty(counts), np.empty((len(METHODS), *counts))
    seconds = np.zeros((1 + len(METHODS), len(piece.objectives)))
    seconds[1, 0], seconds[2, 0] = path.seconds[0], path.seconds[0] / len(path.steps)
    trust = np.empty((3, len(piece.objectives)))
    dpo = strength(DPO, path.logps[0][: 2 * n], path.lengths)
    same = partial(
        follow, model, chosen, rejected, batch_size=piece.batch, held_out=held_out, seed=seed
    )
    for i, objective in enumerate(map(_OBJECTIVES.__getitem__, piece.objectives)):
        own = strength(objective, path.logps[0][: 2 * n], path.lengths)
        scale = 1.0 if piece.rule.kind in ("adam", "adamw") else dpo / own
        rule = replace(piece.rule, rate=piece.rule.rate * scale)
        run = same(objective, rule, steps=last, at=(*lines.values(), *piece.updates))
        coarse = same(objective, rule, steps=last, at=piece.updates, stride=FASTER)
        quick = replace(rule, rate=FASTER * rule.rate)
        quickly = [step // FASTER for step in piece.updates]
        pilot = same(objective, quick, steps=last // FASTER, at=quickly)
        began = process_time()
        seen = forecast(path, objective, rate=rule.rate, steps=last, seed=seed)
        seconds[1, i] += process_time() - began
        seconds[0, i], seconds[3, i] = run.seconds, pilot.seconds
        seconds[4, i] = run.seconds * LINE / last
        seconds[5, i] = coarse.seconds
        advised_to_run = seen.advice == "run"
        seconds[6, i] = coarse.seconds if advised_to_run else 0.0
        trust[:, i] = advised_to_run, seen.trust.distance, seen.trust.anchors
        for j, step in enumerate(piece.updates):
            real[i, j] = run.change(step).reshape(4, -1)
            by_means = {
                "path": seen.logps[step] - seen.logps[0],
                "frozen": seen.frozen[step] - seen.frozen[0],
                "pilot": pilot.change(step // FASTER),
                "line": run.change(lines[step]) * step / lines[step],
                "coarse": coarse.change(step),
            }
            by_means["advised"] = by_means["coarse" if advised_to_run else "path"]
            said[:, i, j] = [by_means[name].reshape(4, -1) for name in METHODS]
        report(_MEASURED + (1 - _MEASURED) * (i + 1) / len(piece.objectives))
    return {
        "real": real,
        "said": said,
        "seconds": seconds,
        **dict(zip(("advice", "distance", "apart"), trust, strict=True)),
    }


def _prepared(piece: Horizon, seed: int, items: tuple[Item, ...], base: Arrays) -> Prepared:
    model, tokenizer = restore(base)
    if piece.style == FREE:
        tweets = [item for item in items if isinstance(item, Tweet)]
        # The held-out split is that of any sentiment style.
        settings: Any = SimpleNamespace(
            **{**vars(piece), "style": "short suffix", "steps": piece.epoch}
        )
        return free_text(settings, seed, tweets, model, tokenizer)
    contest = Contest(steps=piece.epoch, batch=piece.batch)
    protocol = Protocol(
        piece.style, piece.supervision, contest, piece.pairs, piece.longest_prompt,
        precision="mixed" if piece.pretrained else "float32",
    )  # fmt: skip
    return prepare(protocol, seed, items, model, tokenizer)


def _joined(batches: list[Batch]) -> Batch:
    whole = batches[0]
    for batch in batches[1:]:
        whole = join(whole, batch)
    return whole


_MEASURED = 0.2  # share of a piece's time that the path takes, roughly
_STYLES = ("short suffix", "long suffix", FREE, "single token")
_RULES = (Rule("adam", 1e-5), Rule("adam", 3e-5), Rule("sgd", 1e-2), Rule("sgd", 3e-3))
_PIECES = tuple(Horizon(style, rule) for rule in _RULES for style in _STYLES)
_OF_PRETRAINED = tuple(
    Horizon(
        style, Rule("adamw", 1e-5), epoch=2, pairs=16,
        supervision=Supervision("correct", 24, 16, 2e-5), objectives=("DPO", "SimPO", "CPO"),
        updates=(8, 16, 24), anchors=7, pretrained=True,
    )
    for style in ("long suffix", FREE)
)  # fmt: skip
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("horizon", run_horizon, _PIECES[:4], 100, asked=False),
    "laptop": Inquiry("horizon", run_horizon, _PIECES, 100, asked=False),
    "pretrained": Inquiry("horizon", run_horizon, _OF_PRETRAINED, 2000, asked=False),
}
