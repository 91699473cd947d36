"""The command line. Each command imports what it needs when it runs."""

# ruff: noqa: D301 (in a docstring, \b is click's mark for lines that keep their breaks)

import click

from . import __version__
from .commands.claims import claim, claims, falsify
from .commands.cluster import cluster
from .commands.compare import compare
from .commands.explore import explore
from .commands.gpt2 import gpt2
from .commands.objectives import band, derive
from .commands.probe import probe
from .commands.rehearse import rehearse
from .commands.report import report
from .commands.runs import figures, verify
from .commands.toys import outcomes, simulate
from .terminal.errors import Group


@click.group("disband", cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """What preference optimization does to chosen and rejected log-probabilities.

    A step of DPO or a relative is two numbers, the incentives d_w and d_l, times two vectors,
    the scores a = ∇log π_w and b = ∇log π_l. This program derives the numbers, simulates the
    vectors in toy settings, measures them in language models, and checks what papers claim.

    \b
    disband verify               check all claims, write out/report.html
    disband derive dpo           the formulas of an objective
    disband band dpo --cos 0.9 --norm-ratio 1.3
    disband simulate dpo --toy edit-one
    """


_COMMANDS = (
    derive, band, compare, simulate, outcomes, verify, figures, claim, claims, falsify, gpt2,
    cluster, probe, rehearse, report, explore,
)  # fmt: skip
for _command in _COMMANDS:
    main.add_command(_command)
