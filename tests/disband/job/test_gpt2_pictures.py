"""Which pictures a record of ``disband gpt2`` gets: those it has the data for."""

import numpy as np
import pytest

from disband.job.gpt2_pictures import draw_record
from disband.lm.data.styles import STYLES

WORDS = ["a", "positive", "one", "a", "negative", "one"]


def run(objective, style):
    series = {"chosen": [-5.0, -5.4], "rejected": [-6.0, -7.0], "cosine": [-0.5, 0.1]}
    per_token = {f"{side} per token": [-1.0, -1.1] for side in ("chosen", "rejected")}
    clocks = {"steps": [0, 3], "gram steps": [0, 3]}
    row = {"objective": objective, "style": style, "seed": 0, **clocks, **series, **per_token}
    if style == "prefix+suffix":
        products = np.eye(6)[None, None].repeat(2, 0)
        row |= {"tokens": WORDS, "token_gram": products.tolist()}
    return row


@pytest.fixture
def drawn(tmp_path):
    def draw(*curves):
        record = {"name": "gpt2", "curves": curves, "tables": {}}
        draw_record(record, tmp_path)
        return {path.stem.removeprefix("gpt2-") for path in tmp_path.glob("*.png")}

    return draw


def test_styles_under_dpo_are_the_figures_of_section_4_3(drawn):
    styles = [run("DPO", style) for style in STYLES]
    assert drawn(*styles) == {"figure-3", "figure-4a", "figure-4b"}


def test_runs_of_many_objectives_are_kept_apart_from_styles(drawn, monkeypatch):
    seen = []

    def picture(rows):
        seen.append([(row["objective"], row["style"]) for row in rows])
        return runs_picture(rows)

    from disband.figures.gpt2.runs import runs_picture

    monkeypatch.setattr("disband.figures.gpt2.runs.runs_picture", picture)
    objectives = [run(name, "unequal 2/6") for name in ("DPO", "CPO")]
    figures = drawn(*(run("DPO", style) for style in STYLES), *objectives)
    assert figures == {f"figure-{name}" for name in ("1", "2", "3", "4a", "4b", "6")}
    apart = [(name, "unequal 2/6") for name in ("DPO", "CPO")]
    assert seen == [apart[:1], apart, [("DPO", style) for style in STYLES]]


def test_one_style_is_no_comparison(drawn):
    assert drawn(run("DPO", "long suffix"), run("CPO", "long suffix")) == {
        "figure-1", "figure-2", "figure-6",
    }  # fmt: skip
