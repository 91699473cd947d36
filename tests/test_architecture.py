"""The house rules that a machine can check."""

import ast
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from disband.verify.kept.provenance import PACKAGES, ROOT, imported_from, imports, module_name

FLOOR = {package: number for number, package in enumerate(PACKAGES)}
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))
HEAVY = {"torch", "matplotlib", "transformers", "tokenizers", "datasets"}
LONGEST = 400
# Places in which a class name means one thing.
ONE_NAME = ("theory", "sims", "verify/experiments", "figures")
MOST = 15  # modules a folder, its __init__ aside
TOOLS = ("probe", "monitor", "explorer", "rehearse")
STANDS_ON = {"rehearse": {"probe"}}  # it reads the same model and data, the same way


def package_of(module):
    """The package that a dotted name of this project is in; None for a name of another."""
    first, second, *_ = [*module.split("."), ""]
    if first != "disband":
        return None
    return second if second in PACKAGES else "disband"


def name_of(path):
    return str(path.relative_to(ROOT))


@cache
def tree(path):
    """Each file is read once for all rules."""
    return ast.parse(path.read_bytes())


def offenders(broken, paths=FILES):
    """Map the name of every file that breaks a rule to what is wrong with it."""
    return {name_of(path): found for path in paths if (found := broken(path))}


def at_import(path):
    """Yield what a file imports when it is imported: not within functions or for types alone."""
    waiting = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield imported_from(node, path)
        waiting += ast.iter_child_nodes(node)


def test_there_are_files_to_look_at():
    assert {name_of(path).partition("/")[0] for path in FILES} == set(PACKAGES)
    assert Path(__file__) in TESTS


def test_imports_run_downward_only():
    def upward(path):
        used = {package_of(name) for name in imports(path)} - {None}
        return sorted(o for o in used if FLOOR[o] > FLOOR[package_of(module_name(path))])

    assert not offenders(upward)


def test_imports_are_relative_within_a_package_and_absolute_between_packages():
    def otherwise(path):
        own = package_of(module_name(path))
        return [
            node.lineno
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ImportFrom)
            and (package_of(imported_from(node, path)) == own) != bool(node.level)
        ]

    assert not offenders(otherwise)


def test_tools_do_not_import_one_another():
    def other(path):
        own = path.relative_to(ROOT).parts[1]
        used = {name.split(".")[1] for name in imports(path) if name.startswith("disband.")}
        return sorted(used & set(TOOLS) - {own} - STANDS_ON.get(own, set()))

    paths = [path for tool in TOOLS for path in (ROOT / "disband" / tool).rglob("*.py")]
    assert not offenders(other, paths)


def test_no_folder_has_more_modules_than_one_sees_at_a_glance():
    names = [name_of(path).rpartition("/") for path in (*FILES, *BENCHMARKS)]
    counts = Counter(folder for folder, _, name in names if name != "__init__.py")
    assert not {folder: count for folder, count in counts.items() if count > MOST}


def test_every_folder_says_what_it_holds():
    folders = {path.parent for path in (*FILES, *BENCHMARKS)}
    assert not [name_of(folder) for folder in folders if not (folder / "README.md").is_file()]


@pytest.mark.parametrize("package", PACKAGES[:-1])
def test_the_door_links_to_each_folder(package):
    link = ROOT / "disband" / package
    assert link.is_symlink()
    assert link.resolve() == ROOT / package


@pytest.mark.parametrize("package", PACKAGES[:-1])
def test_no_folder_has_a_second_name(package):
    done = subprocess.run(
        [sys.executable, "-c", f"import {package}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"ImportError: import disband.{package}" in done.stderr


QUICK = (
    "theory",
    "sims",
    "disband/commands",
    "disband/terminal",
    "disband/job",
    "disband/explorer",
)


@pytest.mark.parametrize("package", QUICK)
def test_the_quick_rooms_load_nothing_heavy(package):
    def heavy(path):
        allowed = {"matplotlib"} if path.name == "pictures.py" else set()
        used = {name.partition(".")[0] for name in at_import(path)}
        return sorted(used & (HEAVY - allowed))

    assert not offenders(heavy, (ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ONE_NAME)
def test_no_two_public_classes_of_a_package_have_one_name(package):
    names = [
        node.name
        for path in (ROOT / package).rglob("*.py")
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert {name: count for name, count in Counter(names).items() if count > 1} == {}


def test_no_file_is_too_long_to_read():
    def too_long(path):
        lines = len(path.read_text("utf-8").splitlines())
        return lines if lines > LONGEST else 0

    assert not offenders(too_long, [*FILES, *TESTS, *BENCHMARKS])


def test_every_module_says_in_its_first_line_what_it_is_for():
    def unsaid(path):
        said = ast.get_docstring(tree(path)) or ""
        first = said.partition("\n")[0].rstrip()
        return "" if first and first[-1] in ".;:," else f"begins with {first!r}"

    assert not offenders(unsaid)


def test_no_program_code_asserts():
    def asserted(path):
        return [n.lineno for n in ast.walk(tree(path)) if isinstance(n, ast.Assert)]

    assert not offenders(asserted)


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
