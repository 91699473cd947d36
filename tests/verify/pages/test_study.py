"""The document on the recorded experiments says what the records say, and is not stale."""

import pytest

from disband.verify.experiments.gpt2.findings import RULES
from disband.verify.experiments.sentiment.rules import CRITERIA
from disband.verify.kept.provenance import ROOT
from disband.verify.kept.recorded import recorded
from disband.verify.pages.study import study_page

RECORD = {
    "name": "gpt2",
    "settings": {
        "questions": ["steps"],
        "seeds": [4, 5],
        "model": {"layers": 2, "width": 16},
        "data": {"texts": 9, "source": "made up"},
    },
    "predictions": [
        {
            "says": "It holds.",
            "criterion": "more than half",
            "per_seed": [
                {"seed": 4, "holds": True, "numbers": {"share": 0.75}},
                {"seed": 5, "holds": None, "numbers": {"share": None}},
            ],
        }
    ],
    "provenance": {
        "command": "disband gpt2",
        "time": "2026-01-02T03:04:05",
        "device": "cpu",
        "versions": {"torch": "2", "ruff": "1"},
    },
}


def test_a_record_becomes_its_numbers_seed_by_seed():
    page = study_page({"small": RECORD})
    assert "| It holds. | 1 of 2, 1 undecided |" in page
    assert "| 4 | yes | 0.75 |\n| 5 | undecided | – |" in page
    assert "`disband gpt2`, 2026-01-02, cpu; torch 2; seeds 4, 5" in page


def test_it_says_whether_a_model_knew_its_task_and_what_is_not_finished():
    row = {
        "objective": "DPO", "style": "long suffix", "seed": 4, "right before fine-tuning": 0.5,
        "right after it": 0.75, "right at the end": 0.875, "updates": 12.0,
        "margin at the start": 1.5, "margin gained": 1.0625, "change of the chosen": -0.25,
        "interval of change of the chosen": [-0.5, 0.0], "change of the rejected": -1.25,
        "interval of change of the rejected": [-1.5, -1.0],
        "change of the chosen where right": 0.125, "change of the chosen where wrong": None,
        "promise kept by updates": 0.96875, "own promise kept by the run": 0.25,
        "first update's promise kept by the run": 0.5, "sum of promises kept by the run": 0.75,
    }  # fmt: skip
    settings = RECORD["settings"] | {"missing": ["seed 5: runs, DPO on long suffix"]}
    other = {"seed": 5, "right after it": 0.5, "change of the chosen": -0.75}
    rows = [row, row | other]
    page = study_page({"large": RECORD | {"tables": {"runs": rows}, "settings": settings}})
    assert "not here: 1 run, which the record names; the first is seed 5: runs, DPO on" in page
    assert "on 50 % of the held-out texts, after it on 50 % to 75 %." in page
    assert (
        "| DPO | long suffix | 2 | 0.125 [0.125, 0.125] | – | −0.5 [−0.75, −0.25] | "
        "−1.25 [−1.25, −1.25] | 62 % | 88 % | 97 % | 75 % | 50 % | 25 % |\n"
    ) in page
    assert (
        "| DPO | long suffix | 4 | 50.0 % | 75.0 % | 87.5 % | 12 | 1.5 | 1.062 | "
        "−0.25 [−0.5, 0] | 0.125 | – | −1.25 [−1.5, −1] | 96.9 % | 75.0 % | 50.0 % | 25.0 % |\n"
    ) in page
    assert "bfloat16" not in page
    known = {"model": {"source": "large", "parameters": 9}}
    page = study_page(
        {"large": RECORD | {"tables": {"learnt": rows}, "settings": settings | known}}
    )
    assert "bfloat16" in page
    assert "| DPO | long suffix | 2 |" in page


def test_it_begins_with_what_there_is():
    page = study_page({"small": RECORD, "large": RECORD})
    model = "a GPT-2 of 2 layers and width 16, trained on the tweets from random weights"
    assert f"| [small](#small) | steps | 4, 5 | {model} | 1 | 0 | 0 |\n| [large](#large) |" in page
    assert page.index("[large]") < page.index("## small") < page.index("## large")


def test_the_document_is_not_stale():
    written = (ROOT / "docs" / "gpt2.md").read_text("utf-8")
    assert written == study_page(recorded()), "stale; run: python -m disband.verify.pages"


@pytest.mark.parametrize("name", recorded())
def test_what_was_recorded_is_judged_by_the_criteria_of_today(name):
    criteria = {rule.name: rule.criterion for rule in RULES} | CRITERIA
    for prediction in recorded()[name]["predictions"]:
        assert prediction["criterion"] == criteria[prediction["name"]]
