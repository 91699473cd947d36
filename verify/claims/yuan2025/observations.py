"""Section 3.3: what the objectives did in the paper's training runs, asked of another task."""

from ...deciding.claim import Prediction
from ...experiments.gpt2.findings import CRITERIA

EXPERIMENT = "gpt2"
SETTING = (
    "The paper's runs are Mistral 7B and Llama-3 8B on TL;DR. Here: a small GPT-2 on the sentiment "
    "task, short suffix, equal rates of Adam, run by `disband gpt2`: "
)


def observed(slug: str, says: str, outcome: str) -> Prediction:
    """Return an observation of section 3.3 with how it is measured here."""
    return Prediction(
        id=f"yuan2025.section3.3.runs.{slug}",
        locator="Section 3.3, Figures 1 and 2",
        says=says,
        experiment=EXPERIMENT,
        outcome=outcome,
        note=f"{SETTING}{CRITERIA[outcome]}.",
    )


CLAIMS = (
    observed(
        "dpo",
        "For DPO and R-DPO, both the chosen and rejected log-probabilities tend to decrease "
        "simultaneously.",
        "margin-methods-fall",
    ),
    observed(
        "sppo",
        "Under SPPO the log-probability of the chosen responses increases, while that of the "
        "rejected responses decreases.",
        "sppo",
    ),
    observed(
        "regularised",
        "CPO, DPOP, RRHF and SLiC-HF, with explicit regularisation on the chosen log-probability, "
        "increase the log-probability of the chosen responses.",
        "regularised-rise",
    ),
    observed(
        "normalised",
        "Under SimPO and IPO both (average) log-probabilities decrease simultaneously.",
        "normalised-fall",
    ),
)
