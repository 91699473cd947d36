"""Of which run the lines of a log are, and in which order: what is not one run is told."""

import json

import pytest

from disband.monitor.advice import said
from disband.monitor.diagnosis import diagnose
from disband.monitor.logs import read
from tests.disband.monitor.histories import written


def lines(name, places, *, start=0.0):
    """A row for each place, with a chosen that counts up."""
    return [
        {"loss": 0.5, "rewards/chosen": start + i, name: place} for i, place in enumerate(places)
    ]


def log(folder, rows, form=json.dumps):
    path = folder / ("log.jsonl" if form is json.dumps else "run.out")
    path.write_text("\n".join(map(form, rows)))
    return path


@pytest.mark.parametrize(
    ("name", "form"), [("step", json.dumps), ("epoch", str)], ids=["steps", "epochs"]
)
@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        ((1, 2, 3, 4, 5), (1, 2, 3), [100, 101, 102]),  # another run
        ((2, 4, 6, 8), (3, 5), [100, 101]),  # another run that logs elsewhere
        ((1, 2, 3, 4, 5), (4, 5, 6), [0, 1, 2, 100, 101, 102]),  # resumed
        ((1, 2, 3), (4, 5), [0, 1, 2, 100, 101]),
    ],
    ids=["anew", "elsewhere", "resumed", "on"],
)
def test_what_stood_before_a_log_went_back_is_left_out(name, form, first, then, kept, tmp_path):
    run = read(log(tmp_path, lines(name, first) + lines(name, then, start=100.0), form))
    assert run.column("rewards/chosen")[1].tolist() == kept
    went_back = f"from {name} {first[-1]} to {then[0]}"
    assert any(went_back in remark for remark in run.remarks) == (then[0] <= first[-1])


def test_a_number_that_broke_in_another_run_is_not_of_this_one(tmp_path):
    rows = [*lines("step", (1, 2)), {"loss": float("nan"), "step": 3}, *lines("step", (1, 2, 3))]
    assert read(log(tmp_path, rows)).broken == {}


def test_a_log_from_its_end_to_its_start_is_turned_round(tmp_path):
    run = read(log(tmp_path, lines("step", (30, 20, 10))))
    assert run.column("rewards/chosen")[1].tolist() == [2, 1, 0]
    assert run.remarks == ()


def test_steps_that_begin_anew_with_each_epoch_are_counted(tmp_path):
    rows = [
        {"loss": 0.5, "rewards/chosen": 2 * e + s, "epoch": e, "step": s, "max_steps": 2}
        for e in (0, 1) for s in (1, 2)
    ]  # fmt: skip
    run = read(log(tmp_path, rows))
    assert run.column("rewards/chosen")[1].tolist() == [1, 2, 3, 4]
    assert (run.counted, run.planned) == (True, None)
    assert "with each epoch" in run.remarks[0]


def test_a_bar_that_begins_anew_with_each_epoch_is_counted(tmp_path):
    (tmp_path / "a.log").write_text("".join(
        f"Train step of epoch {e}: 50%|█ | {s}/2 [00:01, loss=0.5, acc=1, chosen_reward={e}.{s}]\r"
        for e in (0, 1) for s in (1, 2)
    ) + "Eval: 50%|█ | 1/2 [00:01, acc=0.5]")  # fmt: skip
    run = read(tmp_path / "a.log")
    assert run.column("rewards/chosen")[1].tolist() == [0.1, 0.2, 1.1, 1.2]
    assert run.counted


def test_lines_of_one_step_that_disagree_are_told(tmp_path):
    run = read(log(tmp_path, [{"rewards/chosen": value, "step": 500} for value in (1, 2, 3)]))
    assert run.lines == ({"rewards/chosen": 3.0},)
    assert "different numbers, first step 500" in run.remarks[0]


@pytest.mark.parametrize(
    ("name", "values", "refused"),
    [
        ("method", ("dpo", "ipo"), True),
        ("method", ("dpo", "dpo"), False),
        ("time", ("Mon 10:00:01", "Mon 10:00:05"), False),
        ("note", ("nan", "1e-5"), False),
    ],
)
def test_lines_that_have_names_in_place_of_steps_are_runs(name, values, refused, tmp_path):
    path = log(tmp_path, [{"rewards/chosen": 0.1, name: value} for value in values])
    if not refused:
        assert len(read(path).lines) == 2
        return
    with pytest.raises(ValueError, match=r"told apart by method .*give the log of one run"):
        read(path)


def test_of_two_states_of_one_step_the_fuller_one_counts(tmp_path):
    row = {"loss": 1.0, "step": 9}
    written(tmp_path, "checkpoint-9/trainer_state.json", [row])
    written(tmp_path, "trainer_state.json", [row, {"eval_loss": 1.0, "step": 9}])
    assert read(tmp_path).held_out is not None


def test_lines_are_not_called_steps(tmp_path):
    """A checkpoint is named by its step, which the line is not."""
    rows = [{"loss": 0.5, "rewards/chosen": -i, "epoch": i / 10} for i in range(20)]
    rows[12]["grad_norm"] = float("nan")
    words = said(diagnose(read(log(tmp_path, rows, str))))
    assert "step" not in " ".join(words.happened[1:])
    assert "grad_norm (line 13, epoch 1.2)" in words.happened[1]
    assert words.todo[-1].startswith("A checkpoint before line 11, epoch 1 ")


TABLE = "| Step | Loss | Rewards/chosen |\n|---|---|---|\n"


def test_of_several_tables_the_longest_is_the_run(tmp_path):
    short, long = ("".join(f"| {s} | 0.5 | {c} |\n" for s, c in rows) for rows in (
        [(1, 9), (100, 9)], [(10, 0), (20, 1), (30, 2)]))  # fmt: skip
    text = f"{TABLE}{short}\n{{'train_runtime': 3.0, 'epoch': 1.0}}\n{TABLE}{long}"
    (tmp_path / "README.md").write_text(text)
    run = read(tmp_path / "README.md")
    assert run.steps == (10, 20, 30)
    assert run.remarks == ("the file has 2 tables of runs: this is the longest",)


def test_a_dictionary_that_a_terminal_broke_over_lines_is_one(tmp_path):
    (tmp_path / "a.log").write_text(
        "{'loss': 0.5, 'rewards/chosen': 1.19\n4046, 'rewards/rejected': -\n2.5,\n 'epoch': 0.1}\n"
        '{"loss": 0.4, "rewards/chosen": NaN, "done": true}\n{"beta": 0.1}\n'
    )
    run = read(tmp_path / "a.log")
    assert run.lines == (
        {"loss": 0.5, "rewards/chosen": 1.194046, "rewards/rejected": -2.5, "epoch": 0.1},
        {"loss": 0.4},
    )
    assert run.broken == {"rewards/chosen": 2}


def test_a_factorys_log_says_where_it_ends(tmp_path):
    run = read(log(tmp_path, [{"current_steps": 5, "total_steps": 50, "loss": 0.6}]))
    assert (run.steps, run.planned) == ((5,), 50)


def test_margins_alone_are_told_as_that(tmp_path):
    (tmp_path / "a.log").write_text(
        "Ep 1 (Step 000005): Train loss 0.69, Val loss 0.68, Train reward margins 0.04, "
        "Val reward margins 0.03\n"
    )
    run = read(tmp_path / "a.log")
    assert run.lines == ({"loss": 0.69, "rewards/margins": 0.04},)
    assert run.held_out.lines == ({"loss": 0.68, "rewards/margins": 0.03},)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n", "is empty; give"),
        ("version https://git-lfs.example/spec/v1\noid sha256:12\nsize 3\n", "git lfs pull"),
        ('{"prompt": "Why?", "chosen": "Because.", "rejected": "No."}\n', "disband probe"),
    ],
    ids=["empty", "pointer", "data"],
)
@pytest.mark.parametrize("name", ["trainer_state.json", "dpo.log", "dpo.csv"])
def test_what_lies_in_the_place_of_a_log_is_named(text, told, name, tmp_path):
    if name == "dpo.csv" and told == "disband probe":
        text = "prompt,chosen,rejected\nWhy?,Because.,No.\n"
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=told):
        read(tmp_path / name)


def test_short_names_of_a_table_of_ones_own(tmp_path):
    (tmp_path / "log.csv").write_text("step,reward_acc,margin\n1,0.5,0.25\n")
    assert read(tmp_path).lines == ({"rewards/accuracies": 0.5, "rewards/margins": 0.25},)
