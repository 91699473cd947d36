"""Token scores of real pairs for ``disband explore``: from a run's folder, or the recorded ones.

``python -m disband.explorer.tokens`` records the ones that come with the project: seed 0 of the
sentiment check of ``disband verify``, the style prefix+suffix alone. It takes minutes.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disband.verify.kept.files import json_text, write_text
from disband.verify.kept.provenance import provenance

Record = dict[str, Any]

STYLE = "prefix+suffix"
RECORDED = Path(__file__).with_name("tokens.json")
COMMAND = "disband verify"
DIGITS = 6


def recorded() -> Record:
    """Return the token products that come with the project, with their provenance."""
    found: Record = json.loads(RECORDED.read_text("utf-8"))
    return found


def saved(folder: Path) -> Record | None:
    """Return the token products that ``disband verify`` left in ``folder``, if it left any.

    Raises:
        ValueError: The file is there, but no run left it.
    """
    from ..job.drawn import FILE, kept

    path = folder / "steps" / FILE
    if not path.is_file():
        return None
    runs = {
        seed: run for (seed, style), run in kept(path.parent).sentiment.items() if style == STYLE
    }
    runs = {seed: run for seed, run in runs.items() if "token_gram" in run}
    if not runs:
        return None
    seed = min(runs)
    return record(runs[seed], {"from": str(path), "seed": seed})


def record(run: Mapping[str, NDArray[Any]], origin: Mapping[str, Any]) -> Record:
    """Return the token products of a run's pairs as plain data.

    The responses follow a pattern and hold nothing of the tweets, which are known by number only.
    ``tokens`` are those of pairs whose tweet is positive; held-out tweets alternate in label, so
    every second pair is left out.

    Args:
        run: ``token_gram``, before and after, ``(2, pairs, k, k)``, and ``tokens``, ``(k,)``, those
            of the chosen response before those of the rejected one.
        origin: Where they come from.

    Raises:
        ValueError: The two responses differ in length, and nothing says where one ends.
    """
    tokens = [str(token) for token in run["tokens"]]
    length, rest = divmod(len(tokens), 2)
    if rest:
        raise ValueError(
            f"the two responses have equally many tokens: got {len(tokens)} in both together; "
            f"give a run of {STYLE}"
        )
    return {
        "provenance": dict(origin),
        "chosen": tokens[:length],
        "rejected": tokens[length:],
        "when": ["before DPO", "after DPO"],
        "products": _rounded(np.asarray(run["token_gram"], float)[:, ::2]),
    }


def _rounded(products: NDArray[np.float64]) -> list[Any]:
    """Return numbers of six digits, which a page can show and a person can read."""
    digits = np.vectorize(lambda v: float(f"{v:.{DIGITS}g}"), otypes=[float])
    rounded: list[Any] = digits(products).tolist()
    return rounded


def main() -> None:
    """Train the model of seed 0 and record its token products."""
    from dataclasses import asdict

    import torch

    from disband.lm.data.tweets import data_hash, load_tweets
    from disband.verify.experiments.gpt2.language import language_model
    from disband.verify.experiments.sentiment.check import Settings, run

    torch.set_num_threads(1)
    settings, seed, tweets = Settings(), 0, load_tweets(None)
    base = language_model(settings.language, seed, tweets, lambda _: None)
    arrays = run(settings, STYLE, seed, tweets, base)
    origin = provenance() | {
        "command": "python -m disband.explorer.tokens",
        "seed": seed,
        "style": STYLE,
        "settings": asdict(settings),
        "data": data_hash(tweets),
        "digits": DIGITS,
    }
    write_text(RECORDED, json_text(record(arrays, origin), indent=None) + "\n")


if __name__ == "__main__":
    main()
