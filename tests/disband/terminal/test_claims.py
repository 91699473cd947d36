"""``disband claim`` and ``disband falsify``."""

import pytest
from click.testing import CliRunner

from disband.cli import main
from disband.terminal.claims import claim_text, find_claim
from disband.verify.claims import LEDGER


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, args)
    return result.exit_code, result.output


def test_a_refuted_claim_is_shown_with_its_numbers_and_its_repair() -> None:
    code, said = run("claim", "yuan2025.eq9")
    assert code == 0
    for part in ("‖a‖²·d_w/d_l ≥ ⟨a,b⟩", "refuted", "d_l = -1", "reads", "yuan2025.eq9.repaired"):
        assert part in said


def test_a_proved_claim_names_its_idle_assumptions() -> None:
    assert "not needed" in run("claim", "yuan2025.eq14.nonpositive")[1]


@pytest.mark.parametrize("claim", LEDGER[::11], ids=lambda c: c.id)
def test_any_claim_reads_as_plain_text(claim) -> None:
    text = claim_text(claim)
    assert claim.locator in text
    for raw in ("Indexed(", "Equivalent(", "Implies(", "**"):
        assert raw not in text


def test_an_unknown_id_is_one_line_with_a_hint() -> None:
    code, said = run("claim", "yuan2025.eq99")
    assert code == 2
    assert said.count("\n") == 1
    assert "did you mean yuan2025.eq9?" in said


def test_a_false_statement_of_ones_own_is_broken_and_shrunk() -> None:
    code, said = run(
        "falsify", "--given", "d_w > 0", "--given", "d_l > 0", "--statement", "d_w*A >= d_l*X",
        "--seconds", "1",
    )  # fmt: skip
    assert code == 0
    assert "refuted" in said
    assert "counterexample" in said


def test_a_true_statement_of_ones_own_is_proved() -> None:
    assert "proved" in run("falsify", "--statement", "X**2 <= A*B", "--seconds", "0.2")[1]


def test_a_claim_can_be_searched_by_its_id() -> None:
    said = run("falsify", "yuan2025.eq10", "--seconds", "0.5")[1]
    assert said.startswith("yuan2025.eq10")
    assert "reads" in said


@pytest.mark.parametrize(
    "args",
    [
        ("falsify", "--statement", "X.real > 0"),
        ("falsify", "--statement", "X +* A > 0"),
        ("falsify", "--statement", "X > y"),
        ("falsify", "--given", "X > 0"),
        ("falsify", "yuan2025.eq9", "--statement", "X > 0"),
        ("falsify", "yuan2025.nothing"),
        ("falsify", "--statement", "X > 0", "--seconds", "-1"),
        ("falsify", "--statement", "X > 0", "--given", "A < 0"),
    ],
    ids=" ".join,
)
def test_wrong_input_is_one_line_and_exit_code_2(args: tuple[str, ...]) -> None:
    code, said = run(*args)
    assert code == 2, said
    assert said.count("\n") == 1, said
    assert "Traceback" not in said


def test_claims_are_found_by_id() -> None:
    assert find_claim(LEDGER[0].id) is LEDGER[0]
