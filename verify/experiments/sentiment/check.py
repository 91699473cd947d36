"""The sentiment study of yuan2025, section 4.3, on a small GPT-2 and real tweets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from disband.lm.data.messages import Text
from disband.lm.data.tweets import LABELS, Tweet, responses, split
from disband.lm.model.gpt2 import Batch, join, logp
from disband.lm.scores.grams import pair_gram, token_gram
from disband.lm.training.finetune import sft, train_preferences
from disband.lm.training.optimizers import Rule
from disband.theory.objectives import DPO

from ..gpt2.items import Item, answers, encoded
from ..gpt2.language import Arrays, Language, Report
from ..gpt2.preparation import Draw, both_labels, first, restore

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Settings:
    """Every number of the study, chosen on the seeds 100 to 103 and then kept.

    They show a regime, not a law: with longer supervised fine-tuning the cosines begin negative,
    and at larger rates of DPO, or after more steps, everything falls, the single token too.

    Args:
        language: The language model and the tweets it is trained on.
        sft_steps, sft_batch, sft_rate: Supervised fine-tuning; half of each batch are chosen
            responses and half rejected ones, so that it teaches the style and not the label.
        dpo_steps, dpo_batch, dpo_rate, dpo_warmup, beta: DPO with Adam; each batch has as many
            positive tweets as negative ones.
        eval_pairs: Held-out pairs whose log-probabilities are followed.
        logp_every: Updates between two measurements of them.
        gram_pairs: Of these, the first so many whose Gram is followed.
        gram_every: Updates between two measurements of it.
        token_pairs: Of these, the first so many whose token Gram is taken, before and after.

    Raises:
        ValueError: A batch cannot be shared out as said, or a smaller group of held-out pairs is
            not part of the larger one.
    """

    language: Language = field(default_factory=Language)
    sft_steps: int = 72
    sft_batch: int = 16
    sft_rate: float = 3e-4
    dpo_steps: int = 36
    dpo_batch: int = 32
    dpo_rate: float = 1e-5
    dpo_warmup: int = 0
    beta: float = 0.1
    eval_pairs: int = 256
    logp_every: int = 6
    gram_pairs: int = 32
    gram_every: int = 6
    token_pairs: int = 8

    def __post_init__(self) -> None:
        if self.sft_batch % 4 or self.dpo_batch % 2:
            raise ValueError(
                "sft_batch is divisible by 4 (two labels, chosen and rejected) and dpo_batch by 2 "
                f"(two labels): got {self.sft_batch} and {self.dpo_batch}; round them"
            )
        if not 0 < self.token_pairs <= self.gram_pairs <= self.eval_pairs:
            raise ValueError(
                "each group of held-out pairs is part of the next: token_pairs <= gram_pairs <= "
                f"eval_pairs, but got {self.token_pairs}, {self.gram_pairs}, {self.eval_pairs}; "
                "enlarge the later ones"
            )


def run(
    settings: Settings,
    style: str,
    seed: int,
    tweets: Sequence[Tweet],
    base: Mapping[str, Array],
    *,
    report: Report = lambda _: None,
) -> Arrays:
    """Fine-tune the language model ``base`` on one style, then prefer, measuring on the way.

    The same seed shows every style the same tweets in the same order.

    Returns:
        ``steps``: DPO updates at which log-probabilities were taken, ``(T,)``;
        ``logp_w``, ``logp_l``: ``(T, eval_pairs)``, nats;
        ``gram_steps``: updates at which Grams were taken, ``(G,)``;
        ``sq_w``, ``sq_l``, ``dot``: ``(G, gram_pairs)``;
        for prefix+suffix also ``token_gram``: before and after DPO,
        ``(2, token_pairs, len_w + len_l, len_w + len_l)``, and ``tokens``, ``(len_w + len_l,)``.

    Raises:
        ValueError: An unknown style, or too few tweets for the settings.
    """
    model, tokenizer = restore(base)
    training, held_out = split(tweets, settings.language.split)
    updates = settings.sft_steps + settings.dpo_steps
    order = Draw(training, np.random.default_rng([seed, 1]))
    demonstrations = [order.batch(settings.sft_batch) for _ in range(settings.sft_steps)]
    contests = [order.batch(settings.dpo_batch) for _ in range(settings.dpo_steps)]

    def batch(group: Sequence[Item], said: Sequence[Text]) -> Batch:
        return encoded(tokenizer, group, said, settings.language.longest_prompt)

    def pairs(group: Sequence[Item]) -> tuple[Batch, Batch]:
        chosen, rejected = zip(*(answers(style, t, t.label) for t in group), strict=True)
        return batch(group, chosen), batch(group, rejected)

    def demonstration(group: Sequence[Item]) -> Batch:
        return batch(group, both_labels(style, group))

    watched = pairs(first(held_out, settings.eval_pairs))
    measured = pairs(first(held_out, settings.gram_pairs))
    series: dict[str, list[Array]] = {}

    def measure(step: int) -> None:
        if step % settings.logp_every == 0 or step == settings.dpo_steps:
            with torch.no_grad():
                logp_w, logp_l = logp(model, join(*watched)).double().chunk(2)
            _append(series, steps=step, logp_w=logp_w.numpy(), logp_l=logp_l.numpy())
        if step % settings.gram_every == 0 or step == settings.dpo_steps:
            gram = pair_gram(model, *measured)
            _append(series, gram_steps=step, sq_w=gram.sq_w, sq_l=gram.sq_l, dot=gram.dot)
        if style == "prefix+suffix" and step in (0, settings.dpo_steps):
            rows = range(settings.token_pairs)
            grams = [token_gram(model, *(b.row(i) for b in measured)) for i in rows]
            _append(series, token_gram=np.stack(grams))
        report((settings.sft_steps + step) / updates)

    sft(
        model,
        [demonstration(group) for group in demonstrations],
        rate=settings.sft_rate,
        after=lambda step: report(step / updates),
    )
    train_preferences(
        model,
        [pairs(group) for group in contests],
        DPO,
        rule=Rule("adam", settings.dpo_rate, settings.dpo_warmup),
        after=measure,
        beta=settings.beta,
    )
    arrays = {name: np.stack(values) for name, values in series.items()}
    if style == "prefix+suffix":
        texts = responses(style, LABELS[0])
        ids = [i for text in texts for i in tokenizer.encode(text, add_special_tokens=False)]
        arrays["tokens"] = np.array([tokenizer.decode([i]) for i in ids])
    return arrays


def _append(series: dict[str, list[Array]], **values: Any) -> None:
    for name, value in values.items():
        series.setdefault(name, []).append(np.asarray(value))
