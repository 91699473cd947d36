"""Algebra that would take forever is ended, wherever it runs; what is in time is left alone."""

import threading
import time

import pytest
from sympy import Max, Symbol

from disband.theory.own_loss.time_limit import time_limit

x = Symbol("x", real=True)
# An end may come while garbage is collected, where Python only warns; it comes again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def endless():
    while True:
        Max(x, x + 1)


def stubborn():
    """Swallow the first exception, as a destructor or a careless library may."""
    try:
        endless()
    except BaseException:  # noqa: BLE001
        endless()


def ended(work):
    """Return how long ``work`` took until it was ended."""
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"at most 0.2 seconds: got more"), time_limit(0.2):
        work()
    return time.monotonic() - start


@pytest.mark.parametrize("work", [endless, stubborn])
def test_work_without_end_is_ended(work):
    assert 0.2 <= ended(work) < 300


def test_it_is_ended_in_another_thread_and_there_alone():
    times = []
    threads = [threading.Thread(target=lambda: times.append(ended(endless))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 3


def test_what_is_in_time_is_left_alone_and_no_thread_stays():
    before = threading.active_count()
    for _ in range(200):
        with time_limit(600):
            value = Max(x, 1)
    with pytest.raises(KeyError, match="own"), time_limit(600):
        raise KeyError("own")
    assert value == Max(x, 1)
    deadline = time.monotonic() + 120
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_an_end_that_comes_with_the_limit_is_one_or_the_other():
    for _ in range(300):
        try:
            with time_limit(1e-4):
                time.sleep(1e-4)
        except TimeoutError:
            continue
    time.sleep(0.05)  # nothing arrives later


def test_a_limit_within_another_takes_no_end_but_its_own():
    with (
        pytest.raises(TimeoutError, match=r"at most 0.2 seconds"),
        time_limit(0.2),
        time_limit(600),
    ):
        endless()
    with time_limit(600):
        assert ended(endless) < 300


def test_nothing_is_ended_where_python_cannot(monkeypatch):
    monkeypatch.delattr("ctypes.pythonapi")
    with time_limit(0.01):
        time.sleep(0.1)
