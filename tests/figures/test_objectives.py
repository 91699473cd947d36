from itertools import chain

import numpy as np

from disband.figures.objectives import gallery_picture, phase_picture
from disband.sims.pairs.gallery import Line, lines
from disband.sims.pairs.studies import EDIT_ONE_SHARED
from disband.sims.surveys.phases import (
    FAR,
    STILL,
    agreement,
    over_margins,
    phases,
    representatives,
)
from disband.theory.band import Case, band, case
from disband.theory.gram import Gram
from disband.theory.objectives import DPO, HINGE, IPO, MECHANISMS, OBJECTIVES, SFT
from tests.sampling import some


def test_every_objective_has_one_mechanism():
    assert sorted(chain(*MECHANISMS.values())) == sorted(o.name for o in OBJECTIVES)


@some
def test_a_phase_diagram_shows_the_case_of_each_geometry(objective):
    found = phases(objective, FAR, cosine=[-0.5, 0.3, 0.9], log_norm_ratio=[-1.0, 0.2])
    d_w, d_l = (float(objective.kernel(w)(*FAR.values())) for w in ("d_w", "d_l"))
    for k, m in np.ndindex(2, 3):
        gram = Gram.of_angle(found.cosine[m], np.exp(found.log_norm_ratio[k]))
        expected = STILL if d_w == d_l == 0 else int(case(d_w, d_l, gram))
        assert found.cases[k, m] == expected


def test_margins_are_those_of_a_fall_of_either_response():
    pair = {**FAR, "logp_l": FAR["logp_w"]}
    few = over_margins([(IPO, {}), (IPO, {"beta": 0.01})], pair, fall=8)
    assert [one.state for one in few[:3]] == [
        "chosen fallen 8 nats", "the pair", "rejected fallen 8 nats",
    ]  # fmt: skip
    reversed_at = [(one.cases == Case.REVERSED).any() for one in few]
    assert reversed_at == [False, False, True, False, False, False]


def test_phase_pictures_have_a_named_panel_each_and_say_what_moves():
    diagrams = [phases(o, {**FAR, "logp_l": -60.0}) for o in (DPO, HINGE, IPO, SFT)]
    figure = phase_picture(diagrams, "far out").figure
    assert [axes.get_title() for axes in figure.axes[:4]] == ["DPO", "Hinge", "IPO", "SFT"]
    (legend,) = figure.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert words[-1] == "nothing moves"
    assert Case.REVERSED.words in words


def test_panels_of_several_margins_name_the_objective_and_the_margin():
    figure = phase_picture(over_margins([(DPO, {}), (IPO, {})], FAR)).figure
    assert [axes.get_title() for axes in figure.axes[:3]][1] == "the pair"
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["DPO"] * 3 + ["IPO"] * 3


def test_a_line_is_the_log_ratio_beside_the_band_of_its_run():
    study = EDIT_ONE_SHARED.run(DPO, steps=5)
    line = lines([study])["DPO"]
    np.testing.assert_allclose(line.log_ratio, 0)
    edges = band(study.trajectory.gram)
    np.testing.assert_allclose(np.exp(line.low), edges.low)
    np.testing.assert_allclose(np.exp(line.high), edges.high)
    assert (line.inside == (study.cases() == Case.IDEAL)).all()


def test_a_line_has_gaps_where_an_incentive_is_not_positive():
    line = lines([EDIT_ONE_SHARED.run(SFT, steps=3)])["SFT"]
    assert np.isnan(line.log_ratio).all()
    assert not line.inside.any()


def test_what_stands_for_many_agrees_with_them_more_than_any_other_does():
    diagrams = [phases(o, FAR) for o in OBJECTIVES]
    stands = representatives(diagrams, 6)
    assert sorted(one.name for its in stands.values() for one in its) == sorted(
        one.name for one in diagrams
    )
    first = {name: its[0] for name, its in stands.items()}
    assert len(first) == 6
    for name, its in stands.items():
        for one in its:
            best = max(agreement(one, other) for other in first.values())
            assert agreement(one, first[name]) == best


def test_a_place_in_the_band_is_the_offset_by_half_its_width():
    line = Line(np.array([0.0, 1.0, np.nan, 5.0]), np.array([-1.0, 0, 0, -np.inf]),
                np.array([3.0, 1.0, 1.0, np.inf]))  # fmt: skip
    np.testing.assert_allclose(line.place, [-0.5, 1.0, np.nan, 0.0])


def test_the_gallery_labels_lines_and_names_those_without():
    steps = np.arange(6.0)
    low, high = np.full(6, -0.2), np.full(6, 0.3)
    shown = {
        "DPO": Line(0 * steps, low, high),
        "IPO": Line(0 * steps, low, high),
        "LSIF": Line(10 * steps, low, high),
        "Hinge": Line(np.where(steps < 3, 0, np.nan), low, high),
        "SFT": Line(np.full(6, np.nan), low, high),
    }
    figure = gallery_picture(
        shown, {"one": ["DPO", "IPO", "Hinge", "SFT"], "two": ["LSIF", "gone"]}
    ).figure
    one, two = figure.axes[:2]
    texts = [text.get_text() for text in one.texts]
    assert "DPO, IPO, Hinge" in texts[0].replace("\n", " ")
    assert "never both positive: SFT" in texts
    assert [text.get_text() for text in two.texts] == ["LSIF"]
    assert two.get_ylim()[1] > 200 > two.get_yticks()[-1] == 100
    ends = [line for line in one.get_lines() if line.get_marker() == "x"]
    assert [float(line.get_xdata()[0]) for line in ends] == [2.0]
    thick = [line for line in two.get_lines() if line.get_linewidth() > 2]
    assert np.isfinite(thick[0].get_ydata()).sum() == 1
