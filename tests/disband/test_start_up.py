import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import disband

ROOT = Path(disband.__file__).parent.parent
HEAVY = ("torch", "transformers", "matplotlib", "z3", "scipy", "jinja2", "datasets", "bokeh")


def modules_after(*words):
    """Return the modules that a command line has imported when it ends."""
    code = (
        "import sys\nfrom disband.cli import main\n"
        f"try: main({list(words)!r})\n"
        "except SystemExit as end: code = end.code\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return {name.partition(".")[0] for name in done.stderr.splitlines()}


@pytest.mark.parametrize(
    "words",
    [
        ("band", "dpo", "--cos", "0.9", "--norm-ratio", "1.3"),
        ("derive", "kto"),
        ("derive", "--help"),
    ],
    ids=" ".join,
)
def test_a_quick_question_imports_nothing_heavy(words):
    assert not modules_after(*words) & set(HEAVY)


@pytest.mark.parametrize("options", [(), ("--set", "beta=0.3", "--logp-w", "-12")], ids=str)
def test_a_band_of_the_catalogue_needs_no_algebra(options):
    words = ("band", "dpo", "--cos", "0.9", "--norm-ratio", "1.3", *options)
    assert not modules_after(*words) & {*HEAVY, "sympy", "mpmath"}


def test_help_needs_no_algebra():
    assert not modules_after("--help") & {*HEAVY, "sympy", "numpy"}


def test_importing_the_package_imports_nothing_until_a_name_is_used():
    code = (
        "import sys, disband\nprint('sympy' in sys.modules)\n"
        "from disband import DPO, Gram, band\nprint(DPO.name, band(Gram(1, 1, 0)).low)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.split() == ["False", "DPO", "0.0"]


@pytest.mark.parametrize("name", disband.__all__)
def test_every_name_that_is_promised_is_there(name):
    assert getattr(disband, name) is not None
    assert name in dir(disband)


def test_a_name_that_is_not_promised_is_not_there():
    with pytest.raises(AttributeError, match="xyzzy"):
        disband.xyzzy  # noqa: B018


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert disband.__version__ == project["version"]
    assert project["scripts"] == {"disband": "disband.cli:main"}


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "disband", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"disband {disband.__version__}\n"


def test_a_terminal_without_greek_shows_question_marks():
    command = [sys.executable, "-m", "disband", "derive", "dpo"]
    done = subprocess.run(
        command, capture_output=True, check=True, cwd=ROOT, env={"PYTHONIOENCODING": "latin-1"}
    )
    assert b"log ?_w" in done.stdout


@pytest.mark.slow
def test_a_reader_that_leaves_early_is_no_error():
    command = f"{sys.executable} -m disband derive kto | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.startswith("KTO")
    assert "Traceback" not in done.stderr


def test_the_core_reads_the_whole_ledger_without_the_libraries_of_language_models():
    code = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("torch", "transformers", "tokenizers", "trl", "peft"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
import disband.job.run
from disband.cli import main
main(["claim", "disband.gpt2.first-order"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert "batch Gram" in done.stdout


def test_the_page_on_python_names_every_public_name():
    page = (ROOT / "docs/python.md").read_text("utf-8")
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", page))))
    listed = (*disband.OBJECTIVES, *disband.BATCH_OBJECTIVES)
    catalogue = {name for name in disband.__all__ if getattr(disband, name) in listed}
    assert set(disband.__all__) - catalogue <= named
    assert len(catalogue) == len(listed)
