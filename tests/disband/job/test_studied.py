"""Which runs on language models a report stands on, when there are several."""

import json

import pytest

from disband.job.studied import drawn, studied
from disband.terminal.errors import Refusal
from disband.verify.pages.entries import merged


def record(*questions, seeds=(1, 2), name="gpt2", holds=True):
    return {
        "name": name,
        "settings": {"questions": list(questions), "seeds": list(seeds)},
        "predictions": [
            {
                "name": f"of-{question}",
                "per_seed": [{"seed": s, "holds": holds, "numbers": {}} for s in seeds],
            }
            for question in questions
        ],
        "tables": {},
        "curves": [],
    }


def write(folder, one):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{one['name']}.json").write_text(json.dumps(one))


@pytest.fixture
def kept(tmp_path):
    write(tmp_path / "results" / "first", record("steps", "runs"))
    write(tmp_path / "results" / "later", record("steps", "methods", seeds=(3, 4, 5), holds=False))
    write(tmp_path / "results" / "other", record("steps", name="smollm2"))
    return tmp_path / "results"


def test_all_kept_records_are_read_and_that_of_more_seeds_decides(kept, tmp_path):
    found = studied(tmp_path / "out", kept)
    assert [one["where"] for one in found] == ["results/later", "results/first", "results/other"]
    both = merged(found)
    assert set(both) == {"gpt2", "smollm2"}
    assert set(both["gpt2"]) == {"of-steps", "of-runs", "of-methods"}
    assert [one["seed"] for one in both["gpt2"]["of-steps"]] == [3, 4, 5]
    assert [one["seed"] for one in both["smollm2"]["of-steps"]] == [1, 2]


def test_ones_own_run_decides_and_stands_for_those_it_asks_all_questions_of(kept, tmp_path):
    write(tmp_path / "out", record("steps", "runs", seeds=(7,)))
    found = studied(tmp_path / "out", kept)
    assert [one["where"] for one in found] == ["", "results/later", "results/other"]
    decided = merged(found)["gpt2"]
    assert [one["seed"] for one in decided["of-steps"]] == [7]
    assert [one["seed"] for one in decided["of-methods"]] == [3, 4, 5]


def test_ones_own_record_that_is_damaged_is_refused(kept, tmp_path):
    (tmp_path / "gpt2.json").write_text("{")
    with pytest.raises(Refusal, match="cannot be read"):
        studied(tmp_path, kept)


def test_each_record_has_pictures_of_its_own(tmp_path):
    row = {
        "seed": 1, "data": "sentiment", "objective": "DPO", "method": "none", "chosen": 0.1,
        "rejected": -0.1, "relative updates": 1.0, "relative cost": 1.0,
    }  # fmt: skip
    records = [
        record("methods") | {"where": where, "tables": {"methods": [row]}}
        for where in ("", "results/methods")
    ]
    found = drawn(records, tmp_path)
    assert {path.name for path in found.values()} == {
        "gpt2-methods.svg", "results-methods-methods.svg",
    }  # fmt: skip
    assert sum(said.endswith("(results/methods)") for said in found) == 1
