"""Figures of wang2025, "What Is Preference Optimization Doing, How and Why?", on toy worlds.

All of them show arrays of :func:`disband.verify.experiments.toys.dynamics_curves.curves`: means
over worlds with their 95 % intervals.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disband.verify.experiments.toys.dynamics import LINEAR, RESPONSES, TOKENS
from disband.verify.experiments.toys.dynamics_curves import ABLATIONS, EXPLORING, LINES

from .style import CHOSEN, LOOKS, REJECTED, Array, Look, draw, panels, styled, zero_line

Arrays = Mapping[str, Array]

TOTAL = Look("#3C3C3C", "-", "o")
PART_LOOKS = (TOTAL, CHOSEN, REJECTED, LOOKS[0])
SHOWN = ("DPO", "DPO, small batches", "PPO, exact", "PPO")
METHOD_LOOKS = (CHOSEN, LOOKS[0], REJECTED, LOOKS[1])
WORLD_LOOKS = {RESPONSES: CHOSEN, LINEAR: LOOKS[0], TOKENS: REJECTED}
WORLD_WORDS = {
    RESPONSES: "whole responses",
    LINEAR: "overlapping contexts",
    TOKENS: "responses of three tokens",
}


@styled
def target_picture(arrays: Arrays) -> Figure:
    """G and its three parts over training, four methods in the world of whole responses.

    Thick lines and their bands are means over worlds; the thin line is G in one world alone,
    which shows whether the target is steady.
    """
    figure, rows = panels(2, 2, (9.6, 6.6))
    flat = [axes for row in rows for axes in row]
    for axes, method in zip(flat, SHOWN, strict=True):
        parts = arrays[f"{RESPONSES}/{method}/parts"]
        single = arrays[f"{RESPONSES}/{method}/one"][0]
        updates = np.arange(parts.shape[-1])
        zero_line(axes)
        axes.plot(updates, single, color="#8A8A8A", linewidth=0.7, label="G in one world alone")
        for line, (look, label) in enumerate(zip(PART_LOOKS, LINES, strict=True)):
            _band(axes, updates, parts[:, line], look, label)
        axes.set_title(method)
        axes.set_xlabel("updates done")
        low, high = parts[:, :].min(), parts.max()
        axes.set_ylim(low - 0.25 * (high - low), high + 0.25 * (high - low))
    for row in rows:
        row[0].set_ylabel("G per unit of step size")
    handles, labels = flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


@styled
def exploration_picture(arrays: Arrays) -> Figure:
    """Entropy over training, and entropy against reward: what negative learning does to both."""
    figure, (row,) = panels(1, 2, (9.6, 4.0))
    left, right = row
    for method, look in zip(EXPLORING, METHOD_LOOKS, strict=True):
        entropy, reward = (arrays[f"{RESPONSES}/{method}/{k}"] for k in ("entropy", "reward"))
        _band(left, np.arange(entropy.shape[-1]), entropy, look, method)
        draw(right, reward[0], entropy[0], look, method)
    left.set(xlabel="updates done", ylabel="entropy of responses (nats)")
    right.set(xlabel="mean reward", ylabel="entropy of responses (nats)")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


@styled
def ablation_picture(arrays: Arrays) -> Figure:
    """What dropping or scaling a component gains in true reward at equal drift, by world."""
    figure, (row,) = panels(1, 2, (11.0, 4.6))
    for axes, (whole, others) in zip(row, ABLATIONS.items(), strict=True):
        axes.axvline(0, color="#555555", linewidth=0.9, zorder=1)
        for shift, (world, look) in enumerate(WORLD_LOOKS.items()):
            for place, other in enumerate(others):
                gain = arrays.get(f"{world}/{other}/gain")
                if gain is None:
                    continue
                height = -place - 0.22 * (shift - 1)
                axes.plot(gain[1:], [height, height], color=look.color, linewidth=1.6)
                label = WORLD_WORDS[world] if place == 0 else None
                axes.plot(
                    gain[0], height, color=look.color, marker=look.marker, linestyle="none",
                    label=label,
                )  # fmt: skip
        words = [other.removeprefix(f"{whole} ").removeprefix(f"{whole}, ") for other in others]
        axes.set_yticks(-np.arange(len(others)), words)
        axes.set_xlabel("reward gained at equal divergence from the reference")
        axes.set_title(f"against {whole}")
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _band(axes: Axes, x: Any, three: Array, look: Look, label: str) -> None:
    axes.fill_between(x, three[1], three[2], color=look.color, alpha=0.18, linewidth=0)
    draw(axes, x, three[0], look, label)
