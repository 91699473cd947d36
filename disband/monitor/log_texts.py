"""What people are shown of a run, read into rows: printed lines, tables, cells of notebooks."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import unescape
from typing import Any

Rows = list[Mapping[str, Any]]

_LONGEST_SPOKEN = 1 << 12
_WORDS = re.compile(r"(?<![\w'\"])(-?(?:nan|inf))(?![\w'\"])", re.IGNORECASE)
_BREAKS = re.compile(r"[\r\n]+")
# Of a printed line: which step it is of, then each name with its number.
_STEP = re.compile(
    r"\b(?:global[ _])?(?:step|iter|iteration)s?\b {0,20}[:=#\[]? {0,20}"
    r"(\d+(?:/ {0,20}\d+)?)(?![\d%])",
    re.IGNORECASE,
)
_BAR = re.compile(r"\| {0,20}(\d+/\d+) \[")
_EPOCH = re.compile(r"\bepoch {0,20}[:=]? {0,20}(\d+)", re.IGNORECASE)
_NUMBER = r"([-+−]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|[-−]?(?:nan|inf))\b"
_METRIC = r"([A-Za-z][\w/]{0,40}(?: [\w/]{1,20}){0,3}?)"
_WITH_A_SIGN = re.compile(rf"{_METRIC} ?[:=] ?{_NUMBER}", re.IGNORECASE)
_BESIDE = re.compile(rf"(?:^|[,|:] *){_METRIC} {_NUMBER}", re.IGNORECASE)
_OBJECT = re.compile(r"\{[^{}]{1,100000}\}")
_SAID = {
    "training loss": "loss", "validation loss": "eval_loss", "train loss": "loss",
    "train_loss": "loss", "val loss": "eval_loss", "chosen reward": "rewards/chosen",
    "chosen_r": "rewards/chosen", "rejected_r": "rewards/rejected", "acc": "rewards/accuracies",
    "rejected reward": "rewards/rejected", "margin": "rewards/margins",
    "accuracy": "rewards/accuracies", "val chosen reward": "eval_rewards/chosen",
    "val rejected reward": "eval_rewards/rejected", "val margin": "eval_rewards/margins",
    "val accuracy": "eval_rewards/accuracies", "learning rate": "learning_rate",
    "train reward margin": "rewards/margins", "train reward margins": "rewards/margins",
    "val reward margin": "eval_rewards/margins", "val reward margins": "eval_rewards/margins",
}  # fmt: skip
_OF_PAIRS = ("rewards/", "logps/", "chosen_reward", "eval_rewards/", "train_rewards/")
_RIGHT = "rewards/accuracies"  # classifiers have it too, as acc
_OF_TRAINING = {"loss", "eval_loss", "train_loss", "epoch", "step", "global_step"}
_COMMA = re.compile(r"[-−]?\d+,\d+")
_CELL = re.compile(r"<t[hd][^<>]*>([^<]*)")


def printed(text: str) -> list[Rows]:
    """Dictionaries of Python that a trainer prints, among progress bars and warnings.

    A terminal, or whoever copied from it, may have broken them over lines, also within a number.
    """
    rows: Rows = []
    for shown in _OBJECT.findall(text):
        row = _object(_BREAKS.sub("", shown))
        if row.keys() & _OF_TRAINING or any(name.startswith(_OF_PAIRS) for name in row):
            rows.append(row)
    return [rows]


def _object(shown: str) -> dict[str, Any]:
    """An object of JSON or Python by name; empty if it is none."""
    try:
        row = json.loads(shown)
    except ValueError:
        try:
            row = ast.literal_eval(_WORDS.sub(r"'\1'", shown))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return {}
    return row if isinstance(row, dict) and all(isinstance(name, str) for name in row) else {}


def spoken(text: str) -> list[Rows]:
    """Lines of a step and its metrics: ``Step 10 | loss: 0.69``, ``Iter 1: Loss 0.7``.

    The step may be that of a progress bar, ``| 10/378 [00:10, loss=0.69, chosen_reward=0.1]``.
    """
    rows: Rows = []
    for line in (line[:_LONGEST_SPOKEN] for line in _BREAKS.split(text)):
        step = _STEP.search(line) or _BAR.search(line)
        if step is None:
            continue
        rest = line[step.end() :]
        said = _WITH_A_SIGN.findall(rest) or _BESIDE.findall(rest)
        row = {_name(name): value.replace("−", "-") for name, value in said}
        if any(name.startswith(_OF_PAIRS) and name != _RIGHT for name in row):
            epoch = _EPOCH.search(line[: step.end()])
            rows.append({**({"epoch": epoch[1]} if epoch else {}), **row, "step": step[1]})
    return [rows]


def tabled(text: str) -> list[Rows]:
    """Tables in Markdown or HTML: of a model card, of a notebook, of a report; each by itself.

    Beside a validation loss, all metrics but the first are those of evaluation.
    """
    tables: list[list[dict[str, str]]] = [[]]
    head: list[str] = []
    for cells in _lines_of_tables(text):
        names = [_name(cell) for cell in cells]
        if any(name.startswith(_OF_PAIRS) for name in names) or {"loss", "step"} <= set(names):
            held_out = "eval_loss" in names
            head = [_of_table(name, held_out=held_out) for name in names]
            tables.append([])
        elif head and len(cells) == len(head) and not set("".join(cells)) <= set(":- "):
            row = dict(zip(head, cells, strict=True))
            tables[-1].append({name: value for name, value in row.items() if name})
    return [_with_points(rows) for rows in tables]


def _with_points(rows: Sequence[Mapping[str, str]]) -> Rows:
    """The rows of a table, with points in numbers where it has commas alone."""
    values = [value for row in rows for value in row.values()]
    if any(map(_COMMA.fullmatch, values)) and not any("." in value for value in values):
        return [{name: value.replace(",", ".") for name, value in row.items()} for row in rows]
    return list(rows)


def shown_in_notebook(text: str) -> str:
    """What the cells of a notebook have put out.

    Raises:
        ValueError: It is no notebook.
    """
    try:
        notebook = json.loads(text)
        outputs = [shown for cell in notebook["cells"] for shown in cell.get("outputs", ())]
        parts = [part for shown in outputs for part in _parts(shown)]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a notebook is JSON with cells, but this is not ({error!r})") from error
    return "\n".join(parts)


FORMS: Sequence[Callable[[str], list[Rows]]] = (printed, tabled, spoken)


def _parts(shown: Mapping[str, Any]) -> Iterator[str]:
    data = shown.get("data", {})
    for part in (shown.get("text", ""), data.get("text/html") or data.get("text/plain", "")):
        yield part if isinstance(part, str) else "".join(map(str, part))


def _lines_of_tables(text: str) -> Iterator[list[str]]:
    """The cells of each line of each table."""
    for part in text.split("</tr>")[:-1]:
        row = part.rpartition("<tr")[2]
        yield [unescape(cell).strip() for cell in _CELL.findall(row)]
    for line in text.splitlines():
        if "|" in line:
            cells = line.strip().strip("|").replace("−", "-").split("|")
            yield [cell.strip(" *`") for cell in cells]


@lru_cache(1 << 12)
def _name(text: str) -> str:
    """A name as trainers write it."""
    name = re.sub(r" ?/ ?", "/", " ".join(text.lower().split()))
    return _SAID.get(name, name)


def _of_table(name: str, *, held_out: bool) -> str:
    if not held_out or name in {"", "loss", "eval_loss", "step", "epoch"}:
        return name
    return f"eval_{name}"
