"""``disband probe``: what it refuses, a whole run, its page, and going on after an interrupt."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from click.testing import CliRunner

from disband.cli import main
from disband.commands.probe import probe as probe_command
from disband.probe import measure
from disband.probe.inputs import Probe
from disband.probe.page import html
from disband.probe.run import run
from disband.terminal.errors import Refusal
from tests.lm.model.test_load import architecture, saved
from tests.lm.tiny import model_of, tokenizer_of
from tests.pages import HOSTILE, Page

WORDS = ["lovely", "great", "sunny", "awful", "bad", "rainy", "trip", "meal", "flight", "talk"]
FEW = {"batch": 4, "batches": 2, "worst": 2, "device": "cpu"}


def rows(count=8, times=3):
    """Pairs whose rejected response repeats the chosen one."""
    return [
        {
            "prompt": f"what a {WORDS[i]} day {HOSTILE}",
            "chosen": f" {WORDS[i]} it was",
            "rejected": f" {WORDS[i]} it was" * times + HOSTILE,
        }
        for i in range(count)
    ]


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_of()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("probe")
    saved(folder / "gpt2", model_of(tokenizer), tokenizer)
    saved(folder / "other", model_of(tokenizer, seed=1), tokenizer)
    saved(folder / "llama", architecture("Llama", tokenizer), tokenizer)
    written(folder / "data.jsonl", [*rows(), {"chosen": "", "rejected": f"x {HOSTILE}"}])
    return folder


@pytest.fixture(scope="module")
def asked(folder):
    return Probe(
        str(folder / "gpt2"), str(folder / "data.jsonl"), objectives=("dpo", "simpo", "cpo"),
        out=folder / "out", keep=folder / "kept.jsonl", **FEW,
    )  # fmt: skip


@pytest.fixture(scope="module")
def record(asked):
    return run(asked)


@pytest.fixture(scope="module")
def page(record, asked):  # noqa: ARG001 (the run writes the page)
    return (asked.out / "probe.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"objectives": ("dop",)}, "got 'dop'; did you mean DPO"),
        ({"objectives": ()}, "at least one objective"),
        ({"settings": {"tau": 1.0}}, "hyperparameters are .*: got tau"),
        ({"settings": {"beta": -1.0}}, "beta of DPO is positive"),
        ({"data": "./no/such.jsonl"}, "no such file"),
        ({"model": "./no/such"}, "a model is a folder"),
        ({"lora": 2, "lora_targets": ("nothing",)}, "names of its layers"),
        ({"max_length": 1}, "max_length is at least 2"),
    ],
    ids=str,
)
def test_what_cannot_be_probed_is_refused(changed, said, asked, tmp_path):
    fields = {**vars(asked), "out": tmp_path, "keep": None, **changed}
    with pytest.raises(Refusal, match=said):
        run(Probe(**fields))


def test_a_copy_over_its_source_is_refused_before_any_work(asked, tmp_path):
    with pytest.raises(Refusal, match="another file than its source"):
        run(Probe(asked.model, asked.data, out=tmp_path, keep=Path(asked.data)))
    assert list(tmp_path.iterdir()) == []


def test_the_record_is_written_and_says_what_was_measured(record, asked):
    saved_record = json.loads((asked.out / "probe.json").read_text("utf-8"))
    assert saved_record == record
    assert [one["objective"] for one in record["pairs"]] == ["DPO", "SimPO", "CPO"]
    assert record["data"]["counts"]["empty"] == 1
    assert len(record["each"]) == 8
    assert record["settings"]["reference"] == {"source": "start"}
    assert record["kept"]["kept"] == 8
    (dpo, *_), (batch, *_) = record["pairs"], record["batches"]
    assert [at["margin"] for at in dpo["at"]] == [0.0, 10.0]
    assert sum(of["count"] for of in dpo["at"][0]["outcomes"].values()) == 8
    assert (batch["batches"], batch["size"]) == (2, 4)
    assert len(record["worst"]) == 2


def test_entangled_data_are_flagged_with_their_reason(record):
    applying = [one["rule"].partition(":")[0] for one in record["advice"] if one["applies"]]
    assert applying[:2] == ["Batches fall", "Both fall"]
    assert record["verdict"].startswith("Under DPO, the mean chosen falls in 2 of 2 batches")
    assert record["actions"][0]["rule"].startswith("Batches fall")
    assert "Rows without a pair" in applying
    assert "Nothing found" not in applying
    assert record["pairs"][0]["at"][0]["outcomes"]["both_fall"]["count"] == 8
    heaviest = record["worst"][0]
    assert heaviest["drag"] > 1
    assert min(heaviest["effects"]) in heaviest["effects"][heaviest["len_w"] :]


def test_the_same_result_gives_the_same_bytes(record, page, asked, monkeypatch):
    monkeypatch.setattr("disband.probe.run.provenance", lambda: record["provenance"])
    said = (asked.out / "probe.json").read_bytes()
    run(asked)
    assert (asked.out / "probe.html").read_text("utf-8") == page
    assert (asked.out / "probe.json").read_bytes() == said


def probed(folder, data, **settings):
    """A probe of these rows, and the names of the rules that apply."""
    path = written(folder / "rows.jsonl", data)
    asked = Probe(str(folder.parent / "gpt2"), path, out=folder / "out", **FEW | settings)
    record = run(asked)
    return record, [one["rule"].partition(":")[0] for one in record["advice"] if one["applies"]]


def test_broken_rows_are_named_for_what_they_are(folder):
    """A third again, a third identical, a third empty: each has its rule, and none else falls."""
    plain = [
        {"prompt": "the", "chosen": f" {word} talk", "rejected": f" awful {word} meal it had"}
        for word in WORDS[:4]
    ]
    same = [row | {"rejected": row["chosen"]} for row in plain]
    empty = [row | {"rejected": ""} for row in plain]
    (folder / "broken").mkdir()
    _, applying = probed(folder / "broken", [*plain, *plain, *same, *empty])
    assert {"Rows without a pair", "Identical responses", "Repeated pairs"} <= set(applying)
    assert "Nothing found" not in applying


def test_identical_pairs_alone_get_no_other_advice_than_to_drop_them(folder):
    (folder / "same").mkdir()
    data = [{"prompt": "the", "chosen": f" {w} talk", "rejected": f" {w} talk"} for w in WORDS]
    record, applying = probed(folder / "same", data, objectives=("dpo", "cpo"))
    assert applying == ["Identical responses"]
    dpo, cpo = (one["at"][0]["outcomes"] for one in record["pairs"])
    assert dpo["still"]["share"] == 1
    # What has an extra pull on the chosen lifts the one text there is.
    assert cpo["both_rise"]["share"] == 1


def test_the_page_asks_for_nothing_and_runs_nothing_but_the_kit(page):
    seen = Page(page)
    assert seen.open == []
    assert "http:" not in page.replace("http-equiv", "")
    assert "https:" not in page
    assert [tag for tag, _ in seen.tags].count("script") == 1
    (policy,) = (a["content"] for _, a in seen.tags if "default-src" in a.get("content", ""))
    assert re.search(r"script-src 'sha256-[^']+'; img-src data:$", policy)
    assert all(link.startswith(("#", "data:")) for link in seen.attributes("href"))
    assert seen.attributes("src") == []


def test_hostile_text_stays_text(page):
    seen = Page(page)
    assert "img" not in [tag for tag, _ in seen.tags]
    assert not any(name.startswith("on") for _, attrs in seen.tags for name in attrs)
    assert HOSTILE in "".join(seen.text)


def test_the_page_shows_every_objective_and_every_worst_pair(page, record):
    text = "".join(Page(page).text)
    for one in record["pairs"]:
        assert text.count(one["objective"]) >= 3
    for one in record["worst"]:
        assert f"{one['place']}: the push undoes" in text
    assert page.count("<svg") == 1 + len(record["worst"])


def test_a_page_without_batches_or_falling_pairs_says_so(record):
    bare = {**record, "batches": [None] * 3, "worst": [], "kept": None}
    text = "".join(Page(html(bare, {})).text)
    assert "No batch was measured." in text
    assert "has a falling chosen response" in text


def test_a_second_run_measures_nothing_again(record, asked, monkeypatch):
    def never(*_, **__):
        raise AssertionError("measured again")

    for name in ("pair_gram", "batch_gram", "logp"):
        monkeypatch.setattr(measure, name, never)
    monkeypatch.setattr("disband.probe.worst.token_gram", never)
    again = run(asked)
    assert again | {"provenance": None} == record | {"provenance": None}


def test_an_interrupt_keeps_what_is_finished_and_says_how_to_go_on(folder, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(measure, "batch_gram", stopped)
    words = ["probe", "--model", str(folder / "gpt2"), "--data", str(folder / "data.jsonl")]
    done = CliRunner().invoke(main, [*words, "--out", str(tmp_path), "--batch", "4"])
    assert done.exit_code == 130
    assert "run the same command to go on" in done.output
    assert len(list((tmp_path / "pieces").glob("log-probabilities-*"))) == 2
    assert not (tmp_path / "probe.json").exists()


def test_the_command_with_a_reference_in_the_optimizers_metric(folder, tmp_path):
    words = [
        "probe", "--model", str(folder / "llama"), "--data", str(folder / "data.jsonl"),
        "--reference", str(folder / "other"), "--optimizer", "adamw", "--sample", "4",
        "--objective", "simpo,dpo", "--set", "beta=1", "--batch", "2", "--batches", "1",
        "--worst", "1", "--max-length", "72", "--out", str(tmp_path),
    ]  # fmt: skip
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "probe.json").read_text("utf-8"))
    assert "in the metric of Adam" in done.output
    assert "mean squared gradient of SimPO" in record["settings"]["metric"]["words"]
    assert record["pairs"][0]["settings"]["β"] == 1
    assert all(one["logp_w"] != one["ref_w"] for one in record["each"])
    assert record["settings"]["reference"]["kind"] == "folder"
    assert record["verdict"] in " ".join(done.output.split())


def test_adapters_alone_can_be_measured(folder, tmp_path):
    pytest.importorskip("peft")
    model, data = str(folder / "gpt2"), str(folder / "data.jsonl")
    record = run(Probe(model, data, objectives=("dpo",), sample=3, lora=2, out=tmp_path, **FEW))
    assert record["settings"]["lora"]["rank"] == 2
    assert all(one["sq_w"] > 0 for one in record["each"])


def said(words, *more):
    """What a probe of a few pairs prints, and its exit code."""
    done = CliRunner().invoke(main, ["probe", *words, "--sample", "4", "--batch", "2", *more])
    return " ".join(done.output.split()), done.exit_code


def test_a_loss_of_ones_own_is_the_one_meant_to_be_trained(folder, tmp_path):
    words = ["--model", str(folder / "gpt2"), "--data", str(folder / "data.jsonl")]
    words += ["--out", str(tmp_path), "--objective", "dpo", "--batches", "1", "--worst", "0"]
    output, code = said(words, "--loss", "-logsigmoid(b*(w - ref_w - l + ref_l))", "--set", "b=0.1")
    assert code == 0, output
    record = json.loads((tmp_path / "probe.json").read_text("utf-8"))
    own, dpo = record["pairs"]
    assert (own["objective"], own["settings"]) == ("own loss", {"b": 0.1})
    assert own["at"] == dpo["at"]
    assert record["settings"]["loss"].startswith("-logsigmoid")
    output, code = said(words, "--loss", "-logsigmoid(b*(w - l))")
    assert (code, "b has none" in output) == (2, True)


def test_a_loss_reads_each_pairs_score_gap(folder, tmp_path):
    gaps = [0.5, -3.0, 2.0, 8.0, -1.0, 0.0, 4.0, 1.0]
    scored = [
        row | {"score_chosen": gap + 1, "score_rejected": 1}
        for row, gap in zip(rows(), gaps, strict=True)
    ]
    loss, few = "(w - ref_w - l + ref_l - gap)**2", {**FEW, "worst": 0, "batches": 1}
    asked = Probe(
        str(folder / "llama"), written(tmp_path / "data.jsonl", scored), loss=loss, objectives=(),
        out=tmp_path, **few,
    )  # fmt: skip
    record = run(asked)
    # At the start both incentives are twice the gap, so a pair goes the way of its own.
    ways = {row["place"]: row["outcomes"]["own loss"] for row in record["each"]}
    backward = [ways[f"line {i}"] for i, gap in enumerate(gaps, 1) if gap < 0]
    assert set(backward) <= {"both_rise", "reversed"}
    assert set(ways.values()) - {"both_rise", "reversed"}
    assert ways["line 6"] == "still"
    few_scores = written(tmp_path / "few.jsonl", [*scored[:6], *rows()[6:]])
    with pytest.raises(Refusal, match="2 of 8 sampled pairs have no scores"):
        run(dataclasses.replace(asked, data=few_scores))


def test_names_that_would_steer_a_terminal_are_spelt_out(folder, tmp_path):
    red = "\x1b[31m"
    path = written(tmp_path / f"{red}.jsonl", [row | {f"{red}note": "x"} for row in rows()])
    words = ["--model", str(folder / "gpt2"), "--data", path, "--out", str(tmp_path / red)]
    output, code = said(words, "--batches", "0", "--worst", "0")
    assert code == 0
    assert "\x1b" not in output
    assert "Not read: \\x1b[31mnote" in output
    output, code = said([*words[:3], str(tmp_path / f"{red}none.jsonl"), *words[4:]])
    assert (code, "\x1b" in output) == (2, False)


def test_the_defaults_are_those_that_are_documented():
    fields = {field.name: field.default for field in dataclasses.fields(Probe)}
    shown = {option.name: option.default for option in probe_command.params if option.show_default}
    shown["objectives"] = tuple(shown["objectives"].split(","))
    assert {name: fields[name] for name in shown} == shown
    assert (shown["sample"], shown["max_length"], shown["memory"]) == (512, 1024, 2.0)
