"""What the pages cost a reader: weight, first paint, memory, length, width on a phone.

``python -m benchmarks.pages --before FOLDER --after FOLDER`` opens every page that both folders
have, in turn, each time in a browser of its own, and writes ``results/benchmarks/pages.json``:
medians of the repeats. The folders hold pages of the same content made by two versions of this
project, ``report.html`` by ``disband verify --no-lm`` and the others by
``python -m benchmarks.pages --make FOLDER``. It needs Chromium and the package playwright. What is
recorded was measured while other programs kept both cores busy (``load``), which slows both sides;
its *before* is commit 544603a.

* weight: bytes of the page, and of what it loads at the top and when scrolled to its end;
* first paint, ready: milliseconds to the first text, and to the end of loading and layout;
* memory: the largest resident size of the browser's process for the page, as it opens and once
  scrolled through;
* length: screens of 900 pixels at a width of 1400, printed sheets of A4;
* width: pixels of the whole page on a screen of 390; what lies beyond cannot be seen at once;
* asked: addresses that are no file of the page's own folder, of which there may be none.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, origin, save

SIDES = ("before", "after")
NOTHING = "about:blank"
MIB = 1 << 20
PHONE, DESK, SCREEN = 390, 1400, 900


def main() -> None:
    """Make pages, or measure those of two folders."""
    parser = argparse.ArgumentParser(description="What the pages cost a reader.")
    parser.add_argument("--make", type=Path, help="write the explorer's, a probe's, a run's page")
    parser.add_argument("--before", type=Path)
    parser.add_argument("--after", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    if asked.make:
        make(asked.make)
        return
    folders = {"before": asked.before, "after": asked.after}
    there = [{path.name for path in folder.glob("*.html")} for folder in folders.values()]
    names = sorted(set.intersection(*there))
    results = []
    for name in names:
        runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
        for _ in range(asked.repeats):
            for side in SIDES:
                runs[side].append(measured(folders[side] / name))
        results.append({"page": name} | {side: middle(runs[side]) for side in SIDES})
        print(json.dumps(results[-1]))
    made = origin(
        "benchmarks.pages",
        python=platform.python_version(),
        device=f"{os.cpu_count()} cores, {platform.machine()}",
        load=os.getloadavg()[0],
        browser=browser_version(),
    )
    settings = {"repeats": asked.repeats, "width": DESK, "phone": PHONE}
    save(RESULTS / "pages.json", made | {"settings": settings, "results": results})


def middle(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the median of each number."""
    return {name: round(statistics.median(run[name] for run in runs), 1) for name in runs[0]}


def measured(path: Path) -> dict[str, float]:
    """Open one page in a browser of its own and return what it cost."""
    from playwright.sync_api import sync_playwright

    loaded: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_browser(), args=["--no-sandbox", "--disable-extensions"]
        )
        context = browser.new_context(viewport={"width": DESK, "height": SCREEN}, offline=True)
        page = context.new_page()
        page.on("request", lambda request: loaded.append(request.url))
        begun = time.perf_counter()
        page.goto(path.resolve().as_uri(), timeout=120_000)
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        ready = 1e3 * (time.perf_counter() - begun)
        paint = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
        )
        at_once = weight(loaded)
        opened = max(resident())
        height = page.evaluate("document.documentElement.scrollHeight")
        for part in range(0, int(height), 5 * SCREEN):
            page.evaluate(f"scrollTo(0, {part})")
            page.wait_for_timeout(30)
        memory = max(resident())
        printed = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))
        page.set_viewport_size({"width": PHONE, "height": 844})
        width = page.evaluate("document.documentElement.scrollWidth")
        browser.close()
    return {
        "page, kB": path.stat().st_size / 1e3,
        "loaded at once, kB": at_once / 1e3,
        "loaded in all, kB": weight(loaded) / 1e3,
        "first paint, ms": paint,
        "ready, ms": ready,
        "memory at once, MiB": opened / MIB,
        "memory in all, MiB": memory / MIB,
        "screens": height / SCREEN,
        "printed sheets": printed,
        "width on a phone, px": width,
        "asked of a network": sum(not url.startswith(("file:", "data:")) for url in loaded),
    }


def weight(urls: Sequence[str]) -> int:
    """Return the bytes of the files behind addresses, each once."""
    paths = {Path(url.removeprefix("file://")) for url in urls if url.startswith("file:")}
    return sum(path.stat().st_size for path in paths if path.is_file())


def resident() -> Iterator[int]:
    """Yield the resident bytes of every page's process among those that this one started."""
    parents, kinds = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "status").read_text()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        fields = dict(re.findall(r"^(\w+):\s*(\S+)", status, re.MULTILINE))
        pid = int(folder.name)
        parents[pid] = int(fields["PPid"])
        if b"--type=renderer" in command:
            kinds[pid] = 1024 * int(fields.get("VmRSS", 0))
    for pid, size in kinds.items():
        above = pid
        while above not in (0, os.getpid()):
            above = parents.get(above, 0)
        if above:
            yield size


def _browser() -> str:
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), "chromium")


def browser_version() -> str:
    """Return the browser's own words on its version."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_browser(), args=["--no-sandbox"])
        said = browser.version
        browser.close()
    return f"Chromium {said}"


def make(folder: Path) -> None:
    """Write the pages that need no training, of the same content whatever version makes them."""
    from click.testing import CliRunner

    from disband.cli import main as disband
    from disband.explorer.page import page
    from disband.explorer.tokens import recorded
    from tests.disband.monitor.histories import looked, run_of, written
    from tests.lm.model.test_load import saved
    from tests.lm.tiny import model_of, tokenizer_of

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "explore.html").write_text(page(recorded()), "utf-8")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        run = run_of(-1, **looked(0.2, 0.8, predicted_chosen=-0.01, predicted_rejected=-0.02))
        lines = [{"step": s, **line} for s, line in zip(run.steps, run.lines, strict=True)]
        written(work / "run", "trainer_state.json", lines)
        tokenizer = tokenizer_of()
        saved(work / "gpt2", model_of(tokenizer), tokenizer)
        words = ("lovely", "great", "sunny", "awful", "bad", "rainy", "trip", "meal")
        rows = [
            {"prompt": f"what a {w} day", "chosen": f" {w} it was", "rejected": f" {w} it was" * 3}
            for w in words
        ]
        data = work / "data.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        for command in (
            ["report", work / "run", "--out", work / "out"],
            ["probe", "--model", work / "gpt2", "--data", data, "--batch", "4", "--batches", "2",
             "--worst", "2", "--device", "cpu", "--out", work / "out"],
        ):  # fmt: skip
            CliRunner().invoke(disband, [*map(str, command)], catch_exceptions=False)
        for made in (work / "out").rglob("*.html"):
            shutil.copy2(made, folder)


if __name__ == "__main__":
    main()
