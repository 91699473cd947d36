import numpy as np
import pytest

from disband.figures.style import CHOSEN, REJECTED
from disband.figures.yuan2025 import figure_3, figure_4a, figure_4b
from disband.lm.data.tweets import STYLES


def line(axes, label):
    (found,) = [one for one in axes.get_lines() if one.get_label() == label]
    return found


def test_figure_3_shows_the_change_of_the_mean_over_pairs_and_seeds(results):
    figure = figure_3(results).figure
    assert [axes.get_title() for axes in figure.axes] == list(STYLES)
    for style, axes in zip(STYLES, figure.axes, strict=True):
        for name, label, look in (("logp_w", "chosen", CHOSEN), ("logp_l", "rejected", REJECTED)):
            means = np.stack([results[seed, style][name].mean(1) for seed in range(3)])
            change = (means - means[:, :1]).mean(0)
            drawn = line(axes, label)
            np.testing.assert_allclose(drawn.get_ydata(), change)
            np.testing.assert_array_equal(drawn.get_xdata(), results[0, style]["steps"])
            assert drawn.get_color() == look.color


def test_figure_3_has_one_scale_that_shows_the_smallest_panel_and_the_largest(results):
    drawing = figure_3(results)
    limits = {axes.get_ylim() for axes in drawing.figure.axes}
    assert len(limits) == 1
    ((low, high),) = limits
    assert low < min(row["least"] for row in drawing.numbers)
    assert high > max(row["most"] for row in drawing.numbers)
    smallest = max(abs(r["most"]) for r in drawing.numbers if r["style"] == "single token")
    linear = drawing.figure.axes[0].yaxis.get_transform().linthresh
    assert linear <= smallest
    assert f"linear up to {linear:g} nats" in drawing.basis


def test_figure_3_draws_every_seed(results):
    axes = figure_3(results).figure.axes[0]
    for seed in range(3):
        mean = results[seed, "single token"]["logp_w"].mean(1)
        assert any(
            np.allclose(one.get_ydata(), mean - mean[0])
            for one in axes.get_lines()
            if len(one.get_ydata()) == len(mean)
        )


def test_figure_4a_shows_the_mean_cosine_and_leaves_out_prefix_suffix(results):
    (axes,) = figure_4a(results).figure.axes
    for style in list(STYLES)[:3]:
        runs = [results[seed, style] for seed in range(3)]
        cosines = [(r["dot"] / np.sqrt(r["sq_w"] * r["sq_l"])).mean(1) for r in runs]
        drawn = line(axes, style)
        np.testing.assert_allclose(drawn.get_ydata(), np.mean(cosines, 0))
        np.testing.assert_array_equal(drawn.get_xdata(), runs[0]["gram_steps"])
    assert "prefix+suffix" not in [one.get_label() for one in axes.get_lines()]


def test_figure_4a_leaves_out_pairs_without_a_direction(results):
    run = results[0, "short suffix"]
    flat = {name: run[name].copy() for name in ("sq_w", "dot")}
    flat["sq_w"][:, 0] = flat["dot"][:, 0] = 0
    (axes,) = figure_4a({(0, "short suffix"): run | flat}).figure.axes
    rest = (run["dot"] / np.sqrt(run["sq_w"] * run["sq_l"]))[:, 1:].mean(1)
    np.testing.assert_allclose(line(axes, "short suffix").get_ydata(), rest)


def test_figure_4b_shows_chosen_against_rejected_tokens_with_their_values(results):
    run = results[0, "prefix+suffix"]
    before, after, _ = figure_4b(run).figure.axes
    for axes, gram in zip((before, after), run["token_gram"][:, 0], strict=True):
        norms = np.sqrt(np.diagonal(gram))
        cosine = (gram / np.outer(norms, norms))[:10, 10:]
        np.testing.assert_allclose(axes.images[0].get_array(), cosine)
        assert axes.images[0].get_clim() == (-1, 1)
        printed = [float(text.get_text().replace("−", "-")) for text in axes.texts]
        np.testing.assert_allclose(printed, cosine.ravel(), atol=0.0051)
    assert [t.get_text() for t in before.get_yticklabels()][3] == "␣positive"
    assert [t.get_text() for t in before.get_xticklabels()][3] == "␣negative"


def test_figure_4b_marks_a_token_without_a_gradient(results):
    run = dict(results[0, "prefix+suffix"])
    run["token_gram"] = run["token_gram"].copy()
    run["token_gram"][:, 0, 0] = run["token_gram"][:, 0, :, 0] = 0
    assert figure_4b(run).figure.axes[0].texts[0].get_text() == "×"


@pytest.mark.parametrize("draw", [figure_3, figure_4a])
def test_a_figure_of_nothing_is_refused(draw):
    with pytest.raises(ValueError, match="at least one run: got none; run the study"):
        draw({})


def test_seeds_measured_at_different_steps_are_refused(results):
    other = results[1, "single token"] | {"steps": results[1, "single token"]["steps"] + 1}
    both = {(0, "single token"): results[0, "single token"], (1, "single token"): other}
    with pytest.raises(ValueError, match="measured at the same steps"):
        figure_3(both)


def test_a_heat_map_without_token_grams_is_refused(results):
    with pytest.raises(ValueError, match=r"give a run of prefix\+suffix"):
        figure_4b(results[0, "single token"])


def test_a_heat_map_of_responses_of_different_length_is_refused(results):
    run = results[0, "prefix+suffix"]
    with pytest.raises(ValueError, match="got 19 tokens"):
        figure_4b(run | {"tokens": run["tokens"][:-1]})


def test_one_seed_is_enough(results):
    one = {key: run for key, run in results.items() if key[0] == 0}
    assert len(figure_3(one).figure.axes) == 4
    assert len(figure_4a(one).figure.axes) == 1
