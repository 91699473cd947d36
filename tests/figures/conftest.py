import numpy as np
import pytest

PAIR = [
    f"It has a {label} sentiment based on my judgement.".replace(".", " .")
    for label in ("positive", "negative")
]
TOKENS = [t for text in PAIR for t in text.replace(" ", "| ").replace(" .", ".").split("|")]
# Final change of chosen and rejected (nats), and first and last cosine.
SHAPES = {
    "single token": (0.03, -3.1, -0.3, -0.8),
    "short suffix": (-0.8, -4.2, 0.2, 0.4),
    "long suffix": (-3.1, -7.4, 0.5, 0.8),
    "prefix+suffix": (-4.0, -6.0, 0.6, 0.9),
}


def one_run(style, seed, pairs=12):
    rng = np.random.default_rng([seed, list(SHAPES).index(style)])
    steps = np.arange(0, 61, 5)
    gram_steps = steps[::3]
    time = steps[:, None] / steps[-1]
    end_w, end_l, first, last = SHAPES[style]
    noise = rng.normal(size=(2, 1, pairs))
    size = rng.uniform(0.7, 1.4)
    sq_w, sq_l = rng.uniform(1, 4, (2, len(gram_steps), pairs))
    cosine = first + (last - first) * time[::3] + 0.02 * rng.normal(size=(len(gram_steps), pairs))
    run = {
        "steps": steps,
        "logp_w": -1.2 + 0.2 * noise[0] + size * end_w * time**1.5,
        "logp_l": -1.4 + 0.2 * noise[1] + size * end_l * time**1.5,
        "gram_steps": gram_steps,
        "sq_w": sq_w,
        "sq_l": sq_l,
        "dot": np.clip(cosine, -1, 1) * np.sqrt(sq_w * sq_l),
    }
    if style == "prefix+suffix":
        scores = rng.normal(size=(2, 2, 10, 24))
        rejected = scores + 0.3 * rng.normal(size=scores.shape)
        rejected[:, :, 3] = -scores[:, :, 3]
        both = np.concatenate([scores, rejected], axis=2)
        run |= {"token_gram": both @ both.swapaxes(2, 3), "tokens": np.array(TOKENS)}
    return run


@pytest.fixture(scope="session")
def results():
    return {(seed, style): one_run(style, seed) for style in SHAPES for seed in range(3)}
