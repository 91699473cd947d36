"""Sentences that toy worlds and a small GPT-2 decide: drawn worlds, seeds and intervals."""

from ...deciding.claim import Kind, Prediction
from ...experiments.gpt2.findings import mass
from ...experiments.toys.probability import EXPERIMENT
from ...experiments.toys.probability_rules import RULES

GPT2 = "gpt2"
# What a sentence of the abstract says; the other statements are this project's own.
READ = {
    *("start-decides", "shifts", "spo-chosen", "spo-aligned"),
    *("mass-shifts-single", "mass-shifts-short", "mass-spo-chosen", "mass-spo-more"),
}
SENTENCES = {
    "start-decides": "Abstract, sentence 4: sensitivity to initialization",
    "reference-free-forgets": "Abstract, sentence 4: sensitivity to initialization",
    "spo-forgets": "Abstract, sentence 4: sensitivity to initialization",
    "shifts": "Abstract, sentence 5: misallocation of probability mass",
    "passes": "Abstract, sentence 5: misallocation of probability mass",
    "lasts": "Abstract, sentence 5: misallocation of probability mass",
    "to-the-farthest": "Abstract, sentence 5: misallocation of probability mass",
    "to-the-farthest-of-its-own": "Abstract, sentence 5: misallocation of probability mass",
    "chosen-falls": "Abstract, sentence 5: misallocation of probability mass",
    "to-the-likely": "Abstract, sentence 6: bias and consistency",
    "spo-lower-level": "Abstract, sentence 7: the bilevel framework",
    "one-step": "Abstract, sentence 7: the bilevel framework",
    "spo-chosen": "Abstract, sentence 8: absolute improvement of the chosen",
    "spo-mass": "Abstract, sentence 9: output distributions",
    "spo-aligned": "Abstract, sentence 9: output distributions",
    "spo-price": "Abstract, sentence 9: output distributions",
    "spo-distance": "Abstract, sentence 9: output distributions",
}
GPT2_SENTENCES = {
    "mass-shifts-single": "Abstract, sentence 5: misallocation, on a small GPT-2",
    "mass-shifts-short": "Abstract, sentence 5: misallocation, on a small GPT-2",
    "mass-law": "Abstract, sentence 4: initialization, on a small GPT-2",
    "mass-spo-chosen": "Abstract, sentence 8: improvement of the chosen, on a small GPT-2",
    "mass-spo-more": "Abstract, sentence 8: improvement of the chosen, on a small GPT-2",
    "mass-spo-keeps": "Abstract, sentence 9: output distributions, on a small GPT-2",
    "mass-spo-lower-level": "Abstract, sentence 7: the bilevel framework, on a small GPT-2",
    "mass-spo-raises": "Abstract, sentence 8: improvement of the chosen, on a small GPT-2",
    "mass-spo-less": "Abstract, sentence 9: output distributions, on a small GPT-2",
    "mass-spo-price": "Abstract, sentence 9: output distributions, on a small GPT-2",
}


def _whose(name: str) -> Kind:
    return Kind.READ if name in READ else Kind.OURS


CLAIMS = (
    *(
        Prediction(
            id=f"jian2025.toys.{rule.name}",
            locator=SENTENCES[rule.name],
            says=rule.says,
            experiment=EXPERIMENT,
            outcome=rule.name,
            whose=_whose(rule.name),
            note=f"On drawn toy worlds, by `disband verify`: {rule.criterion}.",
        )
        for rule in sorted(RULES, key=lambda rule: list(SENTENCES).index(rule.name))
    ),
    *(
        Prediction(
            id=f"jian2025.gpt2.{rule.name.removeprefix('mass-')}",
            locator=GPT2_SENTENCES[rule.name],
            says=rule.says,
            experiment=GPT2,
            outcome=rule.name,
            whose=_whose(rule.name),
            note=f"Run by `disband gpt2 --question mass`: {rule.criterion}.",
        )
        for rule in mass.RULES
    ),
)
