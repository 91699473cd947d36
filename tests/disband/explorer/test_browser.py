"""The explorer in a real browser: values, keyboard, address, both colour schemes, a phone."""

import math

import numpy as np
import pytest

from disband.explorer.tokens import recorded
from disband.job.toys import run_toy
from disband.sims.pairs.studies import TOYS
from disband.terminal.pair import Pair, band_text, compare
from disband.theory.band import Case, band, calibration, case
from disband.theory.first_order import first_order
from disband.theory.gram import Gram
from disband.theory.objectives import BCE, DPO, SIMPO
from tests.browsing import OWN
from tests.engines import needs_browser
from tests.sampling import SAMPLE

pytestmark = [pytest.mark.slow, needs_browser]

PHONE = {"width": 390, "height": 844}
# How many controls say nothing of themselves.
UNNAMED = """[...document.querySelectorAll('input, select, button')]
    .filter((e) => !e.labels?.length && !e.ariaLabel && !e.textContent).length"""
# The columns of a picture's source.
COLUMNS = """(what) => {
    const found = [...Bokeh.documents[0].roots()[0].references()].find((m) => m.name === what);
    return Object.fromEntries(Object.entries(found.data).map(([k, v]) => [k, [...v]]));
}"""
# The background of a picture, and that of the page.
PICTURE = "Bokeh.documents[0].roots()[0].background_fill_color"
PAPER = "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()"
CELLS = "all => all.map((cell) => Number(cell.dataset.value))"
CLOSE = {"rel": 1e-9, "abs": 1e-300}
# One pair near the references, one that training has moved far, one with other scores.
STATES = (
    {"margin": 0.7, "shift": -1.5, "ref_w": -18, "ref_l": -25.5, "len_w": 12, "len_l": 9,
     "cosine": 0.93, "norm_ratio": 1.7},
    {"margin": 12.5, "shift": -9, "ref_w": -40, "ref_l": -31, "len_w": 30, "len_l": 44,
     "cosine": 0.35, "norm_ratio": 0.4},
    {"margin": -6, "shift": -4, "ref_w": -9, "ref_l": -8, "len_w": 3, "len_l": 5, "cosine": -0.4,
     "norm_ratio": 3},
)  # fmt: skip


def data_of(state):
    state = {"shift": 0, "ref_w": -20, "ref_l": -20, "len_w": 10, "len_l": 10} | state
    half = state["margin"] / 2
    return (
        state["ref_w"] + state["shift"] + half,
        state["ref_l"] + state["shift"] - half,
        *(state[key] for key in ("ref_w", "ref_l", "len_w", "len_l")),
    )


def assert_agrees(shown, objective, state, hyper):
    """The page says of a state what Python says."""
    data, gram = data_of(state), Gram.of_angle(state["cosine"], state["norm_ratio"])
    loss = float(objective.kernel("loss", **hyper)(*data))
    d_w, d_l = (float(d) for d in objective.kernel("incentives", **hyper)(*data))
    names = ("loss", "d_w", "d_l", "change_w", "change_l", "low", "ratio", "delta", "case")
    told = dict(zip(names, shown.values(*names), strict=True))
    assert told["loss"] == pytest.approx(loss, **CLOSE)
    assert told["d_w"] == pytest.approx(d_w, **CLOSE)
    assert told["d_l"] == pytest.approx(d_l, **CLOSE)
    scale = max(abs(d_w), abs(d_l)) * max(float(gram.sq_w), float(gram.sq_l))
    for side, change in zip("wl", first_order(d_w, d_l, gram), strict=True):
        assert told[f"change_{side}"] == pytest.approx(float(change), rel=1e-9, abs=1e-12 * scale)
    low, high = (float(edge) for edge in band(gram))
    assert told["low"] == pytest.approx(low, **CLOSE)
    assert float(shown.page.get_attribute("#low", "data-high")) == pytest.approx(high, **CLOSE)
    delta = float(calibration(d_w, d_l, gram))
    assert told["delta"] == pytest.approx(delta, nan_ok=True, **CLOSE)
    assert told["case"] == int(case(d_w, d_l, gram))
    moves = d_w != 0 or d_l != 0
    assert shown.text("#case") == (
        Case(int(told["case"])).words if moves else "nothing moves: both incentives are zero"
    )
    if d_l != 0:
        assert told["ratio"] == pytest.approx(d_w / d_l, **CLOSE)


@pytest.mark.parametrize("objective", [OWN, *SAMPLE[::3]], ids=lambda o: o.name)
def test_every_objective_has_the_values_that_python_has(shown, objective):
    shown.choose(objective)
    for state in STATES:
        shown.type(**state)
        assert_agrees(shown, objective, state, {})
    if objective.defaults:
        moved = {symbol.name: value * 1.25 + 0.01 for symbol, value in objective.defaults.items()}
        moved = {name: min(value, 0.49) if name in {"epsilon", "clip", "alpha_f"} else value
                 for name, value in moved.items()}  # fmt: skip
        shown.type(**{f"set.{name}": value for name, value in moved.items()})
        assert_agrees(shown, objective, STATES[0] | STATES[-1], moved)


@pytest.mark.parametrize("objective", [DPO, BCE, SIMPO], ids=lambda o: o.name)
def test_a_slider_moved_by_hand_changes_what_python_would_change(shown, objective):
    shown.choose(objective)
    shown.type(**STATES[0])
    for key, times in (("margin", 5), ("cosine", -30), ("norm_ratio", 12), ("len_w", 4)):
        before = shown.number(key)
        slider = shown.page.locator(f"input[type=range][id='{key}']")
        slider.focus()
        for _ in range(abs(times)):
            slider.press("ArrowRight" if times > 0 else "ArrowLeft")
        assert (shown.number(key) - before) * times > 0
    state = {key: shown.number(key) for key in STATES[0]}
    assert_agrees(shown, objective, state, {})


def test_the_words_are_those_of_the_command_line(shown):
    shown.choose(DPO)
    shown.type(**STATES[0])
    pair = Pair(*data_of(STATES[0]))
    found = compare([DPO], pair=pair, **{key: STATES[0][key] for key in ("cosine", "norm_ratio")})
    said = {line[:12].strip(): line[12:] for line in band_text(found).splitlines()}
    for where, name in (("#case", "case"), ("#low", "band"), ("#ratio", "ratio"),
                        ("#delta", "calibrate")):  # fmt: skip
        assert shown.text(where) == said[name]


def test_a_pair_that_is_none_is_said_to_be_none(shown):
    shown.type(**STATES[0] | {"shift": 20.0, "margin": 3.0})
    assert "log π_w would not be negative" in shown.text("#trouble")
    shown.type(**STATES[0])
    assert shown.page.is_hidden("#trouble")


def test_a_number_out_of_its_range_is_marked_and_left_aside(shown):
    shown.type(**STATES[0])
    case_ = shown.text("#case")
    shown.page.fill("#cosine-number", "1.5")
    assert shown.page.get_attribute("#cosine-number", "aria-invalid") == "true"
    assert shown.text("#case") == case_
    shown.page.press("#cosine-number", "Tab")
    assert shown.number("cosine") == STATES[0]["cosine"]
    assert shown.page.get_attribute("#cosine-number", "aria-invalid") == "false"


def test_the_address_keeps_a_view(opened):
    one = opened("tab=pair&objective=KTO")
    one.type(**STATES[1])
    one.type(**{"set.beta": 0.25})
    one.page.wait_for_url(lambda url: "set.beta=0.25" in url)
    case_, address = one.text("#status"), one.page.url
    other = opened(address.partition("#")[2])
    assert other.text("#status") == case_
    assert other.page.input_value("#objective") == "KTO"
    assert other.number("set.beta") == 0.25
    assert {key: other.number(key) for key in STATES[1]} == STATES[1]
    assert other.values("d_w", "d_l", "loss") == one.values("d_w", "d_l", "loss")


@pytest.mark.parametrize(
    ("hash_", "named"),
    [
        ("tab=nowhere&objective=none&cosine=7&margin=x",
         ["tab", "objective", "cosine is a number from −1 to 1: got “7”", "margin"]),
        ("%%%", ["%%%"]),
        ("objective=DPO&set.beta=-1", ["set.beta is a number above 0: got “-1”, and 0.1 stands"]),
        ("other=<b>x</b>", ["other has no “<b>x</b>”"]),
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_told_so_and_shows_the_beginning(opened, hash_, named):
    one = opened(hash_)
    first = "DPO" if "DPO" in hash_ else OWN.name
    assert one.page.input_value("#objective") == first
    assert (one.number("cosine"), one.number("margin")) == (0.9, 0)
    said = one.text("#faults")
    assert all(word in said for word in named)
    assert opened("objective=DPO&cosine=0.5").page.is_hidden("#faults")


def test_back_undoes_what_was_set(opened):
    one = opened("objective=DPO")
    for cosine in (0.8, 0.7):
        one.type(cosine=cosine)
        one.page.wait_for_url(lambda url, cosine=cosine: f"cosine={cosine}" in url)
    one.page.go_back()
    one.until("document.getElementById('cosine-number').value === '0.8'")
    one.page.go_back()
    one.until("document.getElementById('cosine-number').value === '0.9'")
    one.page.go_forward()
    one.until("document.getElementById('cosine-number').value === '0.8'")


def test_the_keyboard_reaches_tabs_menus_and_buttons(opened):
    one = opened("objective=DPO")
    one.page.keyboard.press("Tab")
    assert one.page.evaluate("document.activeElement.className") == "skip"
    one.page.keyboard.press("Tab")
    assert one.page.evaluate("document.activeElement.id") == "tab-pair"
    one.page.keyboard.press("ArrowRight")
    one.ready("toys")
    assert one.page.evaluate("document.activeElement.id") == "tab-toys"
    seen = set()
    for _ in range(9):
        one.page.keyboard.press("Tab")
        seen.add(one.page.evaluate("document.activeElement.id"))
    assert {"objective", "play", "step", "reset"} <= seen
    one.page.focus("#step")
    one.page.keyboard.press("Enter")
    assert one.text("#steps") == "1"
    assert one.page.evaluate(UNNAMED) == 0


@pytest.mark.parametrize("toy", TOYS)
def test_a_toy_run_has_the_values_of_the_simulation(opened, toy):
    one = opened(f"tab=toys&objective=BCE&toy={toy}&vocabulary=8&suffix=7")
    one.page.click("#step")
    one.page.click("#step-10")
    settings = {"vocabulary": 8} | ({} if toy == "single-token" else {"suffix": 7})
    study = run_toy(TOYS[toy], BCE, steps=11, settings=settings)
    run = study.trajectory
    told = one.values("toy-logp_w", "toy-logp_l", "toy-d_w", "toy-d_l", "toy-cosine", "steps")
    ends = [run.logp_w, run.logp_l, run.d_w, run.d_l, run.gram.cosine]
    assert told == pytest.approx([*(float(v[-1]) for v in ends), 11], rel=1e-9)
    cells = one.page.eval_on_selector_all("#toy-table tr:last-child td", CELLS)
    moved = [float(v) for side, logp in zip((0, 1), (run.logp_w, run.logp_l), strict=True)
             for v in (run.predicted[side][:11].sum(), logp[-1] - logp[0])]  # fmt: skip
    assert cells == pytest.approx(moved, rel=1e-9)


def test_a_toy_plays_pauses_and_begins_again(opened):
    one = opened("tab=toys&objective=DPO")
    one.page.click("#play")
    one.page.wait_for_selector("#steps:not([data-value='0']):not([data-value='1'])")
    assert one.text("#play") == "Pause"
    one.page.click("#play")
    stopped = one.text("#steps")
    one.page.wait_for_timeout(300)
    assert one.text("#steps") == stopped
    one.page.click("#reset")
    assert one.text("#steps") == "0"


def test_a_run_that_explodes_says_so_and_stops(opened):
    one = opened("tab=toys&objective=IPO&rate=1000000000")
    for _ in range(6):
        one.page.click("#step-10")
    assert 0 < int(one.text("#steps")) < 60
    assert "leaves the finite numbers" in one.text("#toy-words")


@pytest.mark.parametrize("when", [0, 1])
def test_token_changes_are_those_of_the_recorded_products(opened, when):
    found = recorded()
    one = opened(f"tab=tokens&objective=SimPO&margin=2&example=1&when={found['when'][when]}")
    products = np.array(found["products"])[when, 1]
    length = len(found["chosen"])
    data = data_of({"margin": 2, "shift": 0, "ref_w": -20, "ref_l": -20, "len_w": 10, "len_l": 10})
    d_w, d_l = (float(d) for d in SIMPO.kernel("incentives")(*data))
    step = np.concatenate([np.full(length, d_w), np.full(len(products) - length, -d_l)])
    told = one.page.eval_on_selector_all(".token", CELLS)
    np.testing.assert_allclose(told, products @ step, rtol=1e-9, atol=1e-9)
    ends = np.zeros((len(products), 2))
    ends[:length, 0] = ends[length:, 1] = 1
    (sq_w, dot), (_, sq_l) = ends.T @ products @ ends
    gram = Gram(np.asarray(sq_w), np.asarray(sq_l), np.asarray(dot))
    told = one.values("pair-cosine", "pair-norm_ratio", "pair-band", "pair-case")
    expected = [float(gram.cosine), float(gram.norm_ratio), float(band(gram).low)]
    assert told == pytest.approx([*expected, int(case(d_w, d_l, gram))], rel=1e-9)
    one.page.click("#take")
    assert one.number("cosine") == pytest.approx(float(gram.cosine), rel=1e-9)


@pytest.mark.parametrize("tab", ["pair", "toys", "horizon", "tokens"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_in_its_width(opened, tab, scheme):
    one = opened(f"tab={tab}&objective=MPO", viewport=PHONE, color_scheme=scheme)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    one.page.locator(f"#panel-{tab} canvas").first.wait_for(state="visible")


def test_pictures_follow_the_colour_scheme(opened):
    one = opened("objective=DPO", color_scheme="light")
    light = one.page.evaluate(PICTURE)
    one.until(f"{PICTURE} === {PAPER}")
    one.page.emulate_media(color_scheme="dark")
    # the page hears of the change in its own time
    one.until(f"{PICTURE} !== {light!r} && {PICTURE} === {PAPER}")


def test_the_plane_shows_the_point_and_its_band(opened):
    one = opened("objective=BCE&cosine=0.5&norm_ratio=2&margin=4")
    point = one.page.evaluate(COLUMNS, "plane.point")
    d_w, d_l = one.values("d_w", "d_l")
    assert point == {"x": [0.5], "y": [pytest.approx(math.log(d_w / d_l))]}
    mended = one.page.evaluate(COLUMNS, "plane.mended")
    assert mended == {"x": [0.5], "y": [pytest.approx(math.log(2))]}
    edges = one.page.evaluate(COLUMNS, "plane.band")
    at = min(range(len(edges["x"])), key=lambda i: abs(edges["x"][i] - 0.5))
    assert [edges["low"][at], edges["high"][at]] == pytest.approx(
        [math.log(2) + math.log(0.5), math.log(2) - math.log(0.5)]
    )
