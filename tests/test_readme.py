"""What the README shows works."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from disband.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\| `disband (\w+)", README, re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_gives_what_it_says(example: str) -> None:
    names: dict[str, object] = {}
    for line in example.splitlines():
        code, _, said = line.partition("#")
        if re.match(r"\w+\(", code):
            value = eval(code, names)  # the README's own lines
            for number in re.findall(r"\d+\.?\d*", said):
                assert re.search(rf"\b{re.escape(number)}", str(value)), (code, value)
        else:
            exec(code, names)


def test_every_command_in_the_table_exists() -> None:
    assert set(COMMANDS) == set(main.commands)


@pytest.mark.parametrize("path", re.findall(r"\]\(([^)#]+)\)", README))
def test_every_link_leads_somewhere(path: str) -> None:
    assert (Path(__file__).parent.parent / path).exists()


def test_help_knows_what_the_readme_shows() -> None:
    for command in COMMANDS:
        assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0


def test_nothing_is_left_to_fill_in() -> None:
    assert not re.search(r"@[A-Z]+@", README)
