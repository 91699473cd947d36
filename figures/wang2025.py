"""Figures of wang2025, "What Is Preference Optimization Doing, How and Why?", on toy worlds.

All of them show arrays of :func:`disband.verify.experiments.toys.dynamics_curves.curves`: means
over worlds with their 95 % intervals.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from disband.verify.experiments.toys.dynamics import LINEAR, RESPONSES, SEEDS, TOKENS
from disband.verify.experiments.toys.dynamics_curves import ABLATIONS, EXPLORING, LINES

from .drawing import Drawing, Row
from .style import (
    CHOSEN,
    LOOKS,
    PAGE,
    REJECTED,
    Array,
    Look,
    draw,
    handles_of,
    legend,
    panels,
    styled,
    zero_line,
)

Arrays = Mapping[str, Array]

TOTAL = Look("#3C3C3C", "-", "o")
PART_LOOKS = (TOTAL, CHOSEN, REJECTED, LOOKS[0])
SHOWN = ("DPO", "DPO, small batches", "PPO, exact", "PPO")
METHOD_LOOKS = (CHOSEN, LOOKS[0], REJECTED, LOOKS[1])
WORLD_LOOKS = {RESPONSES: CHOSEN, LINEAR: LOOKS[0], TOKENS: REJECTED}
_BASIS = f"Means over {len(SEEDS)} drawn worlds; shades and bars are their 95 % intervals."
WORLD_WORDS = {
    RESPONSES: "whole responses",
    LINEAR: "overlapping contexts",
    TOKENS: "responses of three tokens",
}


@styled
def target_picture(arrays: Arrays) -> Drawing:
    """G and its three parts over training, four methods in the world of whole responses.

    Thick lines and their bands are means over worlds; the thin line is G in one world alone,
    which shows whether the target is steady.
    """
    figure, rows = panels(2, 2, (PAGE, 4.6))
    flat = [axes for row in rows for axes in row]
    for axes, method in zip(flat, SHOWN, strict=True):
        parts = arrays[f"{RESPONSES}/{method}/parts"]
        single = arrays[f"{RESPONSES}/{method}/one"][0]
        updates = np.arange(parts.shape[-1])
        zero_line(axes)
        axes.plot(updates, single, color="#8A8A8A", linewidth=0.6, label="G in one world alone")
        for line, (look, label) in enumerate(zip(PART_LOOKS, LINES, strict=True)):
            _band(axes, updates, parts[:, line], look, label)
        axes.set_title(method)
        low, high = parts[:, :].min(), parts.max()
        axes.set_ylim(low - 0.25 * (high - low), high + 0.25 * (high - low))
    for axes in rows[-1]:
        axes.set_xlabel("updates done")
    for row in rows:
        row[0].set_ylabel("G per unit of step size")
    legend(figure, *handles_of(flat))
    totals = {m: arrays[f"{RESPONSES}/{m}/parts"][0].sum(-1) for m in SHOWN}
    rises = [m for m in SHOWN if totals[m][1 + LINES[1:].index("reweighting")] > 0]
    return Drawing(
        figure,
        f"Over training the reweighting serves the final responses under {len(rises)} of "
        f"{len(SHOWN)} methods ({', '.join(rises) or 'none'}).",
        f"{_BASIS} The two rows have scales of their own.",
        "Four panels, one a method: updates to the right, what an update does for the responses "
        "that training ends with upward, as a whole and in three parts.",
        [row for method in SHOWN for line, label in enumerate(LINES)
         for row in _curve_rows(arrays[f"{RESPONSES}/{method}/parts"][:, line],
                                method=method, part=label)],
    )  # fmt: skip


def _curve_rows(three: Array, **names: str) -> list[Row]:
    mean, low, high = three
    return [{**names, "update": t, "mean": float(m), "low": float(a), "high": float(b)}
            for t, (m, a, b) in enumerate(zip(mean, low, high, strict=True))]  # fmt: skip


@styled
def exploration_picture(arrays: Arrays) -> Drawing:
    """Entropy over training, and entropy against reward: what negative learning does to both."""
    figure, (row,) = panels(1, 2, (PAGE, 2.9))
    left, right = row
    ends = {}
    rows: list[Row] = []
    for method, look in zip(EXPLORING, METHOD_LOOKS, strict=True):
        entropy, reward = (arrays[f"{RESPONSES}/{method}/{k}"] for k in ("entropy", "reward"))
        _band(left, np.arange(entropy.shape[-1]), entropy, look, method)
        draw(right, reward[0], entropy[0], look, method)
        ends[method] = float(entropy[0, -1])
        for quantity, values in (("entropy", entropy), ("reward", reward)):
            rows += _curve_rows(values, method=method, quantity=quantity)
    left.set(xlabel="updates done", ylabel="entropy of responses (nats)")
    right.set(xlabel="mean reward", ylabel="entropy of responses (nats)")
    legend(figure, *handles_of([left]))
    said = ", ".join(f"{method} {entropy:.2f}" for method, entropy in ends.items())
    return Drawing(
        figure,
        f"Entropy at the end, in nats: {said}.",
        _BASIS,
        "Left, entropy over updates; right, entropy over mean reward; a line a method.",
        rows,
    )


@styled
def ablation_picture(arrays: Arrays) -> Drawing:
    """What dropping or scaling a component gains in true reward at equal drift, by world."""
    figure, (row,) = panels(1, 2, (PAGE, 3.7))
    rows: list[Row] = []
    for axes, (whole, others) in zip(row, ABLATIONS.items(), strict=True):
        axes.axvline(0, color="#555555", linewidth=0.8, zorder=1)
        words = [other.removeprefix(f"{whole} ").removeprefix(f"{whole}, ") for other in others]
        for shift, (world, look) in enumerate(WORLD_LOOKS.items()):
            for place, other in enumerate(others):
                gain = arrays.get(f"{world}/{other}/gain")
                if gain is None:
                    continue
                height = -place - 0.22 * (shift - 1)
                axes.plot(gain[1:], [height, height], color=look.color, linewidth=1.3)
                label = WORLD_WORDS[world] if place == 0 else None
                axes.plot(
                    gain[0], height, color=look.color, marker=look.marker, linestyle="none",
                    label=label,
                )  # fmt: skip
                mean, low, high = map(float, gain)
                rows.append({"against": whole, "variant": words[place], "world": WORLD_WORDS[world],
                             "gain": mean, "low": low, "high": high})  # fmt: skip
        axes.set_yticks(
            -np.arange(len(others)), [w.replace("without ", "without\n") for w in words]
        )
        axes.set_title(f"against {whole}")
        axes.locator_params(axis="x", nbins=5)
    figure.supxlabel("reward gained at equal divergence from the reference")
    legend(figure, *handles_of(row))
    costs = {whole: [r["variant"] for r in rows if r["against"] == whole and r["high"] < 0]
             for whole in ABLATIONS}  # fmt: skip
    full = {whole: [v for v in dict.fromkeys(its) if its.count(v) == len(WORLD_LOOKS)]
            for whole, its in costs.items()}  # fmt: skip
    said = "; ".join(f"of {whole}, {', '.join(its) or 'none'}" for whole, its in full.items())
    return Drawing(
        figure,
        f"What costs reward in all {len(WORLD_LOOKS)} kinds of world: {said}.",
        _BASIS,
        "Two panels: changes of DPO and of PPO downward, the reward they gain to the right, a mark "
        "with its interval for each kind of world.",
        rows,
    )


def _band(axes: Axes, x: Any, three: Array, look: Look, label: str) -> None:
    axes.fill_between(x, three[1], three[2], color=look.color, alpha=0.18, linewidth=0)
    draw(axes, x, three[0], look, label)
