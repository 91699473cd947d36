"""One word for one thing, in all that a user reads: what commands print, and the documents."""

import re

import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.theory.band import Case
from disband.theory.objectives import OBJECTIVES
from disband.verify.claims import LEDGER
from disband.verify.kept.provenance import ROOT
from tests.documents import PAGES

BANNED = {
    "winner": r"\b[Ww]inners?\b",
    "loser": r"\b[Ll]osers?\b",
    "s for r*": r"\bs = (‖b‖|\\Vert b|\\\|b)",
    "for its sake": r"'s sake",
    "as it should": r"\bas (it|they|both) should\b",
    "leaks": r"\bleaks? through\b",
    "half of it": r"\bhalf of it by\b",
}
# The titles of papers, and what stands in quotation marks, are their authors'.
QUOTED = r"“[^”]*”|Suppress the Loser, Preserve the Winner"
AT = ("--cos", "0.9", "--norm-ratio", "1.3")
COMMANDS = [
    ("--help",),
    *((name, "--help") for name in main.commands),
    *(("derive", one.name) for one in OBJECTIVES[::4]),
    *(("band", one.name, *AT) for one in OBJECTIVES[::6]),
    ("compare", *AT),
    ("outcomes", "dpo", "--problems", "50", "--steps", "3"),
    ("simulate", "dpo", "--toy", "edit-one", "--steps", "3"),
    *(("claim", one.id) for one in LEDGER[::60]),
]
SCRIPTS = sorted((ROOT / "disband/explorer").glob("*.js"))


def banned(text):
    own = re.sub(QUOTED, "", text)
    return {name: found[0] for name, words in BANNED.items() if (found := re.search(words, own))}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_prints_a_banned_word(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert banned(done.output) == {}


@pytest.mark.parametrize("name", PAGES)
def test_no_document_has_a_banned_word(name):
    assert banned(PAGES[name]) == {}


def test_no_script_or_template_has_a_banned_word():
    files = [*SCRIPTS, *ROOT.glob("*/**/*.j2")]
    assert len(files) > len(SCRIPTS) > 5
    assert {file.name: found for file in files if (found := banned(file.read_text("utf-8")))} == {}


def test_what_the_ledger_says_has_no_banned_word():
    said = {claim.id: banned(f"{claim.says} {claim.note}") for claim in LEDGER}
    assert {name: found for name, found in said.items() if found} == {}


def test_there_are_four_cases_and_each_has_one_name():
    assert [case.words for case in Case] == [
        "chosen up, rejected down", "both fall", "both rise", "reversed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong", ["the winner rises", "with s = ‖b‖/‖a‖", "it never does as it should"]
)
def test_a_banned_word_is_noticed(wrong):
    assert banned(wrong)
    assert not banned(f"they write “{wrong}”")
