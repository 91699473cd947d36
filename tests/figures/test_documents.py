"""The pictures in the documents are those that their commands draw."""

import json

import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.figures.drawing import save
from disband.figures.horizon.runs import courses_picture, side_by_side
from disband.verify.kept.provenance import ROOT
from tests.figures.every import drawn, recorded

DOCS = ROOT / "docs"
STALE = "stale: copy the picture that the command draws"


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("band dpo --cos 0.9 --norm-ratio 1.3 --figure", "band"),
        ("simulate dpo --toy edit-one", "edit-one-shared-dpo-places"),
    ],
)
def test_a_picture_of_a_command_is_what_it_draws(command, name, tmp_path):
    done = CliRunner().invoke(main, [*command.split(), "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    picture = (tmp_path / f"{name}.svg").read_text("utf-8")
    assert (DOCS / f"{name}.svg").read_text("utf-8") == picture, STALE


def test_the_band_over_time_is_what_the_toy_gives(tmp_path):
    svg, _ = save(drawn("band-over-time"), tmp_path, "band-over-time")
    assert (DOCS / svg.name).read_text("utf-8") == svg.read_text("utf-8"), STALE


def test_forecasts_beside_runs_are_what_the_record_holds(tmp_path):
    record = json.loads((ROOT / "results/rehearsal/side_by_side.json").read_text("utf-8"))
    svg, _ = save(courses_picture(side_by_side(record["results"])), tmp_path, "horizon")
    assert (DOCS / svg.name).read_text("utf-8") == svg.read_text("utf-8"), STALE


def test_a_picture_of_a_record_is_what_it_holds(tmp_path):
    subject = next(p.caption for name, p, _ in recorded() if name == "gpt2-regimes")
    svg, _ = save(drawn("gpt2-regimes"), tmp_path, "gpt2-regimes", subject)
    assert (DOCS / svg.name).read_text("utf-8") == svg.read_text("utf-8"), STALE
