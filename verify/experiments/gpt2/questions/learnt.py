"""The sentiment check once more, on a small GPT-2 that has been taught to answer right.

By the settings of ``verify/experiments/sentiment`` it learns the style of a response and nothing
of the label, and the predictions of yuan2025, section 4.3, hold. Here it is fine-tuned on as many
right answers as there are tweets for, until most of them are the likelier ones. The rest is the
protocol of ``pretrained.py``. The settings were chosen on seed 100.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from disband.lm.training.optimizers import Rule

from ..inquiry import Inquiry, Scale
from ..items import Item
from ..language import Arrays, Report
from ..preparation import KEEPING, named
from ..pretrained import STYLED, Followed, run_pretrained
from ..protocol import Supervision


def run_unkept(
    piece: Followed, seed: int, items: tuple[Item, ...], base: Arrays, report: Report
) -> Arrays:
    """:func:`run_pretrained` from arrays of a small model, whose stages nobody need keep."""
    with TemporaryDirectory() as folder:
        keeping = {KEEPING: named({}, Path(folder), {})[KEEPING]}
        return run_pretrained(piece, seed, items, base | keeping, report)


PIECES = tuple(
    replace(
        piece,
        rule=Rule("adamw", 5e-5, 6),
        supervision=Supervision("correct", 256, 32, 1e-3),
        mixed=False,
    )
    for piece in STYLED
)
AT_SCALE: Mapping[Scale, Inquiry] = {
    "small": Inquiry("learnt", run_unkept, PIECES, 60, asked=False),
    "laptop": Inquiry("learnt", run_unkept, PIECES, 60),
}
