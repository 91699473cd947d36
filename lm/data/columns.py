"""Which column of preference data holds what: told by its name, or by the user."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .messages import begins_with_a_prompt, listed, shown, text_of

Values = tuple[tuple[Any, ...], tuple[Any, ...]]
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
    ("preferred_output", "non_preferred_output", "OpenAI"),
    ("conversations", "rejected_conversations", "LLaVA"),
)
# Two responses, the column that says which is preferred, and its values: for the first one, for
# the second one.
_BY_NUMBER, _BY_SIGN = ((0,), (1,)), ((-3, -2, -1), (1, 2, 3))
_BY_NAME = (("model_a",), ("model_b",))
_JUDGED = (
    ("response_0", "response_1", "better_response_id", _BY_NUMBER, "safe-RLHF"),
    ("response_0", "response_1", "safer_response_id", _BY_NUMBER, "safe-RLHF"),
    ("human_ref_A", "human_ref_B", "labels", ((1,), (0,)), "SHP"),
    ("output_1", "output_2", "preference", ((1,), (2,)), "AlpacaFarm"),
    ("conversation_a", "conversation_b", "winner", _BY_NAME, "Chatbot Arena"),
    ("response_a", "response_b", "winner", _BY_NAME, "Chatbot Arena"),
    ("response1", "response2", "overall_preference", _BY_SIGN, "HelpSteer"),
    ("response_1", "response_2", "preference_strength", _BY_SIGN, "HelpSteer"),
)
# What columns of responses are called beside chosen and rejected.
_RESPONSE = re.compile(
    r"(?:prompt_)?(?:response|answer|completion|output|generation|text|message|conversation|reply|"
    r"content|summary|candidate)s?",
    re.IGNORECASE,
)
# Two that no name sets apart but a number or a letter.
_NUMBERED = re.compile(r"(.+?)[_ ]?(?:(0|a)|(1|b)|(2))", re.IGNORECASE)
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
_LARGEST_SCORE = 1e100  # JSON may have any, and NaN
_SCORE = re.compile(r"score|rating|reward", re.IGNORECASE)
_MEDIA = ("images", "image", "videos", "video", "audios", "audio")
_UNPAIRED = ("label", "kto_tag", "labels")
_SINGLE = ("completion", "response", "output", "answer", "generation")
_LABELS = {"0", "1", "true", "false", "desirable", "undesirable"}
# Texts of these names say something about a row; they are not what is answered.
_ABOUT = re.compile(
    r"(?:^|_)(?:ids?|idx|index|uuid|sources?|dataset|subset|split|models?|scores?|ratings?|"
    r"rewards?|margin|category|categories|tags?|lang|language|hash|md5|sha\d*|url|link|date|time|"
    r"timestamp|metadata|annotators?|annotations?|licen[sc]e|difficulty|chosen|rejected)(?:$|_)",
    re.IGNORECASE,
)
# Where a response, and where a question begins in a text of HH's form.
TURN, ASKED = "\n\nAssistant:", "\n\nHuman:"


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
        judge: The column that says which response is preferred, and its values where it is the one
            in ``chosen`` and where it is the other.
        system: A system turn's text.
        history: Earlier turns, pairs of question and answer.
        scores: Numbers that somebody gave the two responses.
        form: Whose form it is, where a name tells.
    """

    chosen: str
    rejected: str
    prompt: tuple[str, ...] = ()
    judge: tuple[str, Values] | None = None
    system: str | None = None
    history: str | None = None
    scores: tuple[str, str] | None = None
    form: str = ""

    @property
    def kind(self) -> tuple[str, str, tuple[str, ...]]:
        """What is the same in all rows of a file; what else they have may be missing in some."""
        return self.chosen, self.rejected, self.prompt[:1]

    def joined(self, other: "Columns") -> "Columns":
        """These, and those that other rows of the same kind have beside them."""
        return replace(
            self,
            prompt=max(self.prompt, other.prompt, key=len),
            system=self.system or other.system,
            history=self.history or other.history,
            scores=self.scores or other.scores,
            form=self.form or other.form,
        )

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
        name, (first, second) = self.judge
        value = _number(row[name])
        if value not in (*first, *second):
            values = ", ".join(map(str, (*first, *second)))
            raise ValueError(
                f"{name} says which response is preferred, {values}, but here {shown(row[name])}"
            )
        pair = self.chosen, self.rejected
        return pair if value in first else pair[::-1]

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
        _require_no_prompt(row, here, columns)
    return columns


def may_be_prompt(name: str) -> bool:
    """Whether a column of this name holds a prompt, or a part of it, in some data."""
    return any(name in names for names, _ in _PROMPTS)


def media_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Images, videos and sounds that stand beside the text."""
    return {name: row[name] for name in _MEDIA if row.get(name)}


def _responses(
    here: Mapping[str, Any], named: Named
) -> tuple[str, str, tuple[str, Values] | None, str]:
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
    alike = [
        (name, other)
        for name, other in _counterparts(here)
        if _RESPONSE.fullmatch(name.replace("chosen", "").strip("_- "))
        and isinstance(here[name], str | list)
    ]
    if len(alike) == 1:
        return *alike[0], None, ""
    raise ValueError(_no_pair(here))


def _no_pair(here: Mapping[str, Any]) -> str:
    """What a row without two known responses has in their place, and what to do."""
    names = listed(here)
    if two := _numbered(here):
        return (
            f"a row says which response is chosen, but this one has {' and '.join(two)}, and no "
            f"column that is known to say the better one ({names}); write that as chosen, the "
            "other as rejected"
        )
    for name, value in here.items():
        several = isinstance(value, list) and len(value) > 1 and _RESPONSE.fullmatch(name)
        if several and not any(isinstance(v, Mapping) and {"role", "from"} & set(v) for v in value):
            return (
                f"a row has chosen and rejected, but this one has a list, {name}, with "
                f"{len(value)} responses ({names}); write a row for each pair"
            )
        if isinstance(value, Mapping) and {"chosen", "rejected"} <= set(value):
            return (
                f"a row has chosen and rejected, but here they stand within {name} ({names}); "
                f"make what {name} holds columns"
            )
    label = next((name for name in _UNPAIRED if _is_label(here.get(name))), None)
    single = [name for name in here if name in _SINGLE]
    if label or len(single) == 1:
        told = f"one response with {label}, as KTO takes it" if label else f"one, {single[0]}"
        better = f"{label} true" if label else "the better rating"
        return (
            f"a row has two responses, but this one is unpaired: {told} ({names}); pair rows of "
            f"one prompt: one with {better} gives chosen, another rejected (docs/probing.md has "
            "the lines)"
        )
    missing = [name for name in ("chosen", "rejected") if name not in here]
    return (
        f"a row has chosen and rejected, but {' and '.join(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} missing from {names}; name the columns with "
        "--chosen-column and --rejected-column"
    )


def _numbered(here: Mapping[str, Any]) -> list[str]:
    """Two columns with text whose names a number or a letter sets apart."""
    of: dict[str, list[str]] = {}
    for name, value in here.items():
        if (parts := _NUMBERED.fullmatch(name)) and isinstance(value, str | list):
            of.setdefault(parts[1], []).append(name)
    return next((names for names in of.values() if len(names) == 2), [])


def _is_label(value: Any) -> bool:
    return isinstance(value, bool | int) or str(value).strip().lower() in _LABELS


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
        if set(names) <= set(here) and not set(names) & {*responses, *known}:
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
    for name, other in _counterparts(here):
        if _SCORE.search(name) and _is_number(here[name]) and _is_number(here[other]):
            return name, other
    return None


def _counterparts(here: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Columns whose names differ in chosen and rejected alone."""
    for name in here:
        for word in ("rejected", "reject"):
            other = name.replace("chosen", word)
            if other != name and other in here:
                yield name, other


def _is_number(value: Any) -> bool:
    number = _number(value)
    return (
        isinstance(number, int | float)
        and not isinstance(number, bool)
        and abs(number) <= _LARGEST_SCORE
    )


def _number(value: Any) -> Any:
    """The number that a string is, as all are in CSV; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value.strip()


def _require(here: Mapping[str, Any], names: Sequence[str]) -> None:
    if missing := [name for name in names if name not in here]:
        raise ValueError(
            f"a named column is in every row, but {', '.join(missing)} is missing from "
            f"{listed(here)}"
        )


def _require_no_prompt(row: Mapping[str, Any], here: Mapping[str, Any], columns: Columns) -> None:
    """See that no column of an unknown name may hold the prompt.

    Raises:
        ValueError: One may.
    """
    texts = [text_of(name, here[name]) for name in (columns.chosen, columns.rejected)]
    if all(TURN in text if isinstance(text, str) else begins_with_a_prompt(text) for text in texts):
        return
    if "prompt" in row:
        raise ValueError(
            "a prompt says what both responses answer, and a trainer stops where it is null; "
            f"leave the row out, or say --prompt-column {NONE}"
        )
    unknown = [
        name
        for name, value in here.items()
        if name not in columns.read and isinstance(value, str | list) and value
        and name not in _MEDIA and not _ABOUT.search(name)
    ]  # fmt: skip
    if unknown:
        raise ValueError(
            "a column says what both responses answer, but no name tells which: it may be "
            f"{listed(unknown).replace(', ', ' or ')}; name it with --prompt-column, or say "
            f"--prompt-column {NONE}"
        )
