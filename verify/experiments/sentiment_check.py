"""The sentiment study of yuan2025, section 4.3, on a small GPT-2 and real tweets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from theory.objectives import DPO
from verify.finetune import sft, train_language_model, train_preferences
from verify.gpt2 import (
    Batch,
    Model,
    TextTokenizer,
    encode,
    join,
    logp,
    new_model,
    train_tokenizer,
    wrap_tokenizer,
)
from verify.scores import pair_gram, token_gram
from verify.sentiment import LABELS, STYLES, SplitSettings, Tweet, responses, split

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
Report = Callable[[float], None]


@dataclass(frozen=True)
class Settings:
    """Every number of the study, chosen on the seeds 100 to 103 and then kept.

    They show a regime, not a law: with longer supervised fine-tuning the cosines begin negative,
    and at larger rates of DPO, or after more steps, everything falls, the single token too.

    Args:
        layers, heads, width, vocabulary: Size of the GPT-2, which starts from random weights.
        longest_prompt: Tokens kept of a tweet.
        lm_steps, lm_batch, lm_block, lm_rate: Language modelling on the tweets: updates, blocks
            in an update, tokens in a block, first learning rate of Adam.
        sft_steps, sft_batch, sft_rate: Supervised fine-tuning; half of each batch are chosen
            responses and half rejected ones, so that it teaches the style and not the label.
        dpo_steps, dpo_batch, dpo_rate, dpo_warmup, beta: DPO with Adam; each batch has as many
            positive tweets as negative ones.
        eval_pairs: Held-out pairs whose log-probabilities are followed.
        logp_every: Updates between two measurements of them.
        gram_pairs: Of these, the first so many whose Gram is followed.
        gram_every: Updates between two measurements of it.
        token_pairs: Of these, the first so many whose token Gram is taken, before and after.
        split: How tweets are divided into training and held-out ones.

    Raises:
        ValueError: A batch cannot be shared out as said, or a smaller group of held-out pairs is
            not part of the larger one.
    """

    layers: int = 4
    heads: int = 4
    width: int = 128
    vocabulary: int = 4096
    longest_prompt: int = 24
    lm_steps: int = 400
    lm_batch: int = 16
    lm_block: int = 64
    lm_rate: float = 2e-3
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
    split: SplitSettings = field(default_factory=SplitSettings)

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


def language_model(
    settings: Settings, seed: int, tweets: Sequence[Tweet], report: Report
) -> Arrays:
    """Train tokenizer and model of one seed; return them as arrays.

    Returns:
        ``tokenizer``: its JSON text as bytes; ``loss``: final training loss, nats per token;
        ``weight/<name>``: the parameters.
    """
    training, _ = split(tweets, settings.split)
    sentences = sorted({text for style in STYLES for text in responses(style, LABELS[0])})
    tokenizer = train_tokenizer([t.text for t in training], sentences, settings.vocabulary)
    model = _empty_model(settings, tokenizer, seed)
    rng = np.random.default_rng([seed, 0])
    end = int(tokenizer.eos_token_id)
    stream: list[int] = []
    for index in rng.permutation(len(training)):
        stream += [end, *tokenizer.encode(training[index].text, add_special_tokens=False)]
    loss = train_language_model(
        model,
        torch.tensor(stream),
        steps=settings.lm_steps,
        batch=settings.lm_batch,
        block=settings.lm_block,
        rate=settings.lm_rate,
        rng=rng,
        after=lambda step: report(step / settings.lm_steps),
    )
    text = tokenizer.backend_tokenizer.to_str().encode()
    weights = {f"weight/{name}": p.detach().numpy() for name, p in model.named_parameters()}
    return {"tokenizer": np.frombuffer(text, np.uint8), "loss": np.array(loss), **weights}


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
    tokenizer = wrap_tokenizer(base["tokenizer"].tobytes().decode())
    model = _empty_model(settings, tokenizer, seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(base[f"weight/{name}"]))
    training, held_out = split(tweets, settings.split)
    updates = settings.sft_steps + settings.dpo_steps
    order = _Draw(training, np.random.default_rng([seed, 1]))
    demonstrations = [order.batch(settings.sft_batch) for _ in range(settings.sft_steps)]
    contests = [order.batch(settings.dpo_batch) for _ in range(settings.dpo_steps)]

    def pairs(group: Sequence[Tweet]) -> tuple[Batch, Batch]:
        chosen, rejected = zip(*(responses(style, t.label) for t in group), strict=True)
        prompts = [t.text for t in group]
        longest = settings.longest_prompt
        return (
            encode(tokenizer, prompts, chosen, longest),
            encode(tokenizer, prompts, rejected, longest),
        )

    def demonstration(group: Sequence[Tweet]) -> Batch:
        prompts = [t.text for t in group]
        return encode(tokenizer, prompts, both_labels(style, group), settings.longest_prompt)

    watched = pairs(_first(held_out, settings.eval_pairs))
    measured = pairs(_first(held_out, settings.gram_pairs))
    found: dict[str, list[Array]] = {}

    def measure(step: int) -> None:
        if step % settings.logp_every == 0 or step == settings.dpo_steps:
            with torch.no_grad():
                logp_w, logp_l = logp(model, join(*watched)).double().chunk(2)
            _append(found, steps=step, logp_w=logp_w.numpy(), logp_l=logp_l.numpy())
        if step % settings.gram_every == 0 or step == settings.dpo_steps:
            gram = pair_gram(model, *measured)
            _append(found, gram_steps=step, sq_w=gram.sq_w, sq_l=gram.sq_l, dot=gram.dot)
        if style == "prefix+suffix" and step in (0, settings.dpo_steps):
            rows = range(settings.token_pairs)
            grams = [token_gram(model, *(b.row(i) for b in measured)) for i in rows]
            _append(found, token_gram=np.stack(grams))
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
        rate=settings.dpo_rate,
        warmup=settings.dpo_warmup,
        after=measure,
        beta=settings.beta,
    )
    arrays = {name: np.stack(values) for name, values in found.items()}
    if style == "prefix+suffix":
        texts = responses(style, LABELS[0])
        ids = [i for text in texts for i in tokenizer.encode(text, add_special_tokens=False)]
        arrays["tokens"] = np.array([tokenizer.decode([i]) for i in ids])
    return arrays


def both_labels(style: str, group: Sequence[Tweet]) -> list[str]:
    """Responses that are right for one half of each label's tweets, if the labels alternate."""
    return [responses(style, t.label)[i // 2 % 2] for i, t in enumerate(group)]


class _Draw:
    """Deals the tweets of each label in random order, each at most once."""

    def __init__(self, tweets: Sequence[Tweet], rng: np.random.Generator) -> None:
        by_label = [[t for t in tweets if t.label == label] for label in LABELS]
        self._decks = [[group[i] for i in rng.permutation(len(group))] for group in by_label]

    def batch(self, size: int) -> list[Tweet]:
        if min(map(len, self._decks)) < size // 2:
            raise ValueError(
                "each tweet is trained on at most once, and the tweets of one label are used up; "
                "give more tweets, or fewer or smaller batches in the settings"
            )
        return [deck.pop() for _ in range(size // 2) for deck in self._decks]


def _empty_model(settings: Settings, tokenizer: TextTokenizer, seed: int) -> Model:
    longest_answer = max(len(tokenizer.encode(responses(style, LABELS[0])[0])) for style in STYLES)
    return new_model(
        vocabulary=len(tokenizer),
        layers=settings.layers,
        heads=settings.heads,
        width=settings.width,
        positions=max(settings.lm_block, settings.longest_prompt + 1 + longest_answer),
        seed=seed,
    )


def _first(tweets: Sequence[Tweet], count: int) -> Sequence[Tweet]:
    if len(tweets) < count:
        raise ValueError(
            f"the settings ask for {count} held-out tweets, but there are {len(tweets)}; "
            "give more tweets or smaller settings"
        )
    return tweets[:count]


def _append(found: dict[str, list[Array]], **values: Any) -> None:
    for name, value in values.items():
        found.setdefault(name, []).append(np.asarray(value))
