"""Full scale: pieces as large as a GPU allows, and what they will take, said before."""

from dataclasses import replace

import pytest

from disband.verify.experiments.gpt2.full import PIECES, Size, estimate, tiny
from disband.verify.experiments.gpt2.pretrained import PIECES as LIGHT

GPT2 = Size(parameters=124_439_808, layers=12, width=768, vocabulary=50257)
XL = Size(parameters=1_557_611_200, layers=48, width=1600, vocabulary=50257)


def test_the_pieces_are_those_of_the_protocol_with_more_of_everything():
    for light, full in zip(LIGHT, PIECES, strict=True):
        assert str(full) == str(light)
        assert (full.rule, full.supervision) == (light.rule, light.supervision)
        assert full.steps > light.steps
        assert full.pairs > light.pairs
        assert full.recomputed


def test_a_tiny_piece_does_every_kind_of_thing_that_its_piece_does():
    for piece in PIECES:
        small = tiny(piece)
        assert (small.mixed, small.recomputed, small.calibrated) == (
            piece.mixed, piece.recomputed, piece.calibrated
        )  # fmt: skip
        assert bool(small.token_pairs) == bool(piece.token_pairs)
        assert 1 < small.steps / small.logp_every < small.steps


def test_weights_and_their_moments_are_most_of_the_memory():
    piece = PIECES[0]
    for size in (GPT2, XL):
        assert estimate(piece, size).memory > 24 * size.parameters
        plain = estimate(replace(piece, recomputed=False), size)
        assert plain.memory > estimate(piece, size).memory
    assert estimate(piece, XL).memory < 80e9


def test_an_estimate_counts_every_pass_over_tokens():
    """By hand for one update of one pair, looked at before and after it, in float32."""
    piece = replace(
        PIECES[0], steps=1, batch=1, pairs=1, gram_pairs=1, token_pairs=0, logp_every=1,
        gram_every=1, recomputed=False,
        supervision=replace(PIECES[0].supervision, steps=1, batch=1),
    )  # fmt: skip
    both, one = 24 + 2 * 18, 24 + 18
    # Fine-tuning; three looks; two Grams and the slopes at two looks; over update and reference.
    passes = 3 * one + 3 * both + 3 * 4 * both
    assert estimate(piece, GPT2).updates == pytest.approx(1 + passes / (4 * both))
