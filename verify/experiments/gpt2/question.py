"""A question asked of a language model: what is read off its runs, judged, drawn.

What is run to answer it stands in the module of :mod:`.questions` that is named like it, at each
scale; a reader of records needs no torch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..judging.prediction import Rule
from .readings import Arrays, Pieces

Record = Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a question's rows in a record.

    Args:
        name: Of its file.
        caption: What it shows.
        drawing: The function of ``disband.figures`` that draws rows, as ``module:function``.
        options: What it is called with besides.
        rows: Those of the question's rows that it shows; none, and it is not drawn.
    """

    name: str
    caption: str
    drawing: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: Callable[[Sequence[Row]], Sequence[Row]] = list


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question.

    Args:
        name: Names it in results, and its module of :mod:`.questions`.
        rows: The numbers of one piece, for tables: one row a run.
        curve: The courses of one piece, if figures show courses: one row a line.
        rules: The findings that it decides.
        pictures: What is drawn of its rows, of ``curve`` if there is one.
    """

    name: str
    rows: Callable[[Any, Arrays], list[Row]]
    curve: Callable[[Any, Arrays], list[Row]] | None = None
    rules: tuple[Rule[Pieces], ...] = ()
    pictures: tuple[Picture, ...] = ()

    def shown(self, record: Record) -> list[Row]:
        """The question's rows in a record, of which pictures show some.

        In records of earlier versions curves are of followed runs alone and name no question.
        """
        if self.curve is None:
            return list(record["tables"].get(self.name, ()))
        return [row for row in record["curves"] if row.get("question", "runs") == self.name]
