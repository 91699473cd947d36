"""What explains the fall of the chosen in a training run: findings on language models."""

from ...deciding.claim import Prediction
from ...experiments.gpt2.findings import CRITERIA, QUESTIONS
from ...experiments.gpt2.findings.horizon import PRETRAINED as FORECAST
from ...experiments.gpt2.findings.runs import FOLLOWED, SPARED

EXPERIMENT, PRETRAINED = "gpt2", "smollm2"
# These are the observations of yuan2025, section 3.3, and stand there; so do its predictions of
# section 4.3, of runs; the targets are wang2025's, where mass goes jian2025's.
_ELSEWHERE = ("runs", "learnt", "targets", "mass")
_PRINTED = ("margin-methods-fall", "normalised-fall", "sppo", "regularised-rise")
_ONE_STEP = {
    "first-order": "The batch Gram in the optimizer's metric, with its memory and decay, predicts "
    "the change of every response in a batch.",
    "first-order-error": "The size error of the first-order law grows in proportion to the "
    "learning rate.",
}

_LEARNT = ("learnt-labels", *(f"learnt-{rule.name}" for rule in FOLLOWED))
CLAIMS = (
    tuple(
        Prediction(
            id=f"disband.gpt2.{rule.name}",
            locator="Experiments on a small GPT-2",
            says=rule.says,
            experiment=EXPERIMENT,
            outcome=rule.name,
            note=f"Run by `disband gpt2`: {rule.criterion}.",
        )
        for question in QUESTIONS
        for rule in question.rules
        if (rule.name not in _PRINTED and question.name not in _ELSEWHERE and rule not in FORECAST)
        or rule.name in _LEARNT
    )
    + tuple(
        Prediction(
            id=f"disband.smollm2.{name}",
            locator="Experiments on a pretrained model",
            says=f"{says} (SmolLM2-135M-Instruct, SGD in batches of 1 and 4 pairs, AdamW of 1.)",
            experiment=PRETRAINED,
            outcome=name,
            note=f"Run by `disband gpt2 --model smollm2 --scale pretrained`: {CRITERIA[name]}.",
        )
        for name, says in _ONE_STEP.items()
    )
    + tuple(
        Prediction(
            id=f"disband.smollm2.{rule.name}",
            locator="Experiments on a pretrained model",
            says=f"{rule.says} (SmolLM2-135M-Instruct.)",
            experiment=PRETRAINED,
            outcome=rule.name,
            note=f"Run by `disband gpt2 --scale pretrained --question {question}`: "
            f"{rule.criterion}.",
        )
        for question, rules in (("runs", (*FOLLOWED, SPARED)), ("horizon", FORECAST))
        for rule in rules
    )
)
