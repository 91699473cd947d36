"""``--json``: one document on stdout and nothing else, for every command that prints a result."""

import json

import pytest
from click.testing import CliRunner

from disband.cli import main

AT = ("--cos", "0.9", "--norm-ratio", "1.3")
# Each command with a key of its document, or none where it is a list.
COMMANDS = {
    ("band", "dpo", *AT): "objectives",
    ("band", "slic-hf", *AT, "--logp-l", "-40"): "objectives",  # its ratio has no value
    ("compare", "dpo", "sft", *AT): "objectives",
    ("derive", "simpo"): "d_w",
    ("derive", "--loss", "-w"): "d_w",
    ("simulate", "dpo", "--toy", "single-token", "--steps", "3", "--out", "here"): "summary",
    ("outcomes", "dpo", "--problems", "20", "--steps", "2"): "methods",
    ("outcomes", "dpo", "--problems", "4", "--pairs", "3", "--steps", "2"): "methods",
    ("claim", "yuan2025.eq9", "--out", "here"): "verdict",
    ("claim", "yuan2025.corollary2", "--out", "here"): None,
    ("claims", "--search", "eq9", "--paper", "yuan2025", "--out", "here"): None,
    ("falsify", "yuan2025.eq9", "--seconds", "0.2"): None,
    ("falsify", "--statement", "X**2 <= A*B", "--seconds", "0.2"): None,
    ("report", "log.jsonl", "--out", "here"): "diagnosis",
}
# They take a model; tests of their own have a short one.
ELSEWHERE = {"probe", "rehearse"}
# They write files and say which, or serve until they are ended.
WITHOUT = {"verify", "figures", "explore", "gpt2", "cluster"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    steps = [{"step": n, "loss": 0.7, "logps/chosen": -10.0 - n, "logps/rejected": -11.0 - 2 * n}
             for n in range(1, 30)]  # fmt: skip
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, steps)))
    return tmp_path


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.usefixtures("folder")
def test_a_result_is_one_json_document(words):
    def number(text):
        raise AssertionError(f"{text} is not JSON")

    done = CliRunner().invoke(main, [*words, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout, parse_constant=number)
    key = COMMANDS[words]
    assert found
    assert isinstance(found, list) if key is None else key in found


def test_every_command_that_prints_a_result_has_json():
    asked = {words[0] for words in COMMANDS} | ELSEWHERE
    assert asked | WITHOUT == set(main.commands)
    for name in asked:
        assert any("--json" in option.opts for option in main.commands[name].params), name


def test_the_document_has_the_numbers_of_the_text():
    words = ["band", "dpo", *AT]
    (found,) = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["objectives"]
    assert (found["place"], found["d_w"], found["ratio"]) == ("below", 0.05, 1.0)
    text = CliRunner().invoke(main, words).stdout
    assert f"{found['delta']:.4g}" in text


def test_a_method_that_never_acts_says_so():
    words = ["outcomes", "dpo", "--problems", "50", "--steps", "3"]
    methods = json.loads(CliRunner().invoke(main, [*words, "--json"]).stdout)["methods"]
    idle = {one["method"] for one in methods if not one["acts"]}
    said = CliRunner().invoke(main, words).stdout
    assert idle == {line[:30].strip() for line in said.splitlines() if "never acts" in line}
    # DPO's ratio is 1, which no clip to [1/2, 2] changes.
    assert idle == {"ratio clip"}


def test_a_probe_tells_how_far_it_is_on_stderr(monkeypatch):
    def run(wanted):
        print("[1/4] data")
        return {"pairs": [], "sample": wanted.sample}

    monkeypatch.setattr("disband.probe.run.run", run)
    done = CliRunner().invoke(main, ["probe", "--model", "m", "--data", "d", "--json"])
    assert json.loads(done.stdout) == {"pairs": [], "sample": 512}
    assert done.stderr == "[1/4] data\n"
