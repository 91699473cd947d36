"""What can be set in the explorer: every slider and number, its range and where it starts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Literal

from disband.sims.pairs.studies import EDIT_ONE_SHARED, SINGLE_TOKEN

from ..terminal.pair import Pair

Scale = Literal["linear", "log", "whole"]
_SINGLE, _EDIT = SINGLE_TOKEN.defaults, EDIT_ONE_SHARED.defaults
# The toys start from numbers that numpy drew; the page holds so many of them.
MOST_PREFIX, MOST_SUFFIX, MOST_TOKENS, MOST_SEEDS = 6, 16, 20, 5
MOST_ROWS = MOST_PREFIX + 1 + MOST_SUFFIX


@dataclass(frozen=True)
class Control:
    """One number that a reader sets.

    Args:
        key: Its name in the page and in the page's address.
        group: Where it stands: ``pair``, ``scores``, ``path``, ``horizon``, ``toy``, ``single`` or
            ``edit``.
        label: What a reader sees.
        low: The slider's lower end.
        high: Its upper end.
        start: Where it stands at first.
        scale: Whether the slider is linear, logarithmic or of whole numbers.
        least: The least number that may be typed; ``None`` for any.
        most: The largest number that may be typed; ``None`` for any.
    """

    key: str
    group: str
    label: str
    low: float
    high: float
    start: float
    scale: Scale = "linear"
    least: float | None = None
    most: float | None = None

    def record(self) -> dict[str, Any]:
        """Return the control as plain data."""
        return asdict(self)


CONTROLS = (
    Control("margin", "pair", "reward margin, nats", -20, 20, 0),
    Control("shift", "pair", "both moved by, nats", -20, 20, 0),
    Control("ref_w", "pair", "log π_ref of chosen", -100, -1, -20, most=-1e-9),
    Control("ref_l", "pair", "log π_ref of rejected", -100, -1, -20, most=-1e-9),
    Control("len_w", "pair", "tokens of chosen", 1, 200, Pair.len_w, "whole", least=1),
    Control("len_l", "pair", "tokens of rejected", 1, 200, Pair.len_l, "whole", least=1),
    Control("cosine", "scores", "cosine ρ", -1, 1, 0.9, least=-1, most=1),
    Control("norm_ratio", "scores", "norm ratio r* = ‖b‖/‖a‖", 0.1, 10, 1.3, "log", 1e-6, 1e6),
    Control("way", "path", "training goes on for, nats", 0, 40, 10, least=0, most=1000),
    Control("ahead", "horizon", "steps ahead", 10, 400, 100, "whole", 1, 2000),
    Control("candidates", "single", "candidates", 2, 20, _SINGLE["candidates"], "whole", 2, 20),
    Control("hidden_norm", "single", "‖h‖", 0.1, 10, _SINGLE["hidden_norm"], "log", 0.01, 100),
    Control("prefix", "edit", "tokens before", 0, MOST_PREFIX, _EDIT["prefix"], "whole", 0,
            MOST_PREFIX),
    Control("suffix", "edit", "tokens after", 0, MOST_SUFFIX, _EDIT["suffix"], "whole", 0,
            MOST_SUFFIX),
    Control("offset", "edit", "context offset, nats", -5, 5, _EDIT["offset"], least=-50, most=50),
    Control("spread", "edit", "spread of logits", 0, 3, _EDIT["spread"], least=0, most=20),
    Control("seed", "edit", "seed", 0, MOST_SEEDS - 1, _EDIT["seed"], "whole", 0, MOST_SEEDS - 1),
    Control("vocabulary", "toy", "vocabulary", 2, MOST_TOKENS, _EDIT["vocabulary"], "whole", 2,
            MOST_TOKENS),
    Control("rate", "toy", "step size, times the usual", 0.01, 100, 1, "log", 1e-9, 1e9),
)  # fmt: skip

# Pairs to begin from, as numbers of the first tab; what is not named is as at the start.
PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "a typical DPO pair": {"cosine": 0.9, "norm_ratio": 1.3},
        "a long rejected response": {"cosine": 0.6, "norm_ratio": 2.5, "len_l": 40, "ref_l": -80},
        "a long chosen response": {"cosine": 0.6, "norm_ratio": 0.4, "len_w": 40, "ref_w": -80},
        "almost the same text": {"cosine": 0.99, "norm_ratio": 1.02},
        "nothing in common": {"cosine": 0.0, "norm_ratio": 1.0},
        "late in training": {"cosine": 0.9, "norm_ratio": 1.3, "margin": 12, "shift": -9},
        "the chosen has fallen": {"cosine": 0.8, "norm_ratio": 1.3, "margin": -6, "shift": -6},
    }
)
