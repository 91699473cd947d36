"""The predictions of section 4.3, judged on hand-made results."""

import numpy as np
import pytest

from disband.verify.experiments.sentiment.rules import position_cosines, predictions


def arrays(change=0.0, cosine=0.0, tokens=None):
    """A finished style with the given change of the chosen log-probability and cosine."""
    logp_w = np.array([[-2.0, -3.0], [-2.0 + change, -3.0 + change]])
    logp_l = np.array([[-2.0, -3.0], [-4.0, -5.0]])
    ones = np.ones((3, 2))
    made = {
        "logp_w": logp_w,
        "logp_l": logp_l,
        "sq_w": ones,
        "sq_l": 4 * ones,
        "dot": 2 * cosine * ones,
    }
    if tokens is not None:
        # Four tokens; the second differs. Across the responses the cosines are as given.
        gram = np.tile(np.eye(8), (2, 1, 1, 1))
        for i, value in enumerate(tokens):
            gram[..., i, 4 + i] = gram[..., 4 + i, i] = value
        made |= {"token_gram": gram, "tokens": np.array([*"aPbc", *"aNbc"])}
    return made


GOOD = {
    "single token": arrays(0.01, -0.9),
    "short suffix": arrays(-0.5, 0.2),
    "long suffix": arrays(-1.0, 0.6),
    "prefix+suffix": arrays(-1.0, 0.7, (1.0, -0.5, 0.9, 0.8)),
}


def held(**changed):
    results = {(seed, style): made for seed in (3, 4) for style, made in GOOD.items()}
    for style, made in changed.items():
        results[4, style.replace("_", " ").replace("plus", "+")] = made
    return {p.name: [o.holds for o in p.outcomes] for p in predictions(results)}


def test_predictions_that_hold_are_found_to_hold():
    outcome = held()
    assert len(outcome) == 14
    assert all(value == [True, True] for value in outcome.values())


@pytest.mark.parametrize(
    ("style", "made", "failing"),
    [
        ("single_token", arrays(-0.01, -0.9), {"chosen-single-rises"}),
        ("single_token", arrays(0.01, 0.1), {"cosine-single-negative"}),
        ("short_suffix", arrays(0.5, 0.2), {"chosen-short-falls"}),
        ("short_suffix", arrays(-1.5, 0.2), {"chosen-long-falls-more"}),
        ("short_suffix", arrays(-0.5, -0.2), {"cosine-short-positive"}),
        ("short_suffix", arrays(-0.5, 0.7), {"cosine-long-higher"}),
        ("long_suffix", arrays(0.1, 0.6), {"chosen-long-falls", "chosen-long-falls-more"}),
        ("long_suffix", arrays(-1.0, -0.6), {"cosine-long-positive", "cosine-long-higher"}),
        (
            "prefixplussuffix",
            arrays(-1, 0, (1.0, 0.5, 0.9, 0.8)),
            {"token-differing-before", "token-differing-after"},
        ),
        (
            "prefixplussuffix",
            arrays(-1, 0, (1.0, -0.5, 0.9, -0.1)),
            {"token-identical-before", "token-identical-after"},
        ),
        # What precedes the differing token proves nothing.
        ("prefixplussuffix", arrays(-1, 0, (-1.0, -0.5, 0.9, 0.8)), set()),
    ],
)
def test_a_prediction_that_fails_on_a_seed_is_found_to_fail_there(style, made, failing):
    outcome = held(**{style: made})
    assert {name for name, value in outcome.items() if value == [True, False]} == failing
    assert all(value == [True, True] for name, value in outcome.items() if name not in failing)


def test_predictions_tell_the_moments_apart():
    made = arrays(-1, 0, (1.0, -0.5, 0.9, 0.8))
    made["token_gram"][1, :, 1, 5] = 0.5
    assert [n for n, v in held(prefixplussuffix=made).items() if not all(v)] == [
        "token-differing-after"
    ]


def test_a_cosine_that_turns_positive_once_does_not_stay_negative():
    made = arrays(0.01, -0.9)
    made["dot"][1] *= -1
    assert [n for n, v in held(single_token=made).items() if not all(v)] == [
        "cosine-single-negative"
    ]


def test_a_change_within_noise_decides_nothing():
    made = arrays(0.01, -0.9)
    made["logp_w"][-1] += [0.3, -0.3]
    outcome = held(single_token=made)
    assert outcome["chosen-single-rises"] == [True, None]
    made["logp_w"][-1] += 5
    assert held(single_token=made)["chosen-single-rises"] == [True, True]


def test_a_rejected_response_that_rises_is_found():
    made = arrays(0.01, -0.9)
    made["logp_l"] = made["logp_l"][::-1]
    assert held(single_token=made)["rejected-single-falls"] == [True, False]


def test_predictions_carry_their_numbers():
    results = {(0, style): made for style, made in GOOD.items()}
    by_name = {p.name: p for p in predictions(results)}
    assert by_name["chosen-single-rises"].outcomes[0].numbers["change"] == pytest.approx(0.01)
    assert by_name["cosine-long-higher"].outcomes[0].numbers == pytest.approx(
        {"short": 0.2, "long": 0.6}
    )
    assert by_name["chosen-single-rises"].count == 1


def test_incomplete_results_are_refused():
    with pytest.raises(ValueError, match=r"missing \[\(0, 'long suffix'\)"):
        predictions(
            {(0, "short suffix"): GOOD["short suffix"]}
            | {(0, n): GOOD[n] for n in ("single token", "prefix+suffix")}
        )
    made = dict(GOOD["prefix+suffix"], tokens=np.array([*"aPbc", *"aNbd"]))
    with pytest.raises(ValueError, match="differ in one token"):
        position_cosines(made)
