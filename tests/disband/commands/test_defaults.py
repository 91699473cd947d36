"""What a command does when nothing is said: its defaults, as its help and the pages state them."""

import click
import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.sims.surveys.survey import Survey
from disband.terminal.errors import INTERRUPTED
from disband.terminal.pair import Pair

# Written down from the documentation; a change of one is a change for everyone who relies on it.
DEFAULTS = {
    "verify": {"seeds": 3, "out": "out", "no_lm": False, "fresh": False},
    "derive": {"as_json": False},
    "band": {"logp_w": -10.0, "logp_l": -10.0, "ref_w": -10.0, "ref_l": -10.0, "len_w": 10,
             "len_l": 10, "figure": False, "out": "out"},
    "compare": {"logp_w": -10.0, "len_l": 10, "figure": False, "out": "out"},
    "simulate": {"policy": "shared", "steps": 100, "method": "none", "out": "out"},
    "outcomes": {"pairs": 1, "dimensions": 8, "steps": 20, "seed": 0},
    "explore": {"out": "out/explore.html"},
    "claim": {"full": False, "tex": False, "fresh": False, "out": "out"},
    "claims": {"out": "out"},
    "falsify": {"seconds": 5.0, "seed": 0},
    "cluster": {"workers": 2, "port": 8786},
    "gpt2": {"scale": "small", "seeds": 1, "first_seed": 0, "workers": 2, "out": "out"},
    "probe": {"objectives": "dpo,simpo,cpo,rpo,orpo", "sample": 512, "seed": 0, "part": "train",
              "batch": 16, "batches": 4, "optimizer": "sgd", "out": "out"},
    "rehearse": {"objectives": "dpo,simpo,ipo", "remedies": "pairs,likelihood=0.1", "batch": 16,
                 "sample": 320, "held_out": 64, "optimizer": "adamw", "schedule": "constant",
                 "warmup": 0, "quick": False, "workers": 2, "seed": 0, "out": "out"},
    "report": {"out": "out"},
    "figures": {"out": "out"},
}  # fmt: skip


def options(command):
    return {option.name: option for option in main.commands[command].params}


def test_every_command_has_its_defaults_written_down():
    assert set(DEFAULTS) == set(main.commands)


@pytest.mark.parametrize(
    ("command", "name"), [(c, n) for c, named in DEFAULTS.items() for n in named]
)
def test_a_default_is_the_documented_one(command, name):
    option, expected = options(command)[name], DEFAULTS[command][name]
    value = option.get_default(click.Context(main.commands[command]))
    assert (str(value) if name == "out" else value) == expected
    if option.show_default:
        shown = CliRunner().invoke(main, [command, "--help"]).stdout
        assert f"[default: {expected}" in " ".join(shown.split()).replace("; x>=", " ")


def test_what_takes_a_default_of_its_own_takes_the_same():
    values = {name: option.default for name, option in options("band").items()}
    assert vars(Pair()) == {name: values[name] for name in vars(Pair())}
    asked = {name: option.default for name, option in options("outcomes").items()}
    assert {n: getattr(Survey(), n) for n in ("pairs", "dimensions", "steps", "seed")} == {
        n: asked[n] for n in ("pairs", "dimensions", "steps", "seed")
    }


@pytest.mark.parametrize("raised", [click.Abort, KeyboardInterrupt, EOFError])
def test_an_abort_within_a_command_exits_as_an_interrupt(raised, monkeypatch):
    def aborted(*_, **__):
        raise raised

    monkeypatch.setattr("disband.terminal.pair.band_text", aborted)
    done = CliRunner().invoke(main, ["band", "dpo", "--cos", "0.9", "--norm-ratio", "1.3"])
    assert done.exit_code == INTERRUPTED == 130
    assert done.stderr.strip() == "interrupted"
    assert not done.stdout.strip()


@pytest.mark.parametrize(
    ("loss", "settings", "remedy"),
    [
        ("lambda*w", (), "write lam"),
        ("log1p(w)", (), "write log(1 + x)"),
        ("eta*w", ("eta=1",), "the step size is no part of a loss"),
        ("relu(delta - w + l)", ("delta=0",), "delta of own is positive: got 0"),
        ("relu(delta - w + l)", ("delta=-1",), "take a name that the catalogue does not use"),
    ],
)
def test_a_typed_loss_says_what_to_write_instead(loss, settings, remedy):
    words = [f"--loss={loss}", *(word for text in settings for word in ("--set", text))]
    done = CliRunner().invoke(main, ["derive", *words])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert remedy in done.stderr
