"""``disband claim``, ``disband claims`` and ``disband falsify``."""

import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sympy import And, Gt, Rational, Symbol

from disband.cli import main
from disband.terminal.claims import find_claim, point_of, record_of
from disband.terminal.statement import claim_text
from disband.verify.claims import LEDGER
from disband.verify.deciding.claim import Claim, Quantity
from disband.verify.deciding.readings import fold, readings
from disband.verify.pages.mathematics import mathematics, sentence

x, y = Symbol("x", real=True), Symbol("y", real=True)
EQ9 = find_claim("yuan2025.eq9")


def run(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, [*map(str, args)])
    return result.exit_code, result.output


@pytest.fixture
def kept(tmp_path):
    """A folder with a report of a few claims, and a way to damage it."""

    def write(*identifiers, **changes):
        records = [{**record_of(find_claim(name), {}), **changes} for name in identifiers]
        (tmp_path / "report.json").write_text(json.dumps({"claims": records}))
        return tmp_path

    return write


def test_a_reading_that_fails_is_no_refutation_of_the_paper() -> None:
    said = run("claim", "yuan2025.condition1.strict")[1]
    assert said.startswith("✘ fails as read here   yuan2025.condition1.strict")


def test_a_refuted_claim_is_shown_with_its_numbers_and_its_repair() -> None:
    code, said = run("claim", "yuan2025.eq9", "--fresh")
    assert code == 0
    assert said.startswith("✘ refuted")
    for part in (
        "Yuan et al. 2025",
        "d_l = −1",
        "‖a‖²·d_w/d_l ≥ ⟨a,b⟩   reads   −1 ≥ 1   ✘",
        "Δlog π_w ≥ 0   reads   2 ≥ 0   ✔",
        "✔ proved, yuan2025.eq9.repaired",
    ):
        assert part in said


def test_named_quantities_stand_for_what_they_abbreviate() -> None:
    said = run("claim", "yuan2025.corollary2.directions")[1]
    assert "Δlog π_w = C·(H + c) ≥ 0" in said
    fails, holds = (line for line in said.splitlines() if "should be" in line)
    assert "Δlog π_w" in fails
    assert fails.endswith("✘")
    assert "Δlog π_l" in holds
    assert holds.endswith("✔")
    assert "because" in said
    assert max(map(len, said.splitlines())) <= 80


def test_comparisons_with_equal_sides_count_and_those_that_fail_come_first() -> None:
    claim = Claim(
        id="own", locator="", says="", holds=And(Gt(x, 0), Gt(y, 0), Gt(x + y, 1)),
        where=(Quantity("sum", x + y),),
    )  # fmt: skip
    found = readings(claim, {x: Rational(0), y: Rational(1, 2)})
    assert [(str(r.relation), r.holds) for r in found] == [
        ("sum > 1", False), ("x > 0", False), ("y > 0", True),
    ]  # fmt: skip
    assert fold((x + y) ** 2, claim.where) == Symbol("sum") ** 2


def test_a_proved_claim_names_its_idle_assumptions() -> None:
    assert "not needed" in run("claim", "yuan2025.eq14.nonpositive", "--fresh")[1]


@pytest.mark.parametrize("claim", LEDGER[::23], ids=lambda c: c.id)
def test_any_claim_reads_as_plain_text(claim) -> None:
    text = claim_text(claim, record_of(claim, {}), None, full=True, tex=False)
    assert sentence(claim.locator) in " ".join(text.split())
    for raw in ("Indexed(", "Equivalent(", "Implies(", "**", "$", "\\"):
        assert raw not in text


def test_what_a_claim_says_is_written_without_latex() -> None:
    texts = [text for claim in LEDGER for text in (claim.says, claim.quote, claim.locator)]
    assert [text for text in texts if set(sentence(text)) & set("$\\")] == []
    assert sentence(r"> 1^7$ , where $\beta$ is large.$") == "> 1⁷ , where β is large."


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\|h_L\|^2", "‖h_L‖²"),
        (r"\frac{d_l}{d_w}\|a\|^2", "d_l/d_w·‖a‖²"),
        (r"\log\frac{\pi_w}{\pi_{ref,w}}", "log (π_w/π_ref,w)"),
        (r"\frac{a}{b + c}x - \frac{1}{2\beta}", "a/(b + c)·x − 1/(2β)"),
        (r"\frac{\frac{a}{b}}{c}", "(a/b)/c"),
        (r"\frac{r + (r^*)^2}{(1 + r)r^*}", "(r + (r*)²)/((1 + r)r*)"),
        (r"\sqrt{r^*/r} \iff x \ne -1", "√(r*/r) ⟺ x ≠ −1"),
        (r"\hat r_\theta(x,y) \to e^{-x}", "r̂_θ(x, y) → e^(−x)"),
        (r"\min\left(s, 1\right) \wedge y", "min(s, 1) and y"),
    ],
)
def test_mathematics_is_written_in_one_line(latex, text) -> None:
    assert mathematics(latex) == text


def test_a_kept_decision_is_used_and_says_so(kept) -> None:
    out = kept("yuan2025.eq10", decided_by="an earlier run")
    assert "an earlier run" in run("claim", "yuan2025.eq10", "--out", out)[1]
    assert "an earlier run" not in run("claim", "yuan2025.eq10", "--out", out, "--fresh")[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "proved"},
        {"holds": "x"},
        {"counterexample": {"A": "1", "B": "1", "X": "0", "d_l": "1", "d_w": "1", "eta": "1"}},
        {"counterexample": {"unknown": "1"}, "verdict": "refuted", "exists": True},
    ],
    ids=str,
)
def test_a_kept_decision_that_does_not_stand_is_made_again(kept, changes) -> None:
    out = kept("yuan2025.eq10", decided_by="an earlier run", **changes)
    said = run("claim", "yuan2025.eq10", "--out", out)[1]
    assert said.startswith("✘ refuted")
    assert "an earlier run" not in said


def test_a_kept_point_is_the_point_that_was_found() -> None:
    record = record_of(EQ9, {})
    point = point_of(EQ9, record["counterexample"])
    assert {str(s): str(v) for s, v in point.items()} == record["counterexample"]
    assert point_of(EQ9, {"nobody": "1"}) is None


def test_the_beginning_of_an_id_lists_its_claims() -> None:
    said = run("claim", "yuan2025.corollary2")[1].splitlines()
    assert len(said) == sum(c.id.startswith("yuan2025.corollary2") for c in LEDGER)
    assert all("yuan2025.corollary2." in line for line in said)


def test_the_ledger_is_listed_by_verdict_paper_and_words(kept) -> None:
    out = kept("yuan2025.eq9", "yuan2025.eq9.repaired", decided_by="an earlier run")

    def listed(*words):
        found = json.loads(run("claims", "--out", out, "--paper", "yuan2025", *words, "--json")[1])
        return {one["id"]: one for one in found}

    assert set(listed("--search", "EQ9")) == {"yuan2025.eq9", "yuan2025.eq9.repaired"}
    assert set(listed("--search", "eq9", "--verdict", "refuted")) == {"yuan2025.eq9"}
    assert not listed("--search", "eq9", "--search", "no such word")
    # What is not kept is decided now.
    both = listed("--search", "yuan2025.eq10")
    assert both["yuan2025.eq10"]["verdict"] == "refuted"
    assert listed("--search", "eq9")["yuan2025.eq9"]["decided_by"] == "an earlier run"
    said = run("claims", "--out", out, "--paper", "yuan2025", "--search", "eq9")[1].splitlines()
    names = [line.split()[2] for line in said[: said.index("")]]
    assert names == ["yuan2025.eq9", "yuan2025.eq9.repaired"]
    assert said[said.index("") + 1].startswith("2 claims")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("claim", "yuan2025.eq99"), "did you mean yuan2025.eq9?"),
        (("claim", "hume1739.is"), "begins with one of yuan2025, chen2026"),
        (("claims", "--paper", "hume1739"), "begins with one of yuan2025, chen2026"),
        (("claims", "--verdict", "true"), "'true' is not one of"),
        (("falsify", "--statement", "X.real > 0"), "got"),
        (("falsify", "--statement", "X > y"), "got 'y'"),
        (("falsify", "--given", "X > 0"), "--given goes with --statement"),
        (("falsify", "yuan2025.eq9", "--statement", "X > 0"), "either IDs or --statement"),
        (("falsify", "yuan2025.corollary2"), "whole id"),
        (("falsify", "disband.gpt2.first-order"), "decided by an experiment"),
        (("falsify", "--statement", "X > 0", "--seconds", "-1"), "-1.0 is not in the range x>0"),
        (("falsify", "--statement", "X > 0", "--given", "A < 0"), "vacuous"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, tuple) else None,
)
def test_wrong_input_is_one_line_and_exit_code_2(words, said) -> None:
    code, output = run(*words)
    assert code == 2, output
    assert output.count("\n") == 1, output
    assert said in output


def test_a_damaged_report_is_refused(tmp_path) -> None:
    (tmp_path / "report.json").write_text("{")
    assert "is damaged" in run("claim", "yuan2025.eq9", "--out", tmp_path)[1]


def test_a_false_statement_of_ones_own_is_broken_and_shrunk() -> None:
    code, said = run(
        "falsify", "--given", "d_w > 0", "--given", "d_l > 0", "--statement", "d_w*A >= d_l*X",
        "--seconds", "1",
    )  # fmt: skip
    assert code == 0
    assert said.startswith("✘ refuted   own")
    assert "fails at" in said


def test_a_true_statement_of_ones_own_is_proved() -> None:
    said = run("falsify", "--statement", "X**2 <= A*B", "--seconds", "0.2")[1]
    assert said.startswith("✔ proved")
    assert "no counterexample among" in said


def test_deciding_and_searching_a_typed_statement_come_to_an_end(monkeypatch) -> None:
    def endless(*_):
        while True:
            Rational(1, 2) + 1

    monkeypatch.setattr("disband.commands.claims.PATIENCE", 0.3)
    monkeypatch.setattr("disband.verify.deciding.decide.prove", endless)
    monkeypatch.setattr("disband.verify.deciding.falsify.screen", endless)
    words = ["falsify", "--statement", "d_w*A >= d_l*X", "--seconds", "0.2", "--json"]
    (record,) = json.loads(CliRunner().invoke(main, words).stdout)
    assert (record["verdict"], record["search"]["points"]) == ("open", 0)
    assert record["decided_by"] == "neither proof nor counterexample in 0.3 s"
    assert record["holds"]


def test_a_claim_can_be_searched_by_its_id() -> None:
    said = run("falsify", "yuan2025.eq10", "--seconds", "0.5")[1]
    assert said.startswith("✘ refuted   yuan2025.eq10")
    assert "reads" in said


def test_the_claims_of_one_paper_are_read_without_the_others() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from disband.terminal.claims import find_claim; find_claim('yuan2025.eq9')\n"
        "print([m for m in sys.modules if m.startswith('disband.verify.claims.') "
        "or m in ('scipy', 'torch')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "yuan2025" in done.stdout
    for other in ("chen2026", "wang2025", "jian2025", "claims.disband", "scipy", "torch"):
        assert other not in done.stdout


def test_claims_are_found_by_id() -> None:
    assert find_claim(LEDGER[0].id) is LEDGER[0]
    assert replace(EQ9) is not EQ9


def test_a_statement_without_symbols_fails_everywhere() -> None:
    said = run("falsify", "--statement", "1 > 2", "--seconds", "0.2")[1]
    assert said.startswith("✘ refuted")
    assert re.search(r"fails at +every point", said)
