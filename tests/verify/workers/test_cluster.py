"""Tasks on a real Dask cluster on the loopback address: a scheduler and two worker processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("distributed")

from disband.verify.kept import provenance
from disband.verify.workers import cluster
from disband.verify.workers.tasks import WorkersError, run_tasks
from tests.verify.workers.work import ALWAYS, Sum, failing, summed

NUMBERS = np.random.default_rng(0).normal(size=50_000)


class Started:
    """``disband cluster``, as people start it."""

    def __init__(self, port=0):
        command = [sys.executable, "-m", "disband", "cluster", "--port", str(port)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=provenance.ROOT,
            start_new_session=True,
            env={**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
        )
        self.said = self.process.stdout.readline()
        self.address = next(word for word in self.said.split() if "tcp://" in word).strip(",")

    def end(self, number=signal.SIGINT):
        """Send a signal as a terminal does, to the whole group; return what is said then."""
        os.killpg(self.process.pid, number)
        return self.process.communicate(timeout=120)[0]


@pytest.fixture(scope="module")
def started():
    running = Started()
    yield running
    if running.process.poll() is None:
        running.end()
    else:
        running.process.communicate()


@pytest.mark.slow
def test_a_cluster_has_its_port_alone_and_ends_quietly():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = Started(port)
    refused = subprocess.run(
        [sys.executable, "-m", "disband", "cluster", "--port", str(port)],
        capture_output=True,
        text=True,
        check=False,
        cwd=provenance.ROOT,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: a scheduler has a port of its own")
    assert refused.stderr.count("\n") == 1
    said = first.end()
    assert said.endswith("\nended\n")
    assert "Traceback" not in said
    assert first.process.returncode == 0


def collect(tasks, address, work=summed, **more):
    results, shares = {}, []

    def finished(task, result):
        results[task.number] = result
        return ()

    run_tasks(
        work,
        tasks,
        finished=finished,
        progressed=lambda task, share: shares.append((task.number, share)),
        workers=2,
        cluster=address,
        **more,
    )
    return results, shares


def test_results_are_those_of_this_machine_to_the_last_bit_and_progress_is_told(started, tmp_path):
    # A piece ends when another worker has one, too: both take part, however slow one is to begin.
    tasks = [Sum(number, NUMBERS, seconds=0.8, meets=str(tmp_path)) for number in range(4)]
    there, shares = collect(tasks, started.address)
    here, _ = collect([Sum(number, NUMBERS) for number in range(4)], None)
    for number, result in here.items():
        np.testing.assert_array_equal(there[number]["total"], result["total"])
    assert len({int(result["process"]) for result in there.values()}) == 2
    assert {number for number, _ in shares} == {0, 1, 2, 3}
    assert any(share > 0 for _, share in shares)


def test_a_killed_worker_costs_one_piece_and_files_come_back_through_the_client(started, tmp_path):
    mark = tmp_path / "died"
    tasks = [
        Sum(number, NUMBERS, leaves=str(tmp_path / f"of {number}"), dies=str(mark) * (number == 1))
        for number in range(4)
    ]
    results, _ = collect(tasks, started.address)
    assert set(results) == {0, 1, 2, 3}
    assert mark.read_text() != str(results[1]["process"])
    for number, result in results.items():
        assert (tmp_path / f"of {number}" / "process.txt").read_text() == str(result["process"])
        assert not Path(str(result["folder"])).is_relative_to(tmp_path)


def test_a_piece_that_ends_one_worker_after_another_is_given_up_in_one_line(started):
    with pytest.raises(WorkersError, match="has ended several workers") as told:
        collect([Sum(0, NUMBERS, dies=ALWAYS)], started.address)
    assert "\n" not in str(told.value)


def test_a_cluster_that_has_lost_all_workers_is_given_up_in_one_line(monkeypatch):
    class Left:
        status = "running"

        def nthreads(self):
            return {}

    monkeypatch.setattr(cluster, "COUNTED", 0.0)
    monkeypatch.setattr(cluster, "WITHOUT", 0.01)
    reports = cluster._Reports(Left(), "tcp://there:1", deque())
    time.sleep(0.02)
    with pytest.raises(WorkersError, match="has had no worker"):
        list(reports())


def test_a_failure_of_the_work_is_told_as_one(started):
    with pytest.raises(RuntimeError, match="LookupError: no such thing"):
        collect([Sum(0, NUMBERS)], started.address, failing)


@pytest.mark.parametrize("name", ["disband", "torch"])
def test_workers_with_other_code_or_libraries_are_refused(started, name, monkeypatch):
    own = {**provenance.installation(), name: "0.0.1"}
    monkeypatch.setattr(cluster, "installation", lambda: own)
    with pytest.raises(WorkersError, match=rf"has {name} .*, here it is 0\.0\.1; install"):
        collect([Sum(0, NUMBERS)], started.address)
    # One that joins later is not looked at before.
    monkeypatch.setattr(cluster, "_require_workers", lambda *_: None)
    with pytest.raises(WorkersError, match=rf"has {name} .*, here it is 0\.0\.1; install"):
        collect([Sum(0, NUMBERS)], started.address)


@pytest.mark.parametrize("address", ["nowhere", "http://127.0.0.1:1", "inproc://1", ""])
def test_what_is_no_address_is_refused_in_one_line(address):
    with pytest.raises(WorkersError, match="is the address of a running Dask scheduler") as refused:
        collect([Sum(0, NUMBERS)], address)
    assert "\n" not in str(refused.value)


def test_nobody_listening_is_told(monkeypatch):
    monkeypatch.setattr(cluster, "REACHED", 0.5)
    with pytest.raises(WorkersError, match="none answers at"):
        collect([Sum(0, NUMBERS)], "tcp://127.0.0.1:9")


def test_the_end_of_the_scheduler_ends_in_one_line_and_loses_nothing(started):
    """The last test of this module: it takes the cluster down."""
    results = {}

    def finished(task, result):
        results[task.number] = result
        if task.number == 0:
            started.process.kill()
        return ()

    tasks = [Sum(0, NUMBERS), *(Sum(number, NUMBERS, seconds=900) for number in (1, 2))]
    begun = time.monotonic()
    with pytest.raises(WorkersError, match="is gone; finished pieces are kept") as told:
        run_tasks(
            summed, tasks, finished=finished, progressed=lambda *_: None, workers=2,
            cluster=started.address,
        )  # fmt: skip
    assert "\n" not in str(told.value)
    assert list(results) == [0]
    assert time.monotonic() - begun < 300
