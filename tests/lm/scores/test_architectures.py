"""A sample of the architectures and adapters that ``python -m benchmarks.architectures`` audits."""

import json

import pytest

from benchmarks.architectures import adapted, architecture, outcome
from disband.verify.kept.provenance import ROOT


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("build", "kind", "word"),
    [
        (architecture, "olmo2", "exact"),
        (architecture, "deepseek_v3", "exact, said"),
        (architecture, "xlm", "exact, said"),
        (adapted, "LoraConfig, DoRA", "exact, said"),
        (adapted, "nothing", "not built"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_model_of_any_kind_is_exact_or_it_is_said(build, kind, word):
    assert outcome(build, kind)["outcome"] == word


def test_of_all_that_were_audited_none_was_wrong():
    record = json.loads((ROOT / "results" / "benchmarks" / "architectures.json").read_text("utf-8"))
    words = {result["outcome"] for result in record["results"]}
    assert words <= {"exact", "exact, said", "refused", "not built"}
    right = sum("exact" in result["outcome"] for result in record["results"])
    assert right >= 100
    assert f"{right} models" in (ROOT / "docs" / "scores.md").read_text("utf-8")
