"""Section 4.3: the predictions on the sentiment task, decided by an experiment."""

from ...deciding.claim import Prediction
from ...experiments.sentiment.rules import CRITERIA

EXPERIMENT = "sentiment check"
# By the part of an entry's id that names the model: the experiment, what its outcomes' names begin
# with, and the setting.
SETTINGS = {
    "": (
        EXPERIMENT,
        "",
        (
            "On a small GPT-2 trained here on real tweets, in a regime chosen on other seeds, on "
            "held-out tweets: "
        ),
    ),
    "learnt.": (
        "gpt2",
        "learnt-",
        (
            "On the small GPT-2, first taught to answer right, on held-out tweets, run by `disband "
            "gpt2 --question learnt`: "
        ),
    ),
    "smollm2.": (
        "smollm2",
        "",
        (
            "On SmolLM2-135M-Instruct, fine-tuned on right responses, then trained until the "
            "held-out margin had grown by a nat, on held-out tweets, run by `disband gpt2 --scale "
            "pretrained --question runs`: "
        ),
    ),
}


def predicted(slug: str, locator: str, says: str, outcome: str) -> tuple[Prediction, ...]:
    """Return a prediction of section 4.3 with how it is measured here, on each model."""
    return tuple(
        Prediction(
            id=f"yuan2025.section4.3.{model}{slug}",
            locator=f"Section 4.3, {locator}",
            says=says,
            experiment=experiment,
            outcome=f"{prefix}{outcome}",
            note=f"{setting}{CRITERIA[outcome]}.",
        )
        for model, (experiment, prefix, setting) in SETTINGS.items()
    )


CLAIMS = (
    *predicted(
        "single-rises",
        "prediction (1) and Figure 3",
        "In the single token case DPO allows the chosen log-probability to increase.",
        "chosen-single-rises",
    ),
    *predicted(
        "single-rejected-falls",
        "prediction (1) and Figure 3",
        "In the single token case DPO allows the rejected log-probability to decrease.",
        "rejected-single-falls",
    ),
    *predicted(
        "short-falls",
        "prediction (2) and Figure 3",
        "For the short suffix DPO reduces the chosen log-probability.",
        "chosen-short-falls",
    ),
    *predicted(
        "long-falls",
        "prediction (2) and Figure 3",
        "For the long suffix DPO reduces the chosen log-probability.",
        "chosen-long-falls",
    ),
    *predicted(
        "long-falls-more",
        "prediction (2) and Figure 3",
        "DPO reduces the chosen log-probability more for the long suffix than for the short one.",
        "chosen-long-falls-more",
    ),
    *predicted(
        "prefix-falls",
        "after Figure 3",
        "The chosen log-probability increases only in the single token case: with a prefix and a "
        "suffix it does not.",
        "chosen-prefix-falls",
    ),
    *predicted(
        "single-cosine",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity in the single token case stays negative during training.",
        "cosine-single-negative",
    ),
    *predicted(
        "short-cosine",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity in the short suffix case is positive.",
        "cosine-short-positive",
    ),
    *predicted(
        "long-cosine",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity in the long suffix case is positive.",
        "cosine-long-positive",
    ),
    *predicted(
        "cosine-grows",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity increases as the suffix length grows.",
        "cosine-long-higher",
    ),
    *predicted(
        "differing-token-before",
        "prediction (3) and Figure 4b",
        "For the differing token the token-wise gradient inner product is negative: before DPO.",
        "token-differing-before",
    ),
    *predicted(
        "differing-token-after",
        "prediction (3) and Figure 4b",
        "For the differing token the token-wise gradient inner product is negative: after DPO.",
        "token-differing-after",
    ),
    *predicted(
        "identical-tokens-before",
        "prediction (3) and Figure 4b",
        "For identical tokens the token-wise gradient inner product is positive: before DPO.",
        "token-identical-before",
    ),
    *predicted(
        "identical-tokens-after",
        "prediction (3) and Figure 4b",
        "For identical tokens the token-wise gradient inner product is positive: after DPO.",
        "token-identical-after",
    ),
)
