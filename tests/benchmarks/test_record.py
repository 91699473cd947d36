"""The records of the benchmarks: what each holds, and that one stays until the next is whole."""

import ast
import importlib
import json
import shlex
import sys
import time
from datetime import datetime
from types import SimpleNamespace

import pytest
import torch

from benchmarks.record import RESULTS, clock_of, fastest, origin, save, timing
from disband.verify.kept.provenance import ROOT, versions

SCRIPTS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text("utf-8")
    for path in sorted((ROOT / "benchmarks").rglob("*.py"))
    if "__main__" in path.read_text("utf-8")
}


def nothing(*_, **__):
    return ()


# Of a benchmark: its record, its options, and what stands in for its costly parts.
QUICK = {
    "architectures": (
        "architectures",
        "",
        {"model_of": nothing, "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES": {}, "ADAPTERS": {}},
    ),
    "curvature": ("curvature", "", {"costs": nothing}),
    "kernels": (
        "kernels",
        "--out",
        {"kernel_times": lambda *_: {"DPO": {"ours_s": 1.0, "ratio": 1.0}}, "start_times": dict},
    ),
    "pages": (
        "pages",
        "--before benchmarks --after benchmarks",
        {"browser_version": lambda: "a browser"},
    ),
    "proof": ("proof", "", {"CASES": {}, "model_of": nothing, "pair_gram": nothing}),
    "scores": ("scores", "", {"bars": nothing}),
    "scores, scaling": ("scores_scaling", "--scaling", {"scaling": nothing}),
    "tokens": ("tokens", "", {"accounts": nothing}),
    "toys": ("toys", "--out", {"compare": nothing, "every_objective": nothing}),
    "training.calibration": (
        "calibration",
        "--out",
        {
            "model_of": lambda *_: torch.nn.Linear(1, 1),
            "pairs_of": nothing,
            "join": nothing,
            "logp": nothing,
            "fastest": lambda *_: {"plain": 1.0},
        },
    ),
    "training.half_precision": (
        "half_precision",
        "",
        {"load_tweets": nothing, "language_model": nothing, "STYLED": (), "findings": nothing},
    ),
    "training.labels": (
        "labels",
        "--seeds 0",
        {"load_tweets": nothing, "split": lambda *_: ((), [SimpleNamespace(label="positive")])},
    ),
    "training.step": ("training_step", "", {"costs": nothing}),
}


@pytest.mark.parametrize("benchmark", QUICK)
def test_a_record_has_the_fields_of_the_recorded_one(benchmark, tmp_path, monkeypatch):
    name, options, stand_ins = QUICK[benchmark]
    module = importlib.import_module(f"benchmarks.{benchmark.partition(',')[0]}")
    written = tmp_path / f"{name}.json"
    words = [*options.split(), *([str(written)] if options == "--out" else ())]
    for part, stand_in in stand_ins.items():
        monkeypatch.setattr(module, part, stand_in)
    monkeypatch.setattr(module, "RESULTS", tmp_path)
    monkeypatch.setattr(torch, "set_num_threads", nothing)
    monkeypatch.setattr(sys, "argv", [module.__name__, *words])
    monkeypatch.chdir(ROOT)
    module.main()
    record = json.loads(written.read_text("utf-8"))
    earlier = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    assert list(record) == [field for field in earlier if field != "note"]  # a person's
    assert [path.name for path in tmp_path.iterdir()] == [written.name]


@pytest.mark.parametrize("module", SCRIPTS)
def test_a_record_names_the_benchmark_that_made_it(module):
    named = [
        call.args[0].value
        for call in ast.walk(ast.parse(SCRIPTS[module]))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        if call.func.id == "origin"
    ]
    assert named == [module]


def test_a_record_says_how_to_repeat_the_run(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["a path", "--style", "long suffix"])
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    made = origin("benchmarks.tokens", clock="CPU time")
    assert list(made) == ["command", "time", "clock", "versions"]
    assert made["command"] == (
        "OMP_NUM_THREADS=3 python -m benchmarks.tokens --style 'long suffix'"
    )
    assert datetime.fromisoformat(made["time"]).utcoffset().total_seconds() == 0
    assert made["versions"] == versions()
    monkeypatch.delenv("OMP_NUM_THREADS")
    words = shlex.split(origin("benchmarks.tokens", ["--repeats", "2"])["command"])
    assert words == ["python", "-m", "benchmarks.tokens", "--repeats", "2"]


def test_an_earlier_record_stays_until_a_run_ends(tmp_path):
    path = tmp_path / "deep" / "monitor_1.2B.json"
    save(path, {"results": ["earlier"]})
    save(path, {"results": ["first"]}, ended=False)
    assert json.loads(path.read_text("utf-8")) == {"results": ["earlier"]}
    (growing,) = set(path.parent.iterdir()) - {path}
    assert growing.name == "monitor_1.2B.unfinished.json"
    assert json.loads(growing.read_text("utf-8")) == {"results": ["first"]}
    with pytest.raises(TypeError, match="a record holds text, numbers, lists and mappings"):
        save(path, {"results": {"no JSON"}})
    assert json.loads(path.read_text("utf-8")) == {"results": ["earlier"]}
    save(path, {"results": ["first", "second"]})
    assert list(path.parent.iterdir()) == [path]
    assert path.read_text("utf-8") == '{\n "results": [\n  "first",\n  "second"\n ]\n}\n'


def test_ways_take_turns_and_the_least_time_of_each_counts():
    done = []
    ways = {name: lambda name=name: done.append(name) for name in ("ours", "theirs")}
    readings = iter([0, 5, 5, 12, 20, 22, 30, 38])
    assert fastest(ways, 2, readings.__next__) == {"ours": 2, "theirs": 7}
    assert done == ["ours", "theirs", "ours", "theirs"]


def test_no_round_is_no_time():
    with pytest.raises(ValueError, match="at least once: got 0 rounds; ask for 1 or more"):
        fastest({"ours": nothing}, 0)


def test_a_gpu_is_timed_by_the_wall_once_it_has_done_its_work(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: waited.append("for it"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "of a make")
    assert fastest({"ours": nothing}, 1, clock_of("cuda"))["ours"] >= 0
    assert waited == ["for it"] * 2
    made = timing("cuda")
    assert (made["device"], made["clock"]) == ("cuda of a make", "wall time")
    assert timing("cpu")["clock"] == "CPU time"
    assert clock_of("cpu") is time.process_time
