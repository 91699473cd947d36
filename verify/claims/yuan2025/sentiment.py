"""Section 4.3: the predictions on the sentiment task, decided by an experiment."""

from verify.claim import Prediction

EXPERIMENT = "sentiment check"
SETTING = "On a small GPT-2 trained here on real tweets, over the held-out pairs of each seed: "


def predicted(slug: str, locator: str, says: str, outcome: str, criterion: str) -> Prediction:
    """Return a prediction of section 4.3 with how it is measured here."""
    return Prediction(
        id=f"yuan2025.section4.3.{slug}",
        locator=f"Section 4.3, {locator}",
        says=says,
        experiment=EXPERIMENT,
        outcome=outcome,
        note=SETTING + criterion,
    )


CLAIMS = (
    predicted(
        "single-rises",
        "prediction (1) and Figure 3",
        "In the single token case DPO allows the chosen log-probability to increase.",
        "chosen-single-rises",
        "its mean is higher after DPO than before.",
    ),
    predicted(
        "short-falls",
        "prediction (2) and Figure 3",
        "For the short suffix DPO reduces the chosen log-probability.",
        "chosen-short-falls",
        "its mean is lower after DPO than before.",
    ),
    predicted(
        "long-falls",
        "prediction (2) and Figure 3",
        "For the long suffix DPO reduces the chosen log-probability.",
        "chosen-long-falls",
        "its mean is lower after DPO than before.",
    ),
    predicted(
        "long-falls-more",
        "prediction (2) and Figure 3",
        "DPO reduces the chosen log-probability more for the long suffix than for the short one.",
        "chosen-long-falls-more",
        "the mean change over DPO is lower for the long suffix.",
    ),
    predicted(
        "single-cosine",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity in the single token case stays negative during training.",
        "cosine-single-negative",
        "its mean is below zero at every measurement.",
    ),
    predicted(
        "short-cosine",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity in the short suffix case is positive.",
        "cosine-short-positive",
        "its mean over the measurements after the first update is above zero.",
    ),
    predicted(
        "long-cosine",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity in the long suffix case is positive.",
        "cosine-long-positive",
        "its mean over the measurements after the first update is above zero.",
    ),
    predicted(
        "cosine-grows",
        "after Figure 3, and Figure 4a",
        "The gradient cosine similarity increases as the suffix length grows.",
        "cosine-long-higher",
        "its mean over the measurements after the first update is higher for the long suffix.",
    ),
    predicted(
        "differing-token-before",
        "prediction (3) and Figure 4b",
        "For the differing token the token-wise gradient inner product is negative: before DPO.",
        "token-differing-before",
        "the cosine at the differing token, mean over pairs, is below zero before DPO.",
    ),
    predicted(
        "differing-token-after",
        "prediction (3) and Figure 4b",
        "For the differing token the token-wise gradient inner product is negative: after DPO.",
        "token-differing-after",
        "the cosine at the differing token, mean over pairs, is below zero after DPO.",
    ),
    predicted(
        "identical-tokens-before",
        "prediction (3) and Figure 4b",
        "For identical tokens the token-wise gradient inner product is positive: before DPO.",
        "token-identical-before",
        "the cosine at every token after the differing one is above zero before DPO.",
    ),
    predicted(
        "identical-tokens-after",
        "prediction (3) and Figure 4b",
        "For identical tokens the token-wise gradient inner product is positive: after DPO.",
        "token-identical-after",
        "the cosine at every token after the differing one is above zero after DPO.",
    ),
)
