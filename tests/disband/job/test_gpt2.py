"""``disband gpt2``: what it refuses, and a whole run on a model and data of one's own."""

import json

import pytest

pytest.importorskip("torch")

from disband.cli import main
from disband.job.gpt2 import OWN, Study, earlier, run, summary
from disband.lm.model.gpt2 import new_model, train_tokenizer
from disband.terminal.errors import Refusal
from disband.verify.experiments.gpt2.scales import INQUIRIES


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"questions": ["ages"]}, "a question at scale small is one of steps, courses"),
        ({"scale": "full", "questions": ["steps"]}, "a question at scale full is one of runs"),
        ({"dry_run": True}, "a dry run is of scale full"),
        ({"model": "smollm2", "device": "warp"}, "a device is one that torch has here"),
        ({"pairs": "pairs.jsonl"}, "give --model with --pairs"),
        ({"style": "haiku"}, "no style is named 'haiku'"),
        ({"objective": "dop"}, "dop"),
        ({"optimizer": "adam"}, "give --optimizer and --rate together"),
        ({"rate": 1e-3}, "give --optimizer and --rate together"),
        ({"questions": ["runs"], "gram_every": 2}, "the steps multiples"),
        ({"model": "./no/such"}, "a model is a folder"),
        ({"finished": True}, "a record is of finished pieces"),
    ],
    ids=str,
)
def test_what_cannot_be_run_is_refused_before_any_work(asked, said, tmp_path):
    with pytest.raises(Refusal, match=said):
        run(Study(tmp_path, **asked))
    assert not list(tmp_path.rglob("*.npz"))


def test_a_damaged_record_is_refused(tmp_path):
    assert earlier(tmp_path) == []
    (tmp_path / "gpt2.json").write_text('{"predictions": [')
    with pytest.raises(Refusal, match=r"gpt2\.json is what disband gpt2 writes"):
        earlier(tmp_path)


def test_what_is_asked_of_another_model_is_not_the_ledgers(tmp_path):
    assert Study(tmp_path).name == "gpt2"
    assert Study(tmp_path, model="smollm2").name == OWN
    assert Study(tmp_path, model="smollm2", scale="pretrained").name == "smollm2"
    assert Study(tmp_path, scale="pretrained").name == "smollm2"
    assert Study(tmp_path, model="other", scale="pretrained").name == OWN
    assert Study(tmp_path, model="smollm2", scale="pretrained", gram_every=1).name == OWN
    assert Study(tmp_path, sft_steps=0).name == OWN


def test_pieces_that_have_the_style_asked_for_are_meant_and_not_all_made_into_it(
    tmp_path, monkeypatch
):
    """One of them may have more of its own, such as a token map, which another would not."""
    seen = []

    def run_study(inquiries, *_given, **_settings):
        seen.extend(inquiries)
        raise InterruptedError

    monkeypatch.setattr("disband.verify.experiments.gpt2.study.run_study", run_study)
    (known,) = (i.pieces for i in INQUIRIES["laptop"] if i.name == "learnt")

    def pieces(question="learnt", **asked):
        seen.clear()
        with pytest.raises(InterruptedError):
            run(Study(tmp_path, questions=[question], scale="laptop", **asked))
        return seen[0].pieces

    assert pieces(style="prefix+suffix", objective="dpo") == known[3:]
    assert known[3].token_pairs == 4
    assert {p.style for p in pieces(style="edit one 3+6")} == {"edit one 3+6"}
    (free,) = pieces("horizon", style="free text", optimizer="sgd", rate=1e-3)
    assert (free.style, free.rule.kind) == ("free text", "sgd")


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["gpt2", "--style", "haiku", "--out", str(tmp_path)])
    assert left.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_run_on_a_model_and_pairs_of_ones_own(tmp_path):
    rows = [
        {"prompt": f"what is {n} and {n}?", "chosen": f" {2 * n} it is.", "rejected": " no idea."}
        for n in range(80)
    ]
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
    tokenizer = train_tokenizer([str(row) for row in rows], ["It is."], 400)
    model = new_model(vocabulary=len(tokenizer), layers=1, heads=2, width=16, positions=64, seed=0)
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "model")
    asked = {
        "model": str(tmp_path / "model"), "pairs": str(data), "questions": ["runs", "courses"],
        "objective": "simpo", "steps": 2, "batch": 4, "sft_steps": 1, "workers": 1,
        "optimizer": "adamw", "rate": 1e-3, "checkpoints": tmp_path / "saved",
    }  # fmt: skip
    with pytest.raises(Refusal, match="line 81"):
        run(Study(tmp_path / "out", **asked))
    asked["skip_malformed"] = True
    with pytest.raises(Refusal, match="held out, and there are"):
        run(Study(tmp_path / "out", **asked))
    record = run(Study(tmp_path / "out", eval_pairs=4, **asked))
    assert record["name"] == OWN
    written = json.loads((tmp_path / "out" / f"{OWN}.json").read_text())
    assert written == json.loads(json.dumps(record))
    assert record["settings"]["data"]["skipped"][0][0] == "line 81"
    assert [row["objective"] for row in record["tables"]["runs"]] == ["SimPO"]
    assert len(record["tables"]["courses"]) == 2 * 3  # two sides; labels true, shuffled; two mixes
    assert len(list((tmp_path / "saved").rglob("model.safetensors"))) == 2
    assert f"{OWN}.json" in summary(record, tmp_path)
    assert earlier(tmp_path / "out") == []
