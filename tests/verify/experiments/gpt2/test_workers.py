"""Tasks in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from disband.verify.experiments.gpt2.workers import run_tasks


def double(task, report):
    report(0.5)
    if task == "raise":
        raise LookupError("no such thing")
    if task == "die":
        os._exit(3)
    return 2 * task


def collect(tasks):
    results, shares = {}, []

    def finished(task, result):
        results[task] = result
        return [10 * task] if task < 10 else []

    run_tasks(double, tasks, finished=finished, progressed=lambda *a: shares.append(a), workers=2)
    return results, shares


def test_tasks_may_lead_to_more_tasks():
    results, shares = collect([1, 2, 3])
    assert results == {i: 2 * i for i in (1, 2, 3, 10, 20, 30)}
    assert sorted(shares) == [(i, 0.5) for i in (1, 2, 3, 10, 20, 30)]


@pytest.mark.parametrize(
    ("task", "complaint"), [("raise", "LookupError: no such thing"), ("die", "exit code 3")]
)
def test_a_failure_in_a_worker_is_told(task, complaint):
    with pytest.raises(RuntimeError, match=complaint):
        collect([task])


SCRIPT = """
import os, sys, time
from disband.verify.experiments.gpt2.workers import run_tasks
WHEN = sys.argv[1]
if WHEN == "starting" and __name__ == "__mp_main__":
    os.write(1, b"%d\\n" % os.getpid())  # one write: two processes share the pipe
    time.sleep(2)
def work(task, report):
    report(float(os.getpid()))
    time.sleep(60)
def progressed(task, pid):
    if WHEN == "working":
        os.write(1, b"%d\\n" % int(pid))
if __name__ == "__main__":
    try:
        run_tasks(work, [1, 2], finished=lambda t, r: [], workers=2, progressed=progressed)
    except KeyboardInterrupt:
        print("stopped")
"""


@pytest.fixture
def started(tmp_path):
    """Start the script and return its process and those of its two workers."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    processes = []

    def start(when):
        process = subprocess.Popen(
            [sys.executable, script, when],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        processes.append(process)
        return process, [int(process.stdout.readline()) for _ in range(2)]

    yield start
    for process in processes:
        process.communicate()


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # one that nobody has asked for its end is still listed


@pytest.mark.parametrize("when", ["starting", "working"])
def test_an_interrupt_ends_the_workers_quickly_and_quietly(started, when):
    process, workers = started(when)
    # As a terminal does: to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (out, err, process.returncode) == ("stopped\n", "", 0)
    assert not any(map(alive, workers))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=str)
def test_workers_do_not_outlive_whom_they_work_for(started, how):
    process, workers = started("working")
    process.send_signal(how)
    process.wait(timeout=20)
    deadline = time.monotonic() + 10
    while any(map(alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
