"""A run's log is read in whichever form people have it, and what is none is refused."""

import json
import os

import numpy as np
import pytest

from disband.monitor.diagnosis import State, diagnose
from disband.monitor.logs import read
from tests.disband.monitor.histories import written

HISTORY = [
    {"loss": 0.7, "rewards/chosen": 0.1, "step": 1, "epoch": 0.1},
    {"eval_loss": 0.6, "eval_rewards/chosen": 9, "step": 1},
    {"loss": "0.5", "rewards/chosen": float("nan"), "dynamics/cosine": "0.25", "step": 2},
    {"train_runtime": 3.0, "train_loss": 0.6, "step": 2},
]


@pytest.mark.parametrize(
    "name", ["trainer_state.json", "checkpoint-2/trainer_state.json", "metrics.jsonl"]
)
@pytest.mark.parametrize("whole", [True, False], ids=["folder", "file"])
def test_a_log_is_read_from_all_that_trainers_leave(name, whole, tmp_path):
    path = written(tmp_path, name, HISTORY)
    run = read(tmp_path if whole else path)
    assert run.steps == (1, 2)
    assert run.source == path
    assert run.column("loss")[1].tolist() == [0.7, 0.5]
    assert run.column("dynamics/cosine")[0].tolist() == [2]
    assert run.column("rewards/chosen")[1].tolist() == [0.1]
    assert not len(run.column("eval_loss")[0])


def test_the_latest_checkpoint_counts(tmp_path):
    written(tmp_path, "checkpoint-9/trainer_state.json", [{"loss": 1.0, "step": 9}])
    written(tmp_path, "checkpoint-10/trainer_state.json", [{"loss": 1.0, "step": 10}])
    assert read(tmp_path).source.parent.name == "checkpoint-10"


def test_a_file_that_was_cut_off_in_writing_hides_no_other(tmp_path):
    written(tmp_path, "checkpoint-9/trainer_state.json", [{"loss": 1.0, "step": 9}])
    later = tmp_path / "checkpoint-10" / "trainer_state.json"
    later.parent.mkdir()
    later.write_text('{"log_history": [{"lo')
    assert read(tmp_path).source.parent.name == "checkpoint-9"
    lines = tmp_path / "metrics.jsonl"
    lines.write_text('{"loss": 1.0, "step": 1}\n{"loss": 0.9, "st')
    assert read(lines).steps == (1,)


def test_loggers_names_are_the_trainers(tmp_path):
    rows = [{"train/loss": 0.5, "train/global_step": 3, "global_step": 3, "eval/loss": 1}]
    run = read(written(tmp_path, "trackio.jsonl", rows))
    assert run.lines == ({"loss": 0.5},)


@pytest.mark.parametrize(
    ("name", "text", "said_"),
    [
        ("trainer_state.json", "{", "is none of them"),
        ("trainer_state.json", "[1, 2]", "is an object of metrics"),
        ("trainer_state.json", '{"log_history": []}', "has none"),
        ("x.jsonl", "no\n", "is not"),
        ("other.txt", "", "has none; "),
        ("runs/events.out.tfevents.1", "", "has none; "),
    ],
)
def test_what_is_no_log_is_refused(name, text, said_, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said_):
        read(tmp_path)


LINES = [
    {"loss": 0.69, "rewards/chosen": 0.0, "rewards/rejected": 0.0, "rewards/margins": 0.0},
    {"loss": 0.60, "rewards/chosen": -0.1, "rewards/rejected": -0.3, "rewards/margins": 0.2},
    {"loss": 0.50, "rewards/chosen": -0.2, "rewards/rejected": -0.7, "rewards/margins": 0.5},
]  # fmt: skip
AT = (1, 10, 20)


def printed(rows):
    """As a trainer prints them: beside progress bars, on one line with them, with a nan."""
    shown = [str({**row, "grad_norm": float("nan")}) for row in rows]
    return f" 10%|█  | 1/10 [00:01]\r{shown[0]}\nWarning: {{not one}}\n" + "\n".join(shown[1:])


def by_metric(rows):
    steps = dict(enumerate(AT))
    return json.dumps({m: [{"step": steps[i], m: row[m]} for i, row in enumerate(rows)]
                       for m in rows[0]})  # fmt: skip


def w_and_b_csv(rows):
    names = list(rows[0])
    head = [
        "Step",
        *(f"run-7 - train/{n}" for n in names),
        *(f"run-7 - train/{n}__MIN" for n in names),
    ]
    lines = [
        [str(step), *(str(row[n]) for n in names), *("-9" for _ in names)]
        for step, row in zip(AT, rows, strict=True)
    ]
    return "\n".join(",".join(f'"{cell}"' for cell in line) for line in [head, *lines])


SAID = {
    "loss": "Train loss", "rewards/chosen": "Chosen reward", "rewards/rejected": "Rejected reward",
    "rewards/margins": "Margin",
}  # fmt: skip


SHORT = {
    "loss": "loss", "rewards/chosen": "chosen_r", "rewards/rejected": "rejected_r",
    "rewards/margins": "margin",
}  # fmt: skip
SHOWN = {"rewards/chosen": "chosen_reward", "rewards/rejected": "reject_reward"}


def lines_of(form):
    """A printed line for each row, as ``form`` writes its step and its metrics."""
    return lambda rows: "".join(form(s, row) for s, row in zip(AT, rows, strict=True))


def markdown(rows):
    cells = [[step, *(f"**{value}**" for value in row.values())] for step, row in
             zip(AT, rows, strict=True)]  # fmt: skip
    table = [["Step", *rows[0]], ["---"] * 5, *cells]
    return "bars | in | text\n" + "\n".join(
        f"| {' | '.join(map(str, line))} |" for line in table
    ).replace("| -", "| −").replace("loss", "Training Loss")


def notebook(rows):
    head = ["Step", "Training Loss", *(name.replace("/", " / ") for name in [*rows[0]][1:])]
    lines = [head, *([step, *row.values()] for step, row in zip(AT, rows, strict=True))]
    cells = ("".join(f"<td>{cell}</td>" for cell in line) for line in lines)
    html = "".join(f"<tr style='x'>{line}</tr>" for line in cells)
    shown = [{"text": ["a {b}\n"]}, {"data": {"text/html": ["<table>", html], "text/plain": "T"}}]
    return json.dumps({"cells": [{"outputs": shown}, {"source": "| Step | Loss |"}]})


FORMS = {
    "list.json": lambda rows: json.dumps(
        [{"step": step, **row} for step, row in zip(AT, rows, strict=True)]
    ),
    "by_metric.json": by_metric,
    "columns.json": lambda rows: json.dumps(
        {"step": AT, **{name: [row[name] for row in rows] for name in rows[0]}}
    ),
    "mark.jsonl": lambda rows: (
        "\ufeff"
        + "\n".join(json.dumps({"step": s, **row}) for s, row in zip(AT, rows, strict=True))
    ),
    "wandb.jsonl": lambda rows: "\n".join(
        json.dumps(
            {**{f"train/{k}": v for k, v in row.items()}, "train/global_step": s, "_step": i}
        )
        for i, (s, row) in enumerate(zip(AT, rows, strict=True))
    ),
    "swift.jsonl": lambda rows: "\n".join(
        json.dumps({**row, "global_step/max_steps": f"{s}/378"})
        for s, row in zip(AT, rows, strict=True)
    ),
    "wandb.csv": w_and_b_csv,
    "console.txt": printed,
    "lines.jsonl": lambda rows: "\n".join(map(json.dumps, rows)),
    "bars.txt": lines_of(
        lambda s, row: f"Step {s} | {' | '.join(f'train_{k}: {v}' for k, v in row.items())}\n"
    ),
    "said.txt": lines_of(
        lambda s, row: f"Iter {s}: {', '.join(f'{SAID[k]} {v:.3f}' for k, v in row.items())}\n"
    ),
    "close.log": lines_of(
        lambda s, row: f"Step {s} | {' '.join(f'{k}:{v}' for k, v in row.items())}\r"
    ),
    "exponents.log": lines_of(
        lambda s, row: (
            f" [12:00] iteration {s:>8}/ 378 | "
            f"{' | '.join(f'{k}: {v:.6E}' for k, v in row.items())} |\n"
        )
    ),
    "short.log": lines_of(
        lambda s, row: f"Iter {s}: {', '.join(f'{SHORT[k]} {v:.3f}' for k, v in row.items())}\n"
    ),
    "signs.log": lines_of(
        lambda s, row: f"  step {s:3}  {'  '.join(f'{k}={v:+.2f}' for k, v in row.items())}\n"
    ),
    "postfix.log": lines_of(
        lambda s, row: (
            f"Train step: {s // 4}%|█  | {s}/378 [00:01<00:09, 1.0it/s, "
            f"{', '.join(f'{SHOWN.get(k, k)}={v}' for k, v in row.items())}]\r"
        )
    ),
    "updates.log": lines_of(lambda s, row: f"after 32: { {**row, 'counters/updates': s} }\n"),
    "table.md": markdown,
    "run.ipynb": notebook,
}
WITHOUT_STEPS = {"console.txt", "lines.jsonl"}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_has_the_same_run(name, tmp_path):
    (tmp_path / name).write_text(FORMS[name](LINES), "utf-8")
    run = read(tmp_path / name)
    assert run.counted == (name in WITHOUT_STEPS)
    assert run.steps == ((1, 2, 3) if run.counted else AT)
    for metric in LINES[0]:
        assert run.column(metric)[1].tolist() == [row[metric] for row in LINES]
    assert {metric for line in run.lines for metric in line} == set(LINES[0])
    planned = name in {"swift.jsonl", "exponents.log", "postfix.log"}
    assert run.planned == (378 if planned else None)
    assert not any("left out" in remark for remark in run.remarks)


def test_the_names_of_a_trainer_of_its_own_are_told_apart(tmp_path):
    rows = [{"rewards_train/chosen": "0.5", "rewards_eval/chosen": "-1", "loss/train": "0.7",
             "counters/examples": 32}]  # fmt: skip
    (tmp_path / "log.jsonl").write_text(json.dumps(rows[0]))
    run = read(tmp_path)
    assert run.lines == ({"rewards/chosen": 0.5, "loss": 0.7},)
    assert run.held_out.lines == ({"rewards/chosen": -1.0},)


def test_the_table_of_a_model_card_is_of_evaluation(tmp_path):
    (tmp_path / "README.md").write_text(
        "# card\n| Training Loss | Epoch | Step | Validation Loss | Rewards/chosen |\n"
        "|:---:|:---:|:---:|:---:|:---:|\n| 0.6 | 0.5 | 100 | 0.65 | -0.1 |\n"
        "| No log | 1.0 | 200 | 0.6 | -0.4 |\n"
    )
    run = read(tmp_path / "README.md")
    assert run.lines == ({"loss": 0.6, "epoch": 0.5},)
    assert run.held_out.column("rewards/chosen")[1].tolist() == [-0.1, -0.4]
    assert run.held_out.column("loss")[0].tolist() == [100, 200]
    told = diagnose(run)
    assert told.state is not State.NO_SIDES
    assert told.motions["chosen"].end == pytest.approx(-0.4)
    assert "held-out" in told.remarks[-1]


def test_commas_for_decimals_and_headless_columns_of_a_card(tmp_path):
    (tmp_path / "README.md").write_text(
        "| Epoca | Training loss | Validation loss | Rewards/chosen |  |\n|---|---|---|---|---|\n"
        "| 1 | 1,858 | 1,8 | -0,106 | 5 |\n| 2 | 1,6 | 1,7 | -0,103 | 6 |\n"
    )
    run = read(tmp_path / "README.md")
    assert run.column("loss")[1].tolist() == [1.858, 1.6]
    assert run.held_out.column("rewards/chosen")[1].tolist() == [-0.106, -0.103]
    assert "eval_" not in run.held_out.lines[0]


def test_an_evaluation_without_a_step_is_of_the_one_before(tmp_path):
    (tmp_path / "a.log").write_text(
        "{'eval_loss': 0.7}\n{'loss': 0.6, 'step': 5}\n{'eval_loss': 0.5}\n{'loss': 0.4, 'step': 9}"
    )
    assert read(tmp_path / "a.log").held_out.steps == (0, 5)


def test_a_number_whose_square_has_no_value_is_a_broken_one(tmp_path):
    rows = [{"loss": 1, "rewards/chosen": v, "step": i} for i, v in enumerate((1e308, -1e308, 1))]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    told = diagnose(read(tmp_path))
    assert told.state is State.BROKE
    assert told.broken == {"rewards/chosen": 0}


def test_a_long_line_of_words_is_read_at_once(tmp_path):
    (tmp_path / "a.log").write_text("step 1 " + "word " * 100_000 + "\n" + "<tr>" * 100_000)
    with pytest.raises(ValueError, match="none of them"):
        read(tmp_path / "a.log")


def test_tensorboards_files_are_read(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path / "runs" / "now"))
    for step, row in zip(AT, LINES, strict=True):
        for name, value in row.items():
            scalar = Summary.Value(tag=f"train/{name}", simple_value=value)
            writer.add_event(Event(step=step, summary=Summary(value=[scalar])))
    writer.close()
    run = read(tmp_path)
    assert run.steps == AT
    shown = run.column("rewards/rejected")[1]
    np.testing.assert_allclose(shown, [row["rewards/rejected"] for row in LINES], rtol=1e-6)


def test_lines_without_a_step_among_others_are_counted(tmp_path):
    rows = [{"step": 1, "loss": 1.0}, {"loss": 2.0}, {"step": 3, "loss": 3.0}]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    run = read(tmp_path)
    assert run.steps == (1, 3)
    assert run.remarks == ("1 lines have no step and are left out",)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a": ' * 50_000,
        '{"log_history": 3}',
        '{"log_history": [{"step": 1e999, "loss": 1}]}',
        '{"log_history": [{"step": -3, "loss": 1}]}',
        '[{"step": 1, "loss": ' + "9" * 5000 + "}]",
        '[{"step": 1, "loss": [1, 2]}]',
        '[{"step": {"a": 1}, "loss": "x"}]',
        "\0\0\0",
        "{'loss': __import__('os').system('false')}",
        "{'a': " + "(" * 5000 + "}",
        "| Training Loss | Step |\n| a | b |",
        "null",
        "3",
        "",
    ],
    ids=range(15),
)
@pytest.mark.parametrize("name", ["trainer_state.json", "log.txt", "log.jsonl", "log.csv"])
def test_whatever_lies_there_ends_in_a_run_or_one_clear_line(text, name, tmp_path):
    (tmp_path / name).write_text(text)
    try:
        run = read(tmp_path / name)
    except ValueError as error:
        said = str(error)
        run = None
    if run is None:
        assert len(said.splitlines()) == 1
        assert "give" in said or "export" in said
    else:
        assert run.steps or run.broken or run.held_out


def test_bytes_that_are_no_text_are_refused_in_a_line(tmp_path):
    (tmp_path / "log.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="give"):
        read(tmp_path / "log.txt")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="copy it to a file"):
        read(tmp_path / "pipe")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "log.jsonl").write_text("x" * 100)
    monkeypatch.setattr("disband.monitor.log_formats.LARGEST", 99)
    with pytest.raises(ValueError, match="at most"):
        read(tmp_path)
