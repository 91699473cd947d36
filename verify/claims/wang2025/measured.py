"""What no theorem decides: the findings and the ablations, measured in toy worlds."""

from ...deciding.claim import Kind, Prediction
from ...experiments.gpt2.findings.targets import RULES as TARGET_RULES
from ...experiments.toys.dynamics import EXPERIMENT
from ...experiments.toys.dynamics_rules import RULES

MODELS = "gpt2"

# What a sentence of the abstract says; the other statements are this project's own.
SENTENCES = {
    *("dpo-stable", "ppo-dynamic", "ppo-explores", "dpo-offset", "dpo-offset-target"),
    *("dpo-joint-negative", "dpo-joint-positive", "dpo-weights-reward", "dpo-weights-overfitting"),
    *("ppo-negative-exploration", "ppo-negative-target", "ppo-weights-large", "ppo-weights-small"),
    *("target-stable", "target-offset", "target-opposite"),
}

# The sentence of the abstract that a rule's name begins with.
LOCATORS = {
    "dpo-stable": "Abstract, first finding",
    "ppo-dynamic": "Abstract, first finding",
    "ppo-explores": "Abstract, first finding",
    "dpo-offset": "Abstract, in DPO positive and negative learning",
    "ppo-offset": "Abstract, in DPO positive and negative learning",
    "dpo-joint": "Abstract, in DPO positive and negative learning",
    "dpo-weights": "Abstract, loss reweighting in DPO",
    "ppo-negative": "Abstract, negative learning in PPO",
    "ppo-weights": "Abstract, loss reweighting in PPO",
    "controlled": "Abstract, ablation studies",
}
SETTING = (
    "Toy worlds of several prompts with known rewards, whose definition is this project's: whole "
    "responses with logits of their own or with overlapping contexts, and responses of three "
    "tokens. Seeds are replicates of 32 worlds each; on one it holds if the 95 % interval of the "
    "mean lies above zero in every world named, and fails if it lies below in any. Measured: "
)


def _locator(name: str) -> str:
    return next(where for start, where in LOCATORS.items() if name.startswith(start))


def _whose(name: str) -> Kind:
    return Kind.READ if name in SENTENCES else Kind.OURS


_MODEL_LOCATORS = {
    "target-stable": "dpo-stable",
    "target-small-batches": "dpo-stable",
    "target-offset": "dpo-offset",
    "target-opposite": "dpo-offset",
    "target-reweighting": "dpo-weights",
}

ON_TOYS = tuple(
    Prediction(
        id=f"wang2025.toy.{rule.name}",
        locator=_locator(rule.name),
        says=rule.says,
        experiment=EXPERIMENT,
        outcome=rule.name,
        whose=_whose(rule.name),
        note=f"{SETTING}{rule.criterion}.",
    )
    for rule in RULES
)

ON_MODELS = tuple(
    Prediction(
        id=f"wang2025.gpt2.{rule.name}",
        locator=LOCATORS[_MODEL_LOCATORS[rule.name]],
        says=rule.says,
        experiment=MODELS,
        outcome=rule.name,
        whose=_whose(rule.name),
        note=f"Run by `disband gpt2`: {rule.criterion}. Answers are as long as the labelled ones.",
    )
    for rule in TARGET_RULES
)

CLAIMS = (*ON_TOYS, *ON_MODELS)
