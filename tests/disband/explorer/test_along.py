"""What the explorer lets a reader take along, compare and begin from, in a real browser."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.explorer.controls import CONTROLS, PRESETS
from disband.job.toys import run_toy
from disband.sims.pairs.studies import EDIT_ONE_SHARED
from disband.terminal.pair import Pair, compare
from disband.theory.band import Case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objectives import CPO, DPO, DPOP, IPO, SIMPO, find
from disband.theory.own_loss.declare import objective_of
from tests.engines import needs_browser

pytestmark = [pytest.mark.slow, needs_browser]

GIVEN = "document.getElementById('taken').value"


def printed(command, tmp_path):
    """What the command that the page shows prints as JSON."""
    program, *words = shlex.split(command)
    assert program == "disband"
    out = ["--out", str(tmp_path)] if words[0] == "simulate" else []
    done = CliRunner().invoke(main, [*words, *out, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "hash_",
    [
        "objective=DPO&cosine=0.35&norm_ratio=2.5&margin=3&ref_w=-31",
        "objective=DPO-FKL&len_w=4&set.beta=0.3",
        "cosine=0.5&margin=2&set.goal=0.25",
    ],
)
def test_the_command_says_what_the_page_says(opened, hash_, tmp_path):
    one = opened(hash_)
    told = printed(one.text("#command"), tmp_path)
    (mine,) = told["objectives"]
    names = ("d_w", "d_l", "low")
    assert one.values(*names) == pytest.approx(
        [mine["d_w"], mine["d_l"], told["band"]["low"]], rel=1e-9
    )
    assert one.text("#case") == mine["case"]


def test_the_command_of_a_run_trains_the_same_run(opened, tmp_path):
    one = opened("tab=toys&objective=SimPO&suffix=7&toy=edit-one-shared")
    one.page.click("#step-10")
    told = printed(one.text("#command"), tmp_path)
    study = run_toy(EDIT_ONE_SHARED, SIMPO, steps=10, settings={"suffix": 7})
    assert told["parameters"]["lr"] == pytest.approx(study.parameters["lr"])
    one.page.click("#give-numbers")
    one.until(f"{GIVEN}.startsWith('{{')")
    numbers = json.loads(one.page.evaluate(GIVEN))
    logp = [state["logp_w"] for state in numbers["states"]]
    np.testing.assert_allclose(logp, study.trajectory.logp_w, rtol=1e-9)


def test_numbers_and_latex_are_those_of_the_pair(opened):
    one = opened("objective=DPO&cosine=0.9&norm_ratio=1.3")
    one.page.click("#give-numbers")
    one.until(f"{GIVEN}.startsWith('{{')")
    numbers = json.loads(one.page.evaluate(GIVEN))
    assert numbers["d_w"] == pytest.approx(0.05)
    assert numbers["band"] == {"low": pytest.approx(1.17), "high": pytest.approx(1.3 / 0.9)}
    assert numbers["case"] == Case.BOTH_FALL.words
    one.page.click("#give-latex")
    one.until(f"{GIVEN}.startsWith('\\\\begin{{gather*}}')")
    latex = one.page.evaluate(GIVEN)
    assert r"\rho = 0.9" in latex
    assert r"r \in [1.17, 1.44444]" in latex
    assert latex.count("d_w = ") == 2


def test_the_picture_is_saved_as_png(opened):
    one = opened("objective=DPO")
    with one.page.expect_download() as waiting:
        one.page.click("#give-picture")
    saved = waiting.value
    assert saved.suggested_filename == "disband-plane.png"
    assert Path(saved.path()).read_bytes().startswith(b"\x89PNG")


def test_a_second_objective_stands_beside_the_first(opened):
    one = opened("objective=DPO&other=CPO&cosine=0.8&margin=1")
    pair = Pair(-19.5, -20.5, -20, -20)
    placed = compare([DPO, CPO], cosine=0.8, norm_ratio=1.3, pair=pair).placements
    cells = one.page.eval_on_selector_all(
        "#beside-rows tr", "rows => rows.map((row) => [...row.cells].map((c) => c.textContent))"
    )
    rows = {name: cells_ for name, *cells_ in cells}
    assert rows["case"] == [one_.case for one_ in placed]
    assert [float(cell) for cell in rows["d_w"]] == pytest.approx([p.d_w for p in placed], rel=1e-3)
    one.page.select_option("#other", "")
    assert one.page.is_hidden("#beside")


@pytest.mark.parametrize("objective", [DPOP, find("IPO-P")], ids=lambda o: o.name)
def test_a_pair_at_a_kink_is_told_so_with_the_sides(opened, objective):
    one = opened(f"objective={objective.name}")
    kernel = objective.kernel("incentives")
    gram = Gram.of_angle(0.9, 1.3)
    for move in (-1e-6, 1e-6):
        d_w, d_l = map(float, kernel(-20 + move, -20, -20, -20, 10, 10))
        change_w, change_l = map(float, first_order(d_w, d_l, gram))
        words = Case(2 * (change_l > 0) + (change_w < 0)).words
        assert f"({words})" in one.text("#kink")
    assert one.text("#path").startswith("no path from a kink")
    one.type(margin=1.0)
    assert one.page.is_hidden("#kink")


def test_a_step_beyond_first_order_is_flagged_and_the_picture_cut(opened):
    one = opened("tab=toys&objective=IPO&rate=1000")
    one.page.click("#step")
    study = run_toy(EDIT_ONE_SHARED, IPO, steps=1, lr=one.value("#rate-now"))
    said = float(study.trajectory.predicted[0][0])
    words = one.text("#toy-words")
    assert "step 1 left the first-order regime" in words
    assert f"first order said {said:.4g} nats" in words
    one.page.click("#step-10")
    assert "the picture is cut at" in one.text("#toy-words")
    ends = one.page.evaluate(
        "Bokeh.documents.flatMap((d) => d.roots()).find((f) => f.name === 'courses').y_range.start"
    )
    assert -1e4 < ends < 0
    calm = opened("tab=toys&objective=DPO")
    calm.page.click("#step-10")
    assert "first-order regime" not in calm.text("#toy-words")


def test_a_preset_sets_its_numbers_and_no_others(opened):
    one = opened("objective=DPO&way=7&margin=5")
    name = "a long rejected response"
    one.page.select_option("#preset", name)
    starts = {c.key: c.start for c in CONTROLS if c.group in {"pair", "scores"}}
    assert {key: one.number(key) for key in starts} == starts | PRESETS[name]
    assert one.number("way") == 7


def test_on_a_phone_sliders_come_before_pictures(opened):
    one = opened("objective=DPO", viewport={"width": 390, "height": 844})
    top = "id => document.getElementById(id).getBoundingClientRect().top"
    places = [
        one.page.evaluate(top, key) for key in ("objective", "cosine", "figure-plane", "margin")
    ]
    assert places == sorted(places)


def test_a_loss_typed_in_the_page_is_explored_and_kept_in_the_address(opened, tmp_path):
    text = "-logsigmoid(beta*(w - ref_w - l + ref_l)) - mine*w/len_w"
    one = opened("objective=DPO&cosine=0.9")
    one.page.click("#own summary")
    one.page.fill("#loss-text", "<img src=x onerror=alert(1)>")
    one.page.click("#loss-take")
    assert "an expression is made of numbers" in one.text("#loss-fault")
    assert one.page.locator("#loss-fault img").count() == 0
    one.page.fill("#loss-text", text)
    one.page.press("#loss-text", "Enter")
    one.type(**{"set.mine": 0.3})
    assert one.page.is_hidden("#loss-fault")
    objective = objective_of(text, beta=0.1, mine=0.3)
    d_w, d_l = map(float, objective.kernel("incentives")(-20, -20, -20, -20, 10, 10))
    assert one.values("d_w", "d_l") == pytest.approx([d_w, d_l], rel=1e-9)
    told = printed(one.text("#command"), tmp_path)
    assert told["objectives"][0]["d_w"] == pytest.approx(d_w)
    one.page.wait_for_url(lambda url: "loss=" in url and "set.mine=0.3" in url)
    other = opened(one.page.url.partition("#")[2])
    assert other.values("d_w", "d_l") == one.values("d_w", "d_l")
    wrong = opened("loss=w+%2B+bogus(l)")
    assert "a function is one of" in wrong.text("#faults")


def test_the_horizon_shows_where_a_rise_is_undone_beside_the_real_run(opened, tmp_path):
    one = opened("tab=horizon&objective=DPO&ahead=150")
    turning, parabola = one.values("horizon-turning-w", "horizon-parabola-w")
    assert 0 < parabola < turning < 150
    words = one.text("#horizon-words")
    assert f"after {turning:.4g} steps" in words
    assert "stays above its start for all 150 steps" in words
    assert "the rejected falls from the first step on" in words
    study = run_toy(EDIT_ONE_SHARED, DPO, steps=150)
    ran = one.page.evaluate(
        """[...Bokeh.documents.flatMap((d) => d.roots()).find((f) => f.name === 'horizon_w')
            .references()].find((m) => m.name === 'horizon_w.run').data.change"""
    )
    logp = study.trajectory.logp_w
    rings = list(ran.values()) if isinstance(ran, dict) else ran
    every = -(-len(logp) // 25)
    np.testing.assert_allclose(rings, (logp - logp[0])[::every], rtol=1e-9, atol=1e-12)
    told = printed(one.text("#command"), tmp_path)
    assert told["parameters"]["steps"] == 150
