"""The documents as data: what they show, what they tell to run, and what they say was found."""

import ast
import importlib.util
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import NamedTuple

import click
from click.testing import CliRunner

from disband.cli import main
from disband.verify.claims import LEDGER, PAPERS
from disband.verify.deciding.claim import Prediction
from disband.verify.deciding.decide import judge
from disband.verify.kept.provenance import ROOT
from disband.verify.kept.recorded import recorded
from disband.verify.pages.entries import merged

PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
LEDGER_PAGES = [f"docs/claims/{paper}.md" for paper in PAPERS]
GENERATED = {
    "docs/claims.md", "docs/gpt2.md", "docs/methods.md", "docs/objectives.md", *LEDGER_PAGES,
}  # fmt: skip
# In these a line is a command, or what it prints; text is what a block of Python printed.
LANGUAGES = {"python", "bash", "console", "text"}
PROMPT = "$ "
ID = r"(?:yuan2025|chen2026|wang2025|jian2025|disband)\.[a-z0-9][a-z0-9.-]*"
VERDICT = "proved|refuted|fails as read here|supported|contradicted|open"


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line that it begins in."""

    language: str
    text: str
    line: int


def blocks(text):
    fences = re.finditer(r"^```(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)
    return [Block(f[1], f[2], text.count("\n", 0, f.start()) + 1) for f in fences]


def prose(text):
    """The page without its fenced blocks."""
    return re.sub(r"^```.*\n(?:.*\n)*?```$", "", text, flags=re.MULTILINE)


def transcript(block):
    """The commands of a block, each with the lines that it is said to print."""
    told = []
    for line in block.text.splitlines():
        if block.language == "bash":
            told.append((line.partition(" #")[0].strip(), []))
        elif line.startswith(PROMPT) or not told:
            told.append((line.removeprefix(PROMPT), []))
        else:
            told[-1][1].append(line)
    return told


def inline_commands(text):
    """What stands in the prose as code and begins with the name of a program."""
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(text))]
    return [span for span in spans if program(span) in CHECKS]


def every_command():
    """Every command of every document, with the pages that have it."""
    found = {}
    for name, text in PAGES.items():
        shown = [
            command
            for block in blocks(text)
            if block.language in {"bash", "console"}
            for command, _ in transcript(block)
        ]
        for command in (*shown, *inline_commands(text)):
            found.setdefault(command, []).append(name)
    return found


def words(command):
    """The words of a command without the settings of the environment before it."""
    split = shlex.split(command)
    while split and re.match(r"[A-Z_]+=", split[0]):
        split = split[1:]
    return split


def program(command):
    try:
        first = words(command)[:1]
    except ValueError:  # an apostrophe: no command
        return ""
    return first[0].rpartition("/")[2] if first else ""


def check(command):
    """Raise where the command is not one that could be run, in the folder that it is run in."""
    if program(command) not in CHECKS:
        raise ValueError(f"a document shows only commands that are tested: got {command!r}")
    CHECKS[program(command)](words(command)[1:])


def _disband(arguments):
    if not arguments:
        return
    name, *rest = arguments
    if name in {"--version", "--help"}:
        return
    with click.Context(main) as context:
        command = main.get_command(context, name)
        if command is None:
            raise ValueError(f"the commands are {', '.join(main.commands)}: got {name!r}")
        if rest or not any(p.required for p in command.params):
            command.make_context(name, rest, parent=context)


def _python(arguments):
    flag, module, *rest = arguments
    found = importlib.util.find_spec(module)
    if flag != "-m" or found is None or found.origin is None:
        raise ValueError(f"a document runs modules that are there: got {arguments}")
    if not module.startswith(("benchmarks.", "disband.verify.")):
        return
    source = ast.parse(Path(found.origin).read_bytes())
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call)]
    known = {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
    }
    if unknown := [word for word in rest if word.startswith("-") and word not in known]:
        raise ValueError(f"{module} has {', '.join(sorted(known)) or 'no options'}: got {unknown}")


def _make(targets):
    rules = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    if unknown := set(targets) - set(rules):
        raise ValueError(f"the Makefile has {', '.join(rules)}: got {unknown}")


def _pip(arguments):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = (ROOT / "constraints.txt").read_text("utf-8")
    action, *rest = [a for a in arguments if a not in {"--no-deps", "--quiet", "-e"}]
    if action != "install":
        raise ValueError(f"pip installs: got {action}")
    if rest[0] == "-c":
        if not (ROOT / rest[1]).exists():
            raise ValueError(f"no file {rest[1]}")
        rest = rest[2:]
    for wanted in rest:
        name, extras = re.fullmatch(r"([\w.-]+)(?:\[([\w,]+)\])?(?:==[\d.]+)?", wanted).groups()
        known = {".", project["name"]} | set(re.findall(r"^([\w-]+)==", pinned, re.MULTILINE))
        if name not in known or set((extras or "").split(",")) - {""} - set(
            project["optional-dependencies"]
        ):
            raise ValueError(f"nothing of the project or its constraints: {wanted}")


def _dask(arguments):
    name, *rest = arguments
    try:
        command = importlib.import_module(f"distributed.cli.dask_{name}").main
    except ModuleNotFoundError as error:
        if error.name == "distributed":
            return  # who does without clusters can still test
        raise
    command.make_context(name, rest)


CHECKS = {
    "dask": _dask,
    "disband": _disband,
    "make": _make,
    "pip": _pip,
    "python": _python,
}


def values(shown, printed):
    """Whether both lines are the same words, and numbers to one unit of the last digit shown."""
    number = r"[−-]?\d+(?:\.\d+)?"
    texts = [re.sub(number, "#", " ".join(line.split())) for line in (shown, printed)]
    if texts[0] != texts[1]:
        return False
    pairs = zip(re.findall(number, shown), re.findall(number, printed), strict=True)
    return all(_near(one, other) for one, other in pairs)


def _near(shown, printed):
    unit = 10.0 ** -len(shown.partition(".")[2]) if "." in shown else 0.0
    one, other = (float(n.replace("−", "-")) for n in (shown, printed))
    return abs(one - other) <= 1.0001 * unit


def missing(shown, printed):
    """The first shown line that is not printed in its place, or None.

    ``...`` stands for any lines, and blank lines do not count.
    """
    lines = [line for line in printed if line.strip()]
    place, anywhere = 0, False
    for line in (line for line in shown if line.strip()):
        if line.strip() == "...":
            anywhere = True
            continue
        last = len(lines) if anywhere else place + 1
        found = next((i for i in range(place, min(last, len(lines))) if values(line, lines[i])), -1)
        if found < 0:
            return line
        place, anywhere = found + 1, False
    return None if anywhere or place == len(lines) else f"(more: {lines[place]})"


def named(text):
    """The entries of the ledger that a page names, each with the verdict that it says, or None."""
    said = {}
    for group in re.findall(r"\(((?:`[^`]+`|[^()`])*)\)", text):
        for part in group.split(";"):
            ids = re.findall(rf"`({ID})`", part)
            if ids and (verdict := re.search(rf", ({VERDICT})$", " ".join(part.split()))):
                said |= dict.fromkeys(ids, verdict[1])
    return {one: said.get(one) for one in re.findall(rf"`({ID})`", text)}


def verdicts():
    """The verdict of every entry, as the pages of claims and the recorded runs have it.

    None where an experiment decides that is not recorded.
    """
    pages = "\n".join(PAGES[name] for name in LEDGER_PAGES)
    found = dict(re.findall(r"^### `([^`]+)`: (.+)$", pages, re.MULTILINE))
    measured = merged(recorded().values())
    for claim in LEDGER:
        if isinstance(claim, Prediction):
            outcomes = measured.get(claim.experiment)
            found[claim.id] = judge(claim, outcomes).verdict.value if outcomes else None
    return found


def benchmark(name):
    return json.loads((ROOT / "results" / "benchmarks" / f"{name}.json").read_text("utf-8"))


def run(command):
    """The lines that a command prints."""
    done = CliRunner().invoke(main, words(command)[1:], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()
