"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from verify.provenance import PACKAGES, ROOT, imports

FLOOR = {package: number for number, package in enumerate(PACKAGES)}
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
HEAVY = {"torch", "matplotlib", "transformers", "tokenizers", "datasets"}
LONGEST = 320


def name_of(path):
    return str(path.relative_to(ROOT))


def at_import(path):
    """Yield what a file imports when it is imported: not within functions or for types alone."""
    waiting = [ast.parse(path.read_bytes())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        waiting += ast.iter_child_nodes(node)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_run_downward_only(path):
    own = path.relative_to(ROOT).parts[0]
    used = {name.partition(".")[0] for name in imports(path)}
    assert not {other for other in used & set(FLOOR) if FLOOR[other] > FLOOR[own]}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_are_absolute(path):
    relative = [
        node for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]  # fmt: skip
    assert not relative


@pytest.mark.parametrize("package", ["theory", "sims", "disband"])
def test_the_quick_floors_load_nothing_heavy(package):
    for path in (ROOT / package).rglob("*.py"):
        allowed = {"matplotlib"} if path.name == "pictures.py" else set()
        used = {name.partition(".")[0] for name in at_import(path)}
        assert not used & (HEAVY - allowed), path


@pytest.mark.parametrize("path", [*FILES, *TESTS], ids=name_of)
def test_no_file_is_too_long_to_read(path):
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_in_its_first_line_what_it_is_for(path):
    said = ast.get_docstring(ast.parse(path.read_bytes()))
    assert said
    assert said.splitlines()[0].rstrip()[-1] in ".;:,"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_program_code_asserts(path):
    found = [n.lineno for n in ast.walk(ast.parse(path.read_bytes())) if isinstance(n, ast.Assert)]
    assert not found


def test_the_walk_sees_what_it_should(tmp_path):
    file = tmp_path / "one.py"
    file.write_text(
        "import a\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import b\n"
        "def f():\n    import c\ntry:\n    from d.e import g\nexcept ImportError:\n    pass\n"
    )
    assert set(at_import(file)) == {"a", "typing", "d.e"}
    assert {"a", "b", "c", "d.e"} <= set(imports(file))


def test_the_console_script_works():
    script = Path(sys.executable).with_name("disband")
    if not script.exists():
        pytest.skip("the package is not installed")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"disband \d+\.\d+\.\d+\n", done.stdout)
