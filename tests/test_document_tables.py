"""The tables and counts that a person wrote are those of the runs and of the catalogue."""

import json
import re
from collections import defaultdict
from math import inf
from statistics import mean, median

import numpy as np
import pytest
from scipy.stats import kendalltau

from disband.theory.objectives import OBJECTIVES
from disband.verify.claims.yuan2025.sentiment import EXPERIMENT
from disband.verify.deciding.claim import Verdict
from disband.verify.experiments.sentiment.rules import RULES
from disband.verify.kept.provenance import ROOT
from disband.verify.kept.recorded import RECORDED_LEDGER
from tests.documents import GENERATED, PAGES, benchmark
from tests.test_architecture import LONGEST, MOST


def rows(table):
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()]


def tables(text):
    """Every table of a page as its head and its rows."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [(head, body) for head, _, *body in map(rows, found)]


def test_the_tables_of_scores_are_what_was_recorded():
    (_, _), beside, tokens, scaling = tables(PAGES["docs/scores.md"])
    recorded = benchmark("scores")["results"]
    assert len(beside[1]) == len(recorded)
    for row, one in zip(beside[1], recorded, strict=True):
        ours, theirs = (one["seconds per pair"][one[side]] for side in ("ours", "theirs"))
        assert row[:2] == [one["ours"], one["theirs"]]
        assert row[2] == f"{one['pairs']} × ({one['prompt']} + {one['response']})"
        assert row[3:6] == [
            f"{1e3 * ours:.0f} ms",
            f"{1e3 * theirs:.0f} ms",
            f"{theirs / ours:.2f}",
        ]
    recorded = benchmark("tokens")["results"]
    assert len(tokens[1]) == len(recorded)
    for row, one in zip(tokens[1], recorded, strict=True):
        needed = sum(one["least"].values())
        ours, alone, theirs = one["seconds"].values()
        assert row == [
            f"{one['prompt']} + {one['response']}",
            f"{needed / 1e9:.1f}",
            f"{one['multiplications'] / 1e9:.1f}",
            f"{1e3 * alone:.0f} ms",
            f"{1e3 * ours:.0f} ms",
            f"{1e3 * theirs:.0f} ms",
            f"{theirs / ours:.1f}",
            f"{theirs / alone:.1f}",
            f"{one['bar']:.0f}",
        ]
    recorded = benchmark("scores_scaling")["results"]
    assert len(scaling[1]) == len(recorded)
    for row, one in zip(scaling[1], recorded, strict=True):
        assert row[:3] == [one["size"], str(one["pairs"]), str(one["tokens"])]
        for cell, what in zip(row[3:5], ("pair geometry", "batch Gram"), strict=True):
            shown = (
                f"{1e3 * one['seconds per pair'][what]:.0f} ms ({one['over the floor'][what]:.2f})"
            )
            assert cell == shown


def test_the_objectives_are_counted():
    counts = {
        name: set(re.findall(r"(\d+) objectives", PAGES[name])) for name in PAGES.keys() - GENERATED
    }
    assert counts["README.md"] == {str(len(OBJECTIVES))}
    assert set().union(*counts.values()) == {str(len(OBJECTIVES))}


def test_the_predictions_of_the_sentiment_check_are_counted():
    shown = re.search(r"records, (\d+) of the (\d+) held on three seeds", PAGES["README.md"])
    recorded = json.loads(RECORDED_LEDGER.read_text("utf-8"))["claims"]
    judged = [c for c in recorded if f"experiment {EXPERIMENT}:" in c["decided_by"]]
    held = [c for c in judged if c["verdict"] == Verdict.SUPPORTED]
    assert [int(count) for count in shown.groups()] == [len(held), len(judged)]
    assert len(judged) == len(RULES)


def test_the_limits_of_the_house_are_what_is_tested():
    (lines, modules) = re.findall(
        r"at most (\d+) lines and one\nconcept, a folder at most (\d+) modules",
        PAGES["docs/extending.md"],
    )[0]
    assert (int(lines), int(modules)) == (LONGEST, MOST)


def test_the_cost_of_watching_is_what_was_recorded():
    shares = {f"{100 * one['overhead']:.0f} %" for one in benchmark("monitor")["results"]}
    (shown,) = re.findall(r"overhead on a\nCPU was (\d+ %)", PAGES["docs/monitor.md"])
    assert shares == {shown}


def test_the_runs_beside_their_forecasts_are_what_was_recorded():
    record = json.loads((ROOT / "results/rehearsal/side_by_side.json").read_text("utf-8"))
    expected = []
    for result in record["results"]:
        for arm, pilot in zip(result["rehearsal"], result["pilot"], strict=True):
            told, chosen = result["forecast"]["arms"][arm["arm"]], arm["chosen"]
            half = f"{chosen['high'] - chosen['mean']:.3f}"
            trl = result["TRL"]["means"][-1][0] if arm["arm"] == "DPO" else None
            numbers = (told["first_order"], told["chosen"], chosen["mean"], pilot["chosen"]["mean"])
            first, forecast, real, fast = (f"{n:+.3f}".replace("-", "−") for n in numbers)
            by_trl = "–" if trl is None else f"{trl:+.3f}".replace("-", "−")
            mark = "" if told["trusted"] else " ?"
            expected.append(
                [
                    result["style"],
                    arm["arm"],
                    first,
                    forecast + mark,
                    f"{real} ± {half}",
                    fast,
                    by_trl,
                ]
            )
        assert result["largest difference from TRL (nats)"] < 1e-5
        assert 32 <= round(result["forecast"]["seconds"]) <= 37
    assert (
        next(body for head, body in tables(PAGES["docs/horizon.md"]) if "pilot" in head) == expected
    )


def test_how_well_many_updates_are_forecast_is_what_was_recorded():
    """Recomputed from the table of runs, apart from the code that judges them."""
    record = json.loads((ROOT / "results/horizon/gpt2.json").read_text("utf-8"))
    # A run that diverged itself has no change to forecast.
    runs = [run for run in record["tables"]["horizon"] if run["chosen"] is not None]
    decided = [run for run in runs if abs(run["chosen"]) > 2 * run["standard error"]]
    pieces = {(run["seed"], run["style"], run["optimizer"], run["rate"]) for run in runs}
    told = {
        "forecast from the path": "path",
        "scores of the start": "frozen",
        "the optimizer at four times": "pilot",
        "a straight line": "line",
        "a coarse run": "coarse",
    }
    page = PAGES["docs/horizon.md"]
    shown = next(body for head, body in tables(page) if head[0] == "means" and len(body) > 1)
    assert len(shown) == len(told) + 1
    for means, *numbers in shown:
        name = next((told[start] for start in told if means.startswith(start)), "chosen")
        # What diverged is wrong, and infinitely far off.
        right = [run[name] is not None and run[name] * run["chosen"] > 0 for run in decided]
        off = [inf if run[name] is None else abs(run[name] / run["chosen"] - 1) for run in decided]
        seconds = sum(
            run["seconds, run" if name == "chosen" else f"seconds, {name}"]
            for run in runs
            if run["updates"] == 12 and run["pairs"] == "trained"
        )
        expected = (mean(right), median(off), _ranked(runs, name))
        assert [float(number) for number in numbers[:3]] == pytest.approx(expected, abs=0.0051)
        each = seconds / len(pieces)
        assert numbers[3] == (f"{each:.0f}" if each >= 1 else f"{each:.1f}")
    assert f"{len(decided)} mean changes" in page


def _ranked(runs, name):
    groups = defaultdict(list)
    for run in runs:
        where = ("seed", "style", "optimizer", "rate", "updates", "pairs")
        # What diverged stands last.
        said = -1e300 if run[name] is None else run[name]
        groups[tuple(run[key] for key in where)].append((run["chosen"], said))
    return mean(kendalltau(*np.transpose(group)).statistic for group in groups.values())


def test_the_pretrained_models_runs_beside_their_forecasts_are_what_was_recorded():
    record = json.loads((ROOT / "results/pretrained_horizon/smollm2.json").read_text("utf-8"))
    expected = [
        [
            run["style"],
            str(run["seed"]),
            run["objective"],
            *(f"{run[name]:+.2f}".replace("-", "−") for name in ("frozen", "path", "coarse")),
            f"{run['chosen']:+.2f} ± {run['standard error']:.2f}".replace("-", "−"),
        ]
        for run in record["tables"]["horizon"]
        if run["updates"] == 24 and run["pairs"] == "held out"
    ]
    page = PAGES["docs/horizon.md"]
    assert expected
    assert next(body for head, body in tables(page) if "seed" in head) == expected
