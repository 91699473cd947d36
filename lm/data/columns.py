"""Which column of preference data holds what: told by its name, or by the user."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .messages import begins_with_a_prompt, shown, text_of

NONE = "none"  # what a user says where no column is to be read
# Pairs of columns with the two responses, and whose form that is.
_RESPONSES = (
    ("chosen", "rejected", ""),
    ("chosen", "reject", ""),
    ("chosen_response", "rejected_response", "argilla"),
    ("chosen_messages", "rejected_messages", "ms-swift"),
    ("response", "rejected_response", "ms-swift"),
    ("messages", "rejected_response", "ms-swift"),
    ("messages", "rejected_messages", "ms-swift"),
    ("response_j", "response_k", "stack exchange, j preferred"),
)
# Two responses, the column that says which is preferred, and its value where the first one is.
_JUDGED = (
    ("response_0", "response_1", "better_response_id", 0, "safe-RLHF"),
    ("human_ref_A", "human_ref_B", "labels", 1, "SHP"),
)
# Columns that hold what both responses answer, the whole of it together.
_PROMPTS = (
    (("prompt", "initial_reason_steps"), "Step-DPO"),
    (("prompt",), ""),
    (("instruction", "input"), "LLaMA-Factory"),
    (("instruction",), ""),
    *(((name,), "") for name in (
        "question", "problem", "query", "input", "user", "user_input", "post", "task_prompt",
    )),
    (("messages",), "axolotl or ms-swift"),
    (("conversations",), "ShareGPT"),
    (("conversation",), ""),
    (("context",), ""),
    (("history",), ""),
    (("trajectory",), ""),
)  # fmt: skip
_SYSTEM = ("system", "system_prompt", "system_message")
_SCORE = re.compile(r"score|rating|reward", re.IGNORECASE)
_MEDIA = ("images", "image", "videos", "video", "audios", "audio")
_UNPAIRED = ("label", "kto_tag", "labels")
# Texts of these names say something about a row; they are not what is answered.
_ABOUT = re.compile(
    r"(?:^|_)(?:ids?|idx|index|uuid|sources?|dataset|subset|split|models?|scores?|ratings?|"
    r"rewards?|margin|category|categories|tags?|lang|language|hash|md5|sha\d*|url|link|date|time|"
    r"timestamp|metadata|annotators?|annotations?|licen[sc]e|difficulty|chosen|rejected)(?:$|_)",
    re.IGNORECASE,
)
TURN = "\n\nAssistant:"  # where a response begins in a text of HH's form


@dataclass(frozen=True)
class Named:
    """Columns that the user names; None is to be told by name, ``none`` is not to be read."""

    prompt: Sequence[str] = ()
    system: str | None = None
    chosen: str | None = None
    rejected: str | None = None


@dataclass(frozen=True)
class Columns:
    """Which columns hold what; where none does, there is no name.

    Args:
        chosen, rejected: The two responses.
        prompt: What both answer; texts of several columns are joined by line breaks.
        judge: The column that says which response is preferred, and its value where the one in
            ``chosen`` is.
        system: A system turn's text.
        history: Earlier turns, pairs of question and answer.
        scores: Numbers that somebody gave the two responses.
        form: Whose form it is, where a name tells.
    """

    chosen: str
    rejected: str
    prompt: tuple[str, ...] = ()
    judge: tuple[str, Any] | None = None
    system: str | None = field(default=None, compare=False)
    history: str | None = field(default=None, compare=False)
    scores: tuple[str, str] | None = field(default=None, compare=False)
    form: str = field(default="", compare=False)

    @property
    def read(self) -> frozenset[str]:
        """Names of the columns that are read."""
        judge = self.judge[:1] if self.judge else ()
        names = (self.chosen, self.rejected, self.system, self.history, *judge)
        more = ("tools", "chat_template_kwargs", *(self.scores or ()), *self.prompt)
        return frozenset(name for name in (*names, *more) if name)

    def of(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """The columns of the preferred response and of the other one, in this row.

        Raises:
            ValueError: It says neither.
        """
        if self.judge is None:
            return self.chosen, self.rejected
        name, first = self.judge
        if row[name] not in (0, 1):
            raise ValueError(f"{name} is 0 or 1, not {shown(row[name])}")
        pair = self.chosen, self.rejected
        return pair if row[name] == first else pair[::-1]

    def words(self) -> str:
        """What is read as what, in one line."""
        told = f"responses from {self.chosen} and {self.rejected}"
        if self.judge is not None:
            told += f", chosen by {self.judge[0]}"
        parts = [
            f"prompt from {' + '.join(self.prompt)}" if self.prompt else "no prompt column",
            *([f"system turn from {self.system}"] if self.system else []),
            *([f"earlier turns from {self.history}"] if self.history else []),
            told,
            *([f"scores from {' and '.join(self.scores)}"] if self.scores else []),
        ]
        return ", ".join(parts) + (f" ({self.form})" if self.form else "")


def recognise(row: Mapping[str, Any], named: Named = Named()) -> Columns:
    """Tell by their names which columns of a row hold what.

    Raises:
        ValueError: No two columns hold responses, a named one is missing, or it cannot be told
            which of several, or whether an unknown one, holds the prompt.
    """
    here = {str(name): value for name, value in row.items() if value is not None}
    chosen, rejected, judge, form = _responses(here, named)
    taken = {chosen, rejected, judge[0] if judge else ""}
    prompt, whose = _prompt(here, named, (chosen, rejected))
    history = "history" if isinstance(here.get("history"), list) else None
    if history in (*prompt, *taken):
        history = None
    # A column of systems may be empty in some rows.
    system = _system(row, named, taken)
    if system and prompt == ("question",):
        whose = "axolotl"
    columns = Columns(
        chosen, rejected, prompt, judge, system, history, _scores(here),
        form or whose,
    )  # fmt: skip
    if not prompt and not named.prompt:
        _require_no_prompt(here, columns)
    return columns


def media_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Images, videos and sounds that stand beside the text."""
    return {name: row[name] for name in _MEDIA if row.get(name)}


def _responses(
    here: Mapping[str, Any], named: Named
) -> tuple[str, str, tuple[str, Any] | None, str]:
    if named.chosen or named.rejected:
        chosen, rejected = named.chosen or "chosen", named.rejected or "rejected"
        _require(here, (chosen, rejected))
        return chosen, rejected, None, ""
    for chosen, rejected, form in _RESPONSES:
        if chosen in here and rejected in here:
            return chosen, rejected, None, form
    for first, second, judge, meant, form in _JUDGED:
        if first in here and second in here and judge in here:
            return first, second, (judge, meant), form
    names = ", ".join(here)
    if label := next((name for name in _UNPAIRED if isinstance(here.get(name), bool | int)), None):
        raise ValueError(
            f"a row has two responses, but this one is unpaired: one response with {label}, as "
            f"KTO takes it ({names}); pair rows of one prompt: one with {label} true gives "
            "chosen, one with false rejected (docs/probing.md has the lines)"
        )
    missing = [name for name in ("chosen", "rejected") if name not in here]
    raise ValueError(
        f"a row has chosen and rejected, but {' and '.join(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} missing from {names}; name the columns with "
        "--chosen-column and --rejected-column"
    )


def _prompt(
    here: Mapping[str, Any], named: Named, responses: tuple[str, str]
) -> tuple[tuple[str, ...], str]:
    if named.prompt:
        names = tuple(name for name in named.prompt if name != NONE)
        _require(here, names)
        return names, ""
    groups: list[tuple[tuple[str, ...], str]] = []
    for names, form in _PROMPTS:
        known = {name for group, _ in groups for name in group}
        if all(name in here and name not in responses for name in names) and not known & set(names):
            groups.append((names, form))
    if groups and "prompt" in groups[0][0]:
        return groups[0]
    if all(begins_with_a_prompt(text_of(name, here[name])) for name in responses):
        return (), ""
    if len(groups) > 1 and isinstance(here.get("history"), list):
        # LLaMA-Factory's: the turns before the prompt.
        groups = [group for group in groups if group[0] != ("history",)]
    if len(groups) < 2:
        return groups[0] if groups else ((), "")
    raise ValueError(
        "one column holds what both responses answer, but "
        f"{', '.join(' + '.join(names) for names, _ in groups)} may all do; name it with "
        "--prompt-column, each one if they belong together"
    )


def _system(row: Mapping[str, Any], named: Named, taken: Collection[str]) -> str | None:
    if named.system is not None:
        if named.system == NONE:
            return None
        _require(row, (named.system,))
        return named.system
    return next((name for name in _SYSTEM if name in row and name not in taken), None)


def _scores(here: Mapping[str, Any]) -> tuple[str, str] | None:
    """Columns with numbers whose names differ in chosen and rejected alone."""
    for name, value in here.items():
        if "chosen" not in name or not _SCORE.search(name) or not _is_number(value):
            continue
        for word in ("rejected", "reject"):
            other = name.replace("chosen", word)
            if _is_number(here.get(other)):
                return name, other
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _require(here: Mapping[str, Any], names: Sequence[str]) -> None:
    if missing := [name for name in names if name not in here]:
        raise ValueError(
            f"a named column is in every row, but {', '.join(missing)} is missing from "
            f"{', '.join(here)}"
        )


def _require_no_prompt(here: Mapping[str, Any], columns: Columns) -> None:
    """See that no column of an unknown name may hold the prompt.

    Raises:
        ValueError: One may.
    """
    texts = [text_of(name, here[name]) for name in (columns.chosen, columns.rejected)]
    if all(TURN in text if isinstance(text, str) else begins_with_a_prompt(text) for text in texts):
        return
    unknown = [
        name
        for name, value in here.items()
        if name not in columns.read and isinstance(value, str | list) and value
        and name not in _MEDIA and not _ABOUT.search(name)
    ]  # fmt: skip
    if unknown:
        raise ValueError(
            "a column says what both responses answer, but no name tells which: it may be "
            f"{' or '.join(unknown)}; name it with --prompt-column, or say --prompt-column {NONE}"
        )
