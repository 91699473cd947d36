"""How hypothesis searches and how tests are shared out, the same on every run.

``HYPOTHESIS_PROFILE=thorough pytest`` looks longer.
"""

import gc
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from disband.theory.objectives import OBJECTIVES
from tests.engines import browser
from tests.sampling import SAMPLE

slow_machines = (HealthCheck.too_slow, HealthCheck.filter_too_much)
settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=slow_machines,
)
settings.register_profile(
    "thorough",
    deadline=None,
    database=None,
    max_examples=2000,
    suppress_health_check=slow_machines,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


# Their tests share what takes minutes to compute, so one process runs them all.
TOGETHER = {
    "tests/disband/job/test_verify.py": "verify",
    "tests/disband/job/test_verify_models.py": "verify",
    "tests/verify/claims/test_ledger.py": "ledger",
    "tests/verify/pages/test_methods.py": "method pages",
    "tests/verify/pages/test_objectives.py": "objective pages",
    "tests/verify/second/pairs/test_equivalence.py": "pairs",
}

# Every objective keeps its contract in the fast run; what else follows from it, the sample.
CONTRACT = "tests/theory/objectives/test_objectives.py"
LATER = set(OBJECTIVES) - set(SAMPLE)


def pytest_configure() -> None:
    # Where the tests run in the background, what they start would not hear an interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Small models gain nothing from threads, and several test processes share the cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # What is imported and collected stays: searching it for garbage time and again takes minutes.
    gc.disable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``pytest -n`` deals out whole test functions, and files where tests share much."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return TOGETHER.get(file, nodeid.partition("[")[0])

    config.option.loadscopereorder = False  # what is long is first already
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast run takes a sample of the objectives; what is long begins first."""
    for item in items:
        objective = item.callspec.params.get("objective") if hasattr(item, "callspec") else None
        if objective in LATER and not item.nodeid.startswith(CONTRACT):
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was left out for want of a browser, and how to have it next time."""
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum("no browser to drive" in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(
            f"{count} tests need a browser and were skipped: apt-get install chromium", yellow=True
        )


def pytest_collection_finish() -> None:
    """From here on garbage is collected, of what tests make."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser without a window, for the tests of one file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        yield running
        running.close()
