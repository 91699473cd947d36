"""The pictures of the explorer: empty ones, which the page that holds them fills as it computes.

Every source has a name, by which the page finds it; units and colours are declared here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bokeh.core.enums import SizingMode
from bokeh.models import (
    Arrow,
    ColumnDataSource,
    HoverTool,
    Label,
    LabelSet,
    LinearColorMapper,
    NormalHead,
    Range1d,
    Span,
)
from bokeh.palettes import RdBu11, interp_palette
from bokeh.plotting import figure

from .style import CHOSEN, LOOKS, REJECTED

STEP = LOOKS[1].color
IDEAL = LOOKS[0].color
GREY = "#808080"
# What a page in the dark draws in another colour: each has a name in its style sheet.
PAINTS = {
    CHOSEN.color: "--chosen",
    REJECTED.color: "--rejected",
    STEP: "--step",
    LOOKS[2].color: "--third",
    LOOKS[3].color: "--fourth",
}
_WIDE: SizingMode = "stretch_width"
_HATCH = {"hatch_color": GREY, "hatch_alpha": 0.45, "hatch_weight": 0.7, "hatch_scale": 10}


def source(name: str, *columns: str) -> ColumnDataSource:
    """Return an empty source that the page finds by ``name``."""
    return ColumnDataSource({column: [] for column in columns}, name=name)


def frame(height: int, *, x: tuple[float, float], y: tuple[float, float], **more: Any) -> Any:
    """Return a figure without tools that would catch a finger, as wide as its place."""
    made = figure(
        height=height,
        sizing_mode=_WIDE,
        x_range=Range1d(*x),
        y_range=Range1d(*y),
        tools="",
        toolbar_location=None,
        min_width=100,
        **more,
    )
    made.axis.axis_label_text_font_style = "normal"
    made.axis.axis_label_text_font_size = "13px"
    made.axis.major_label_text_font_size = "12px"
    made.grid.grid_line_alpha = 0.35
    return made


def plane(name: str, ratio: str) -> Any:
    """Return the plane of cosine and log-ratio: the band, a way through it and where it is now.

    The page fills ``NAME.band`` (``x``, ``low``, ``high``, ``bottom``, ``top``), ``NAME.path``,
    ``NAME.end``, ``NAME.mended`` where calibration would lead, ``NAME.other`` of a second
    objective, and ``NAME.point`` (``x``, ``y``).
    """
    made = frame(
        400, x=(-1.0, 1.0), y=(-3.0, 3.0), name=name, x_axis_label="cosine ρ", y_axis_label=ratio
    )
    band = source(f"{name}.band", "x", "low", "high", "bottom", "top")
    areas = (
        ("bottom", "low", CHOSEN.color, "\\", 0.22),
        ("low", "high", IDEAL, " ", 0.22),
        ("high", "top", REJECTED.color, "/", 0.22),
    )
    for low, high, color, hatch, alpha in areas:
        made.varea("x", low, high, source=band, fill_color=color, fill_alpha=alpha,
                   hatch_pattern=hatch, **_HATCH)  # fmt: skip
    for edge in ("low", "high"):
        made.line("x", edge, source=band, line_color=IDEAL, line_width=2)
    words = (
        ("both fall", 0.97, 8, "right", "bottom", "both_fall"),
        ("both rise", 0.97, 8, "right", "top", "both_rise"),
        ("chosen up,\nrejected down", -0.97, 8, "left", "top", "ideal"),
    )
    for text, x, y, align, base, tag in words:
        made.add_layout(
            Label(text=text, x=x, y=y, text_align=align, text_baseline=base, text_font_size="13px",
                  name=f"{name}.{tag}", text_font_style="italic")
        )  # fmt: skip
    path = source(f"{name}.path", "x", "y")
    made.line("x", "y", source=path, line_color=STEP, line_width=3)
    ends = source(f"{name}.end", "x", "y", "angle")
    made.scatter("x", "y", angle="angle", source=ends, marker="triangle", size=13, color=STEP)
    mended = source(f"{name}.mended", "x", "y")
    made.scatter("x", "y", source=mended, marker="diamond", size=13, fill_color="white",
                 line_color=STEP, line_width=2)  # fmt: skip
    other = source(f"{name}.other", "x", "y")
    made.scatter("x", "y", source=other, marker="square", size=12, fill_color=LOOKS[2].color,
                 line_color="white", line_width=2)  # fmt: skip
    point = source(f"{name}.point", "x", "y")
    made.scatter("x", "y", source=point, marker="circle", size=13, fill_color=STEP,
                 line_color="white", line_width=2)  # fmt: skip
    return made


def directions() -> Any:
    """Return where both log-probabilities go in one step, as arrows from zero."""
    made = frame(260, x=(-0.6, 1.6), y=(-1.2, 1.2), name="directions",
                 y_axis_label="change, nats per unit step")  # fmt: skip
    made.xaxis.ticker = [0, 1]
    made.xaxis.major_label_overrides = {0: "chosen", 1: "rejected"}
    made.xgrid.visible = False
    made.add_layout(Span(location=0, dimension="width", line_color=GREY, line_width=1))
    for side, look in (("w", CHOSEN), ("l", REJECTED)):
        moved = source(f"directions.{side}", "x", "y0", "y1", "text")
        _arrow(made, moved, ("x", "y0", "x", "y1"), look.color, 5)
        made.add_layout(
            LabelSet(x="x", y="y1", text="text", source=moved, x_offset=14, text_font_size="13px",
                     text_baseline="middle")
        )  # fmt: skip
    return made


def scores() -> Any:
    """Return both scores and the step of the parameters as arrows in the plane they span."""
    made = frame(260, x=(-1.5, 1.5), y=(-0.5, 1.5), name="scores")
    made.axis.visible = False
    for name, color in (("a", CHOSEN.color), ("b", REJECTED.color), ("step", STEP)):
        where = source(f"scores.{name}", "x0", "y0", "x1", "y1", "x", "y", "text")
        _arrow(made, where, ("x0", "y0", "x1", "y1"), color, 4)
        made.add_layout(
            LabelSet(x="x", y="y", text="text", source=where, text_align="center",
                     text_baseline="middle", text_font_size="14px")
        )  # fmt: skip
    return made


def courses(places: Sequence[str]) -> Any:
    """Return log-probabilities along a toy run: both responses, and the chosen place by place."""
    made = frame(320, x=(0, 10), y=(-1, 1), name="courses", x_axis_label="step",
                 y_axis_label="change of log π, nats")  # fmt: skip
    made.add_layout(Span(location=0, dimension="width", line_color=GREY, line_width=1))
    shown = source("courses.lines", "step", "logp_w", "logp_l", *places)
    lines = [("logp_w", "chosen", CHOSEN.color, "solid"),
             ("logp_l", "rejected", REJECTED.color, "dashed")]  # fmt: skip
    dashes = ("dotted", "dotdash", "4 3")
    colors = (LOOKS[3].color, LOOKS[2].color, STEP)
    lines += [
        (place, f"chosen, {place}", color, dash)
        for place, color, dash in zip(places, colors, dashes, strict=True)
    ]
    for column, text, color, dash in lines:
        made.line("step", column, source=shown, line_color=color, line_dash=dash,
                  line_width=3 if column.startswith("logp") else 2, legend_label=text)  # fmt: skip
    _legend_above(made, 3)
    return made


def _legend_above(made: Any, columns: int) -> None:
    made.add_layout(made.legend[0], "above")
    made.legend.orientation = "horizontal"
    made.legend.ncols = columns
    made.legend.label_text_font_size = "12px"
    made.legend.border_line_color = None
    made.legend.spacing = 10
    made.legend.location = "top_left"
    made.legend.padding = 4


def horizon(name: str, side: str, color: str) -> Any:
    """Return what one response goes through if the first update is made again and again.

    The page fills ``NAME.lines`` (``t``, ``first``, ``second``, ``exact``), ``NAME.run`` (``t``,
    ``change``) of the real run, and sets ``NAME.turning`` and ``NAME.parabola``.
    """
    made = frame(300, x=(0, 100), y=(-1, 1), name=name, x_axis_label="steps",
                 y_axis_label=f"change of the {side}, nats")  # fmt: skip
    made.add_layout(Span(location=0, dimension="width", line_color=GREY, line_width=1))
    for what, width in (("turning", 2.0), ("parabola", 1.0)):
        made.add_layout(Span(location=0, dimension="height", line_color=GREY, line_width=width,
                             line_dash="dashed", name=f"{name}.{what}", visible=False))  # fmt: skip
    lines = source(f"{name}.lines", "t", "first", "second", "exact")
    for column, text, dash in (("first", "first order", "dashed"),
                               ("second", "second order", "dotted"),
                               ("exact", "exact", "solid")):  # fmt: skip
        made.line("t", column, source=lines, line_color=color, line_dash=dash,
                  line_width=3 if column == "exact" else 2, legend_label=text)  # fmt: skip
    ran = source(f"{name}.run", "t", "change")
    made.scatter("t", "change", source=ran, marker="circle", size=6, fill_alpha=0,
                 line_color=LOOKS[3].color, line_width=1.5, legend_label="real run")  # fmt: skip
    _legend_above(made, 2)
    return made


def shares() -> Any:
    """Return the probabilities of the tokens at the differing position as bars."""
    made = frame(220, x=(-0.6, 9.6), y=(0, 1), name="shares", y_axis_label="probability",
                 x_axis_label="token where they differ (0 chosen, 1 rejected)")  # fmt: skip
    bars = source("shares.bars", "token", "now", "start", "color")
    made.vbar("token", 0.8, "now", source=bars, fill_color="color", line_color=None)
    made.scatter("token", "start", source=bars, marker="dash", size=22, line_color=GREY,
                 line_width=3)  # fmt: skip
    made.xgrid.visible = False
    made.xaxis.ticker.min_interval = 1
    made.xaxis.minor_tick_line_color = None
    return made


def heat(tokens: Mapping[str, Sequence[str]]) -> Any:
    """Return the heat map of the cosines between chosen and rejected token scores."""
    rows, columns = len(tokens["chosen"]), len(tokens["rejected"])
    made = frame(80 + 34 * rows, x=(-0.5, columns - 0.5), y=(rows - 0.5, -0.5), name="heat",
                 x_axis_label="rejected token", y_axis_label="chosen token")  # fmt: skip
    cells = source("heat.cells", "row", "column", "cosine", "text", "ink", "chosen", "rejected")
    # Narrower cells would not hold their digits: on a phone the map scrolls.
    made.min_width = 110 + 42 * columns
    palette = interp_palette(RdBu11[::-1], 255)
    mapper = LinearColorMapper(palette, low=-1, high=1, nan_color=GREY)
    made.rect("column", "row", 0.97, 0.97, source=cells, line_color=None,
              fill_color={"field": "cosine", "transform": mapper})  # fmt: skip
    made.text("column", "row", "text", source=cells, text_align="center", text_baseline="middle",
              text_color="ink", text_font_size="12px", name="heat.digits")  # fmt: skip
    made.add_tools(HoverTool(tooltips=[("chosen", "@chosen"), ("rejected", "@rejected"),
                                       ("cosine", "@cosine{0.0000}")]))  # fmt: skip
    made.grid.visible = False
    for axis, words in ((made.yaxis, tokens["chosen"]), (made.xaxis, tokens["rejected"])):
        axis.ticker = list(range(len(words)))
        axis.major_label_overrides = dict(enumerate(words))
        axis.major_tick_line_color = None
    made.xaxis.major_label_orientation = 0.7
    return made


def _arrow(
    made: Any, where: ColumnDataSource, ends: tuple[str, str, str, str], color: str, width: int
) -> None:
    x_start, y_start, x_end, y_end = ends
    made.add_layout(
        Arrow(source=where, x_start=x_start, y_start=y_start, x_end=x_end, y_end=y_end,
              line_color=color, line_width=width,
              end=NormalHead(size=4 * width, fill_color=color, line_color=color))
    )  # fmt: skip
