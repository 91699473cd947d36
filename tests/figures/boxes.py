"""Where the words of a figure stand: its legends, titles, labels and notes as boxes."""

from itertools import combinations

from matplotlib.text import Text

SLACK = 1.0  # pixels, at the 100 a figure has to the inch


def boxes(figure):
    """The words of a figure with their boxes, as they stand when it is drawn."""
    figure.draw_without_rendering()
    renderer = figure._get_renderer()
    hidden = {id(label) for axes in figure.axes for label in _off(axes)}
    hidden |= {id(t) for axes in figure.axes if not axes.axison for t in _of_axes(axes)}
    found = figure.findobj(lambda one: isinstance(one, Text) and one.get_visible())
    shown = {id(text): text for text in found if text.get_text().strip() and id(text) not in hidden}
    # a note without the line that leads from it
    return [(one.get_text(), Text.get_window_extent(one, renderer)) for one in shown.values()]


def _axes(axes):
    return (axes.xaxis, axes.yaxis)


def _of_axes(axes):
    return [t for axis in _axes(axes) for t in (*axis.get_ticklabels(which="both"), axis.label)]


def _off(axes):
    """Labels of ticks beyond the ends of their axis, which matplotlib makes and does not draw."""
    for axis in _axes(axes):
        low, high = sorted(axis.get_view_interval())
        room = 1e-6 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - room <= tick.get_loc() <= high + room or not axis.get_visible():
                yield from (tick.label1, tick.label2)


def outside(figure, words):
    """Words and legends that the canvas cuts."""
    canvas = figure.bbox
    renderer = figure._get_renderer()
    every = [
        *words,
        *(("legend", one.get_window_extent(renderer)) for one in legends(figure)),
    ]
    return [
        word
        for word, box in every
        if box.x0 < canvas.x0 - SLACK or box.y0 < canvas.y0 - SLACK
        or box.x1 > canvas.x1 + SLACK or box.y1 > canvas.y1 + SLACK
    ]  # fmt: skip


def overlapping(words):
    """Pairs of words of which one stands on the other."""
    return [
        (one, other)
        for (one, a), (other, b) in combinations(words, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > SLACK and min(a.y1, b.y1) - max(a.y0, b.y0) > SLACK
    ]


def legends(figure):
    return [*figure.legends, *(axes.get_legend() for axes in figure.axes if axes.get_legend())]


def on_data(figure):
    """Legends that stand on a panel."""
    renderer = figure._get_renderer()
    return [
        [text.get_text() for text in legend.get_texts()]
        for legend in legends(figure)
        for axes in figure.axes
        if axes.axison and _common(legend.get_window_extent(renderer), axes.get_window_extent()) > 0
    ]


def _common(a, b):
    wide = min(a.x1, b.x1) - max(a.x0, b.x0) - SLACK
    high = min(a.y1, b.y1) - max(a.y0, b.y0) - SLACK
    return wide * high if wide > 0 and high > 0 else 0.0
