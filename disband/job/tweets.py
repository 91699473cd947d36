"""The tweets of the language-model check, and whether it can be run, seen before the long work."""

from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..terminal.errors import Refusal, user_input

if TYPE_CHECKING:
    from disband.lm.data.tweets import Tweet
    from disband.verify.experiments.sentiment.check import Settings

_LIBRARIES = ("torch", "transformers", "tokenizers")


def read_corpus(source: str | None) -> "tuple[tuple[Tweet, ...], dict[str, Any]]":
    """Return the tweets of ``source`` and where they come from.

    Raises:
        Refusal: They cannot be read, or a library that trains language models is missing.
    """
    if missing := [name for name in _LIBRARIES if find_spec(name) is None]:
        raise Refusal(
            f"the language-model check needs {', '.join(missing)}: not installed; "
            "run pip install 'disband[lm]', or leave the check out with --no-lm"
        )
    from disband.lm.data.tweets import read_tweets as read

    with user_input():
        corpus = read(source)
    return corpus.tweets, {**asdict(corpus.origin), "dropped": corpus.dropped}


def require_enough(tweets: "tuple[Tweet, ...]", settings: "Settings") -> None:
    """See that training, which shows each tweet at most once, will not run out of them.

    Raises:
        Refusal: There are too few tweets.
    """
    from disband.lm.data.tweets import split

    needed = (
        settings.sft_steps * settings.sft_batch + settings.dpo_steps * settings.dpo_batch,
        settings.eval_pairs,
    )
    with user_input():
        training, held_out = split(tweets, settings.language.split)
    if len(training) < needed[0] or len(held_out) < needed[1]:
        raise Refusal(
            f"the check needs {needed[0]} tweets to train on and {needed[1]} held out, as many "
            f"positive as negative: got {len(training)} and {len(held_out)}; give more tweets"
        )
