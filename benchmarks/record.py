"""How long things take, and the record of it: what the benchmarks share.

A record says what was measured, and by which command, when, under which conditions and with which
versions. It is written whole. One that grows row by row lies beside the record of an earlier run,
as ``NAME.unfinished.json``, and takes its place when the run ends.
"""

import math
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from disband.verify.kept.files import json_text, write_text
from disband.verify.kept.provenance import ROOT, versions

RESULTS = ROOT / "results" / "benchmarks"
Record = dict[str, Any]


def origin(module: str, arguments: Sequence[str] | None = None, **conditions: Any) -> Record:
    """Return what a reader needs to repeat a run: command, time, conditions, versions.

    The command has this process's arguments where no others are given.
    """
    words = sys.argv[1:] if arguments is None else arguments
    threads = os.environ.get("OMP_NUM_THREADS")
    return {
        "command": (f"OMP_NUM_THREADS={threads} " if threads else "")
        + shlex.join(["python", "-m", module, *words]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **conditions,
        "versions": versions(),
    }


def save(path: Path, record: Record, *, ended: bool = True) -> None:
    """Write a record whole, in the place of an earlier one only when its run has ended."""
    unfinished = path.with_suffix(".unfinished.json")
    write_text(unfinished, json_text(record) + "\n")
    if ended:
        unfinished.replace(path)


def timing(device: str) -> Record:
    """Return what seconds by :func:`clock_of` depend on: device, torch's threads, clock."""
    import torch

    return {
        "device": named(device),
        "threads": torch.get_num_threads(),
        "clock": "CPU time" if device == "cpu" else "wall time",
    }


def named(device: str) -> str:
    """Return ``cpu`` or ``cuda`` with what the processor or the GPU calls itself."""
    if device == "cpu":
        return f"cpu {platform.processor()}".strip()
    import torch

    return f"{device} {torch.cuda.get_device_name()}"


def machine() -> str:
    """Return what processor this is, and how many cores it has."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = (line for line in cpuinfo.read_text().splitlines() if line.startswith("model name"))
        model = next(names, model).partition(":")[2].strip() or model
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"


def clock_of(device: str) -> Callable[[], float]:
    """Return the CPU's clock, or for a GPU, whose work that one does not see, the wall's."""
    return time.process_time if device == "cpu" else _when_done


def _when_done() -> float:
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def seconds_of(work: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> float:
    """Return what one call takes; in CPU time by default."""
    begun = clock()
    work()
    return clock() - begun


def fastest(
    ways: Mapping[str, Callable[[], Any]],
    rounds: int,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, float]:
    """Return the least seconds of each way in so many rounds.

    They take turns, so that all meet the same noise.

    Raises:
        ValueError: There is no round.
    """
    if rounds < 1:
        raise ValueError(f"a side is timed at least once: got {rounds} rounds; ask for 1 or more")
    best = dict.fromkeys(ways, math.inf)
    for _ in range(rounds):
        for name, way in ways.items():
            best[name] = min(best[name], seconds_of(way, clock))
    return best
