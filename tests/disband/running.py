"""The program started as people start it, or run in this process."""

import subprocess
import sys

from click.testing import CliRunner

from disband.cli import main
from disband.verify.kept.provenance import ROOT


def start(out, *words):
    return subprocess.Popen(
        [sys.executable, "-m", "disband", *words, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def disband(out, *words, ends=(0,)):
    process = start(out, *words)
    said, errors = process.communicate(timeout=900)
    assert process.returncode in ends, errors
    return said


def printed(out, *words, ends=0):
    """What the program prints, run in this process."""
    result = CliRunner().invoke(main, [*words, "--out", str(out)])
    assert result.exit_code == ends, result.output
    return result.stdout
