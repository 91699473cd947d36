"""The explorer as a file, and what its scripts compute, run by Node."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.explorer.controls import CONTROLS, PRESETS
from disband.explorer.page import FOLDER, OWN_GROUP, functions, page
from disband.explorer.tokens import record, recorded, saved
from disband.job.drawn import Drawn, keep
from disband.job.toys import run_toy
from disband.sims.pairs.studies import TOYS
from disband.sims.surveys.entry import FROZEN, Start, entry
from disband.theory.horizon.rays import Ray
from disband.theory.javascript import PRELUDE
from disband.theory.objectives import BCE, CPO, DPO, KTO, OBJECTIVES, SIMPO, find
from disband.theory.own_loss.declare import objective_of
from tests.engines import needs_node, node

STEPS = 25


@pytest.fixture(scope="module")
def text():
    return page(recorded())


def without_bokeh(text):
    scripts = re.findall(r"<script>.*?</script>", text, flags=re.DOTALL)
    return text.replace(max(scripts, key=len), "")


def data_of(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_is_one_file_of_moderate_size_that_refers_to_no_other(text):
    assert len(text.encode()) < 3e6
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:|#)""", without_bokeh(text))
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|sendBeacon", without_bokeh(text))
    assert "default-src 'none'" in text
    (policy,) = re.findall(r'content="(default-src [^"]*)"', text)
    assert "unsafe" not in re.search(r"script-src ([^;]*)", policy)[1]


def test_the_page_has_every_objective_once(text):
    menu = re.findall(
        r"<option>([^<]+)</option>", re.search(r'id="objective">.*?</select>', text)[0]
    )
    assert sorted(menu) == sorted(o.name for o in OBJECTIVES)
    assert [o["name"] for o in data_of(text)["objectives"]] == [o.name for o in OBJECTIVES]


def test_every_formula_is_typeset(text):
    assert text.count('<template id="formulas-') == len(OBJECTIVES)
    assert "<code>" not in "".join(re.findall(r"<template.*?</template>", text, re.DOTALL))


def test_the_page_is_the_same_every_time(text):
    ids = re.compile(r'"(?:id|root_id|docid)":"[^"]+"|p\d{4,}|[0-9a-f-]{36}')
    assert ids.sub("", page(recorded())) == ids.sub("", text)


def test_every_control_starts_within_its_range():
    for one in CONTROLS:
        assert one.low <= one.start <= one.high
        assert one.least is None or one.least <= one.low
        assert one.most is None or one.most >= one.high
        assert one.scale != "log" or one.low > 0
    assert len({one.key for one in CONTROLS}) == len(CONTROLS)


def test_every_preset_is_a_pair_within_its_ranges():
    controls = {one.key: one for one in CONTROLS if one.group in {"pair", "scores"}}
    for numbers in PRESETS.values():
        at = {key: one.start for key, one in controls.items()} | numbers
        assert at.keys() == controls.keys()
        assert all(one.low <= at[key] <= one.high for key, one in controls.items())
        for side, sign in (("w", 1), ("l", -1)):
            assert at[f"ref_{side}"] + at["shift"] + sign * at["margin"] / 2 < 0


def test_no_tag_can_begin_in_the_data():
    own = objective_of("(w - l)**2", name="</script><b>")
    text = page(None, own)
    assert "</script><b>" not in text
    assert data_of(text)["objectives"][0]["name"] == "</script><b>"


def test_without_data_the_third_tab_names_the_command_that_makes_them():
    text = page(None)
    assert "<code>disband verify</code> measures token scores" in text
    assert "heat" not in data_of(text)["figures"]


def test_the_recorded_tokens_say_where_they_come_from():
    found = recorded()
    assert {"command", "time", "versions", "seed", "settings", "data"} <= set(found["provenance"])
    products = np.array(found["products"])
    size = len(found["chosen"]) + len(found["rejected"])
    assert products.shape[::2] == (len(found["when"]), size)
    np.testing.assert_allclose(products, np.swapaxes(products, -1, -2), atol=1e-4)
    assert (
        np.linalg.eigvalsh(products).min(-1) > -1e-4 * np.trace(products, axis1=2, axis2=3)
    ).all()


def fake_run():
    grams = np.stack([np.eye(4) * (1 + p + 10 * when) for when in range(2) for p in range(4)])
    return {
        "token_gram": grams.reshape(2, 4, 4, 4),
        "tokens": np.array(["It", " up", "It", " down"]),
    }


def test_token_scores_of_an_earlier_run_are_found_in_its_folder(tmp_path):
    assert saved(tmp_path) is None
    runs = {(7, "prefix+suffix"): fake_run(), (7, "short"): {"steps": np.arange(3)}}
    keep(Drawn({}, runs), tmp_path / "steps")
    found = saved(tmp_path)
    assert (found["chosen"], found["rejected"]) == (["It", " up"], ["It", " down"])
    # every second tweet is negative, and has the words the other way round
    assert [[pair[0][0] for pair in when] for when in found["products"]] == [[1, 3], [11, 13]]
    assert found["provenance"]["seed"] == 7


def test_responses_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="equally many tokens: got 3"):
        record(fake_run() | {"tokens": np.array(["a", "b", "c"])}, {})


def invoke(*words):
    return CliRunner().invoke(main, ["explore", *words])


def test_the_command_writes_a_page_with_a_loss_of_ones_own(tmp_path):
    out = tmp_path / "new" / "mine.html"
    loss = ("--loss", "(w - l - goal)**2", "--set", "goal=1.5", "--out", str(out))
    done = invoke(*loss)
    assert done.exit_code == 0, done.output
    data = data_of(out.read_text("utf-8"))
    assert data["first"] == data["objectives"][0]["name"] == "own"
    assert data["objectives"][0]["parameters"][0]["start"] == 1.5
    assert OWN_GROUP in out.read_text("utf-8")
    assert str(out) in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--set", "beta=1"), "--set gives the hyperparameters of --loss"),
        (("--loss", "(w - l - goal)**2"), "goal"),
        (("--loss", "import os"), "Error"),
    ],
    ids=["no loss", "no value", "no loss at all"],
)
def test_what_cannot_be_used_is_refused_in_one_line(words, said, tmp_path):
    out = tmp_path / "page.html"
    done = invoke(*words, "--out", str(out))
    assert done.exit_code == 2
    assert said in done.output
    assert not out.exists()


def test_without_bokeh_the_command_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "bokeh", None)
    done = invoke("--out", str(tmp_path / "page.html"))
    assert done.exit_code == 2
    assert "pip install 'disband[explore]'" in done.output


def ask(text, program, names=("theory.js", "toys.js")):
    """Return what ``program`` logs, after the page's formulas and these of its scripts."""
    head = """
    "use strict";
    const DATA = JSON.parse(require("fs").readFileSync(0, "utf8"));
    const state = { objective: 0, hyper: {}, numbers: {} };
    const usual = (at) =>
      Object.fromEntries(DATA.objectives[at].parameters.map((p) => [p.name, p.start]));
    const hyper = () => Object.values(state.hyper);
    const take = (name) => {
      state.objective = DATA.objectives.findIndex((one) => one.name === name);
      state.hyper = usual(state.objective);
    };
    """
    scripts = [(FOLDER / name).read_text("utf-8") for name in names]
    source = "\n".join([head, PRELUDE, *functions(OBJECTIVES), *scripts, program])
    done = subprocess.run(
        [node(), "-e", source], input=json.dumps(data_of(text)), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


CHOICES = {
    "single-token": [{}, {"vocabulary": 7, "candidates": 3, "hidden_norm": 0.5}],
    "edit-one-shared": [{}, {"vocabulary": 6, "prefix": 0, "suffix": 9, "offset": -1.0, "seed": 3}],
    "edit-one-independent": [{}, {"suffix": 0, "spread": 0.3, "vocabulary": 20}],
}
RUNS = [(toy, at, name) for toy, all_ in CHOICES.items() for at in range(len(all_))
        for name in (DPO.name, KTO.name, SIMPO.name, CPO.name)]  # fmt: skip


@pytest.fixture(scope="module")
def toy_runs(text):
    starts = {one.key: one.start for one in CONTROLS}
    asked = [[toy, name, {**starts, **CHOICES[toy][at]}] for toy, at, name in RUNS]
    return ask(
        text,
        f"""
    const told = {json.dumps(asked)}.map(([toy, name, numbers]) => {{
      take(name);
      const run = new Run(toy, numbers);
      for (let i = 0; i < {STEPS}; i++) run.step();
      const both = (place) => [place, [run.at(place, 0), run.at(place, 1)]];
      const places = Object.fromEntries(["before", "at", "after"].map(both));
      return {{ rate: run.rate, states: run.states, places }};
    }});
    console.log(JSON.stringify(told));
    """,
    )


@needs_node
@pytest.mark.parametrize("which", range(len(RUNS)), ids=["-".join(map(str, one)) for one in RUNS])
def test_a_toy_in_the_page_goes_the_way_of_the_simulation(which, toy_runs):
    (toy, at, name), told = RUNS[which], toy_runs[which]
    study = run_toy(TOYS[toy], find(name), steps=STEPS, settings=CHOICES[toy][at])
    run = study.trajectory
    assert told["rate"] == pytest.approx(study.parameters["lr"], rel=1e-12)
    for key in ("logp_w", "logp_l", "d_w", "d_l"):
        np.testing.assert_allclose([s[key] for s in told["states"]], getattr(run, key), rtol=1e-9)
    grams = np.array([s["gram"] for s in told["states"]]).T
    for mine, theirs in zip(grams, (run.gram.sq_w, run.gram.sq_l, run.gram.dot), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12 * grams.max())
    np.testing.assert_allclose(
        [s["shares"] for s in told["states"]], np.exp(run.watched), rtol=1e-9
    )
    exact, ahead = study.by_place(), study.ahead_by_place()
    for place, sides in told["places"].items():
        for side in (0, 1):
            assert sides[side]["there"] == (place in exact)
            if place in exact:
                moved = exact[place][side] - exact[place][side][0]
                np.testing.assert_allclose(sides[side]["exact"], moved, rtol=1e-9, atol=1e-12)
                first = ahead[place][side][:STEPS].sum()
                assert sides[side]["first"] == pytest.approx(first, rel=1e-9, abs=1e-12)


@needs_node
@pytest.mark.parametrize("objective", [DPO, BCE, KTO, CPO], ids=lambda o: o.name)
def test_the_path_goes_the_way_of_gradient_flow_with_frozen_scores(objective, text):
    end = ask(
        text,
        f"""
    take({json.dumps(objective.name)});
    const pair = [{FROZEN + 1}, {FROZEN - 1}, {FROZEN}, {FROZEN}, 1, 1];
    const way = path(pair, gram_of_angle(0.6, 1.4), 8);
    console.log(JSON.stringify(way[way.length - 1]));
    """,
    )
    flow = entry(objective, Start(2.0, 1.4, 0.6, FROZEN), way=8.0)
    assert float(flow.gone) == pytest.approx(8.0)
    assert end[0] - end[1] == pytest.approx(float(flow.margin), rel=1e-6)


@pytest.fixture(scope="module")
def horizons(text):
    asked = [[toy, name, {**{c.key: c.start for c in CONTROLS}, **CHOICES[toy][at]}]
             for toy, at, name in RUNS]  # fmt: skip
    return ask(
        text,
        f"""
    const told = {json.dumps(asked)}.map(([toy, name, numbers]) => {{
      take(name);
      const begun = new Run(toy, numbers);
      return raysOf(begun).map((ray, side) => ({{
        ray, ...horizonOf(ray), promised: begun.states[0].changes[side],
        changes: [0, 0.5, 7, 300].map((t) => changeOf(ray, t)),
      }}));
    }});
    console.log(JSON.stringify(told));
    """,
        ("theory.js", "toys.js", "horizon.js"),
    )


@needs_node
@pytest.mark.parametrize("which", range(len(RUNS)), ids=["-".join(map(str, one)) for one in RUNS])
def test_the_horizon_of_a_toy_is_that_of_the_theory(which, horizons):
    for told in horizons[which]:
        rows, moves = (np.array([part[key] for part in told["ray"]]) for key in ("row", "moves"))
        ray = Ray(rows, moves, np.array([part["token"] for part in told["ray"]]))
        assert told["slope"] == pytest.approx(float(ray.slope), rel=1e-9, abs=1e-15)
        assert told["slope"] == pytest.approx(told["promised"], rel=1e-9, abs=1e-12)
        assert told["curvature"] == pytest.approx(float(ray.curvature), rel=1e-9, abs=1e-15)
        np.testing.assert_allclose(
            told["changes"], [float(ray.change(t)) for t in (0, 0.5, 7, 300)], rtol=1e-9, atol=1e-12
        )
        turning = told["turning"] if told["turning"] is not None else np.inf  # as JSON has it
        assert turning == pytest.approx(float(ray.turning_time()), rel=1e-6)
