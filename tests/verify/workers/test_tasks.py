"""Tasks in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from disband.verify.workers import processes
from disband.verify.workers.crew import Crew
from disband.verify.workers.tasks import WorkersError, run_on, run_tasks


def double(task, report):
    report(0.5)
    if task == "raise":
        raise LookupError("no such thing")
    if task == "die":
        os._exit(3)
    if task == "sleep":
        time.sleep(900)
    return 2 * task


def collect(tasks, workers=2):
    results, shares = {}, []

    def finished(task, result):
        results[task] = result
        return [10 * task] if task < 10 else []

    run_tasks(
        double, tasks, finished=finished, progressed=lambda *a: shares.append(a), workers=workers
    )
    return results, shares


def test_the_same_runs_on_any_executor():
    results = {}

    def finished(task, result):
        results[task] = result
        return [10 * task] if task < 10 else []

    with ThreadPoolExecutor(1) as executor:
        run_on(Crew(executor), double, [1, 2], finished=finished, progressed=lambda *_: None)
        assert results == {1: 2, 2: 4, 10: 20, 20: 40}
        with pytest.raises(RuntimeError, match="LookupError: no such thing"):
            run_on(Crew(executor), double, ["raise"], finished=finished, progressed=lambda *_: None)


class Inline(Executor):
    """Does each task where it is submitted: all that wait are done at one time."""

    def submit(self, work, /, *given):
        future = Future()
        future.set_result(work(*given))
        return future


def test_tasks_done_at_one_time_finish_in_the_order_in_which_they_began():
    done = []
    run_on(
        Crew(Inline()), double, range(100),
        finished=lambda task, _: done.append(task) or [], progressed=lambda *_: None,
    )  # fmt: skip
    assert done == list(range(100))


def test_tasks_may_lead_to_more_tasks():
    results, shares = collect([1, 2, 3])
    assert results == {i: 2 * i for i in (1, 2, 3, 10, 20, 30)}
    assert sorted(shares) == [(i, 0.5) for i in (1, 2, 3, 10, 20, 30)]


def test_without_dask_a_cluster_is_refused_in_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(WorkersError, match=r"pip install 'disband\[cluster\]'"):
        run_tasks(
            double, [1], finished=lambda *_: (), progressed=lambda *_: None, workers=1,
            cluster="tcp://127.0.0.1:8786",
        )  # fmt: skip


def test_a_failure_in_a_worker_is_told():
    with pytest.raises(RuntimeError, match="LookupError: no such thing"):
        collect(["raise"])


def test_the_exit_code_is_the_dead_workers_and_not_of_those_ended_with_it():
    started = time.monotonic()
    with pytest.raises(WorkersError, match="exit code 3 "):
        collect(["sleep", "sleep", "die"], workers=3)
    assert time.monotonic() - started < 300


def test_an_exit_code_that_the_pool_is_told_first_is_waited_for():
    """Two threads ask after one child: the second is told nothing, until the first has noted it."""

    codes = [None, None, 3]

    class Late:
        @property
        def exitcode(self):
            return codes.pop(0)

    assert processes._exit_code(Late()) == 3


def test_a_dead_worker_is_told_and_costs_what_it_was_doing_alone():
    """Its task comes last and is large, so that more waits than the pipe to a worker holds."""
    done = []

    def finished(task, _):
        done.append(task)
        return ["die", *["x" * 10**6] * 6] if task == 2 else []

    with pytest.raises(WorkersError, match="exit code 3 "):
        run_tasks(double, [1, 2], finished=finished, progressed=lambda *_: None, workers=1)
    assert done == [1, 2]


SCRIPT = """
import os, sys, time
from disband.verify.workers.tasks import run_tasks
WHEN = sys.argv[1]
if WHEN == "starting" and __name__ == "__mp_main__":
    os.write(1, b"%d\\n" % os.getpid())  # one write: two processes share the pipe
    time.sleep(2)
def work(task, report):
    report(float(os.getpid()))
    time.sleep(900)
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
    # An interrupt is the parent's to answer: a worker that has one alone goes on.
    for worker in workers:
        os.kill(worker, signal.SIGINT)
    time.sleep(0.3)
    assert all(map(alive, workers))
    # As a terminal does: to the whole group.
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (out, err, process.returncode) == ("stopped\n", "", 0)
    assert not any(map(alive, workers))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=str)
def test_workers_do_not_outlive_whom_they_work_for(started, how):
    process, workers = started("working")
    process.send_signal(how)
    process.wait(timeout=120)
    deadline = time.monotonic() + 120
    while any(map(alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
