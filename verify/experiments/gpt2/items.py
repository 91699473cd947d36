"""What a run trains on: tweets that a response style answers, or preference pairs of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from disband.lm.data.messages import Text
from disband.lm.data.preferences import Preference
from disband.lm.data.tokenize import Cut, TokenPair, batches, tokenize
from disband.lm.data.tweets import LABELS, SplitSettings, Tweet, rank, responses, split
from disband.lm.model.gpt2 import Batch, TextTokenizer, encode

GIVEN: tuple[str, str] = ("as given", "exchanged")
LONGEST = 512  # tokens of a pair of one's own, prompt and response together


@dataclass(frozen=True)
class Given:
    """A preference pair of the user's, where a tweet takes its responses from a style.

    Args:
        pair: Prompt and responses.
        label: ``as given``, or ``exchanged`` where the control exchanges the responses.
    """

    pair: Preference
    label: Literal["as given"] = "as given"

    @property
    def text(self) -> str:
        """The prompt in words, which decides the part of the data that the pair falls in."""
        prompt = self.pair.prompt
        return prompt if isinstance(prompt, str) else "\n".join(m.content for m in prompt)


Item = Tweet | Given


def labels_of(items: Sequence[Item]) -> tuple[str, str]:
    """The two labels that these items can have."""
    return GIVEN if isinstance(items[0], Given) else (LABELS[0], LABELS[1])


def answers(style: str, item: Item, label: str) -> tuple[Text, Text]:
    """Chosen and rejected response to an item, if it has this label."""
    if isinstance(item, Tweet):
        return responses(style, label)
    both = item.pair.chosen, item.pair.rejected
    return both if label == GIVEN[0] else both[::-1]


def divide(
    items: Sequence[Item], settings: SplitSettings
) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Training and held-out items; tweets as :func:`disband.lm.data.tweets.split` divides them.

    Pairs with one prompt fall on one side, by a hash of the prompt.

    Raises:
        ValueError: A side would be empty.
    """
    tweets = [item for item in items if isinstance(item, Tweet)]
    if tweets:
        return split(tweets, settings)
    held_out = [rank(item.text) < settings.eval_share for item in items]
    if len(set(held_out)) < 2:
        raise ValueError(
            "some prompts are trained on and others held out, by a hash of their text: all "
            f"{len(items)} pairs fell on one side; give pairs with more different prompts"
        )
    sides = list(zip(items, held_out, strict=True))
    return tuple(i for i, out in sides if not out), tuple(i for i, out in sides if out)


def encoded(
    tokenizer: TextTokenizer,
    items: Sequence[Item],
    said: Sequence[Text],
    longest_prompt: int,
    positions: int | None = None,
) -> Batch:
    """Batch of items with these responses.

    A tweet is cut to ``longest_prompt`` tokens. Of a pair of one's own, to fit into the model's
    ``positions``, the prompt loses its beginning but for one token, and then the response its end.
    """
    if isinstance(items[0], Tweet):
        return encode(tokenizer, [i.text for i in items], [str(s) for s in said], longest_prompt)
    pairs = [Preference(i.pair.prompt, s, s) for i, s in zip(items, said, strict=True)]  # type: ignore[union-attr]
    longest = min(LONGEST, positions or LONGEST)
    whole = tokenize(tokenizer, pairs, Cut(None))
    return batches(tokenizer, [_fitted(pair, longest) for pair in whole])[0]


def _fitted(pair: TokenPair, longest: int) -> TokenPair:
    said = pair.chosen[: longest - 1]
    return TokenPair(pair.context[-max(1, longest - len(said)) :], said, said)
