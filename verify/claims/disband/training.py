"""What explains the fall of the chosen in a training run: findings on a small GPT-2."""

from verify.claim import Prediction
from verify.experiments.findings import RULES, mass, targets

EXPERIMENT = "gpt2"
# These are the observations of yuan2025, section 3.3, and stand there; the targets are wang2025's,
# where mass goes jian2025's.
_PRINTED = ("margin-methods-fall", "normalised-fall", "sppo", "regularised-rise")

CLAIMS = tuple(
    Prediction(
        id=f"disband.gpt2.{rule.name}",
        locator="Experiments on a small GPT-2",
        says=rule.says,
        experiment=EXPERIMENT,
        outcome=rule.name,
        note=f"Run by `disband gpt2`: {rule.criterion}.",
    )
    for rule in RULES
    if rule.name not in _PRINTED and rule not in (*targets.RULES, *mass.RULES)
)
