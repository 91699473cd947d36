"""What the documents show works: every command, every block of code, every verdict, every link."""

import ast
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from latex2mathml.converter import convert

from disband.cli import main
from disband.verify.kept.provenance import PACKAGES, ROOT
from disband.verify.pages.findings import FINDINGS
from tests.documents import (
    GENERATED,
    LANGUAGES,
    PAGES,
    blocks,
    check,
    every_command,
    inline_commands,
    missing,
    named,
    program,
    prose,
    run,
    transcript,
    verdicts,
    words,
)

WRITTEN = [name for name in PAGES if name not in GENERATED]
COMMANDS = every_command()
# Its examples need a trainer, which tests/disband/monitor/test_page_example.py has; or a SLURM or
# Kubernetes cluster, which none has: the page says so.
ELSEWHERE = {"docs/monitor.md", "docs/cluster.md"}
# Its example is about a model and texts of the reader's own.
TAKEN_FOR_GRANTED = {"docs/scores.md"}
WITH_MODELS = {"docs/probing.md", "docs/scores.md", "docs/horizon.md"}
SLOW_PAGES = {*WITH_MODELS, "docs/theory.md"}
QUICK = {"derive", "band", "compare"}
# Whose files a page may name; whatever else lies beside them is the user's.
FOLDERS = {*PACKAGES, "tests", "docs", "results", "benchmarks"}
# Too long to wait for, or without an end; other tests run them on less.
LONG = {
    "verify", "gpt2", "cluster", "probe", "rehearse", "outcomes", "explore", "report", "figures",
}  # fmt: skip


def slowly(values, slow):
    return [pytest.param(v, marks=pytest.mark.slow if v in slow else ()) for v in values]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in, with what the documents' commands read."""
    for name in ("my-run", "another-run"):
        (tmp_path / name).mkdir()
    (tmp_path / "prefs.jsonl").write_text("")
    for name in ("constraints.txt", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def comment_of(lines, statement):
    """What is said behind a statement, on its last line."""
    line = lines[statement.end_lineno - 1].encode()  # columns are counted in bytes
    return line[statement.end_col_offset :].decode().partition("#")[2].strip()


def run_python(text, names):
    """Run a block, see that what it shows of a value is so, and return the lines it prints."""
    printed, lines = StringIO(), text.splitlines()
    with redirect_stdout(printed):
        for statement in ast.parse(text).body:
            said = comment_of(lines, statement)
            source = compile(ast.Module([statement], []), "<document>", "exec")
            if isinstance(statement, ast.Expr) and re.search(r"\d", said):
                value = str(eval(ast.unparse(statement), names))
                for number in re.findall(r"-?\d+(?:\.\d+)?", said.partition(":")[0]):
                    assert re.search(rf"(?<![\d.]){re.escape(number)}", value), (said, value)
            else:
                exec(source, names)
    return printed.getvalue().splitlines()


@pytest.mark.parametrize(
    "name", slowly([n for n in WRITTEN if n not in ELSEWHERE and blocks(PAGES[n])], SLOW_PAGES)
)
@pytest.mark.usefixtures("folder")
def test_a_page_runs_from_top_to_bottom_and_prints_what_it_shows(name):
    names, printed, found = prepared(name), [], blocks(PAGES[name])
    for block, then in zip(found, [*found[1:], None], strict=True):
        where = f"{name}, line {block.line}"
        if block.language == "python":
            printed = run_python(block.text, names)
            shown = then is not None and then.language == "text"
            assert shown or not printed or name in TAKEN_FOR_GRANTED, where
        elif block.language == "text":
            assert missing(block.text.splitlines(), printed) is None, where
        elif block.language == "console":
            for command, shown in transcript(block):
                assert missing(shown, run(command)) is None, (where, command)
        else:
            for command, _ in transcript(block):
                check(command)


def prepared(name):
    """What a page's examples take for granted."""
    if name in WITH_MODELS:
        pytest.importorskip("torch")
    if name not in TAKEN_FOR_GRANTED:
        return {}
    from tests.lm.model.test_load import saved
    from tests.lm.tiny import TWEETS, model_of, tokenizer_of

    tokenizer = tokenizer_of()
    saved(Path("path/to/a/model"), model_of(tokenizer), tokenizer)
    prompts = [tweet.text for tweet in TWEETS[:3]]
    return {"prompts": prompts, "chosen": ["good"] * 3, "rejected": ["very bad"] * 3}


@pytest.mark.parametrize("name", PAGES)
def test_every_block_is_of_a_kind_that_is_tested(name):
    found = blocks(PAGES[name])
    assert {block.language for block in found} <= LANGUAGES
    assert PAGES[name].count("```") == 2 * len(found)
    languages = [block.language for block in found]
    assert all(languages[i - 1] == "python" for i, of in enumerate(languages) if of == "text")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("folder")
def test_a_command_is_one(command):
    check(command)


def alone():
    """The commands in prose and tables that can be waited for."""
    found = (command for text in PAGES.values() for command in inline_commands(text))
    return [
        command
        for command in dict.fromkeys(found)
        if program(command) == "disband"
        and len(words(command)) > 2
        and words(command)[1] not in LONG
    ]


@pytest.mark.parametrize(
    "command", slowly(alone(), {c for c in alone() if words(c)[1] not in QUICK})
)
@pytest.mark.usefixtures("folder")
def test_a_command_runs(command):
    assert run(command)


@pytest.mark.parametrize(
    "wrong",
    [
        "disband prove dpo",
        "disband derive dpo --beta 2",
        "disband gpt2 --scale huge",
        "disband band dpo --cos 1",
        "disband report no-such-run",
        "make coffee",
        "python -m benchmarks.scores --size 124M",
        "python -m benchmarks.nothing",
        "pip install -e .[everything]",
        "pip install leftpad",
        "rm -r out",
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_command_that_would_not_work_is_noticed(wrong):
    with pytest.raises(Exception, match=r"\w"):
        check(wrong)


@pytest.mark.parametrize(
    ("shown", "printed", "at"),
    [
        (["a 1.2"], ["a  1.3"], None),
        (["a 1.2"], ["a 1.4"], "a 1.2"),
        (["a 1.2"], ["b 1.2"], "a 1.2"),
        (["a 3"], ["a 4"], "a 3"),
        (["a"], ["a", "b"], "(more: b)"),
        (["a", "..."], ["a", "b"], None),
        (["...", "b"], ["a", "b"], None),
        (["a", "c"], ["a", "b", "c"], "c"),
        (["a", "b"], ["a"], "b"),
    ],
)
def test_what_is_shown_is_compared_line_by_line(shown, printed, at):
    assert missing(shown, printed) == at


def wrong_verdicts(text):
    """Names that are no entry of the ledger, and entries whose verdict is another."""
    known = verdicts()
    modules = {path.stem for path in (ROOT / "disband").glob("*.py")}
    said = {o: v for o, v in named(text).items() if o.removeprefix("disband.") not in modules}
    # An experiment on toys is not recorded: tests/disband/job/test_verify.py runs it.
    return [o for o, v in said.items() if o not in known or (v and known[o] and v != known[o])]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_said_of_the_ledger_is_what_it_says(name):
    assert wrong_verdicts(prose(PAGES[name])) == []


def test_a_wrong_verdict_is_noticed():
    said = "It is (`yuan2025.eq9`, `yuan2025.eq10`, refuted; `yuan2025.eq9.repaired`, proved)"
    assert wrong_verdicts(said) == []
    assert wrong_verdicts(said.replace("refuted", "proved")) == ["yuan2025.eq9", "yuan2025.eq10"]
    assert wrong_verdicts(said.replace("eq10", "eq1000")) == ["yuan2025.eq1000"]
    assert wrong_verdicts("so (`disband.gpt2.first-order`,\nopen)") == ["disband.gpt2.first-order"]


def test_the_findings_of_the_report_are_those_of_the_readme_and_of_the_ledger():
    readme, known = " ".join(PAGES["README.md"].split()), verdicts()
    for finding in FINDINGS:
        assert f"**{finding.says}" in readme
        assert {name: known[name] for name in finding.rests_on} == finding.rests_on


def test_every_finding_names_an_entry_with_its_verdict():
    text = PAGES["docs/found.md"]
    items = re.findall(r"^\* (.+(?:\n  .+)*)", text, re.MULTILINE)
    assert [item for item in items if not named(item)] == []
    assert sum(said is not None for said in named(text).values()) > 60


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name):
    home = (ROOT / name).parent
    text = re.sub(r"\$[^$]*\$", "", prose(PAGES[name]))
    for path, anchor in re.findall(r"\]\(([^)#]*)#?([^)]*)\)", text):
        if path.startswith("https://"):
            continue
        assert (home / path).exists() if path else True, path
        if anchor and (not path or path.endswith(".md")):
            page = (home / path).read_text("utf-8") if path else text
            heads = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("name", WRITTEN)
def test_all_mathematics_can_be_typeset_by_line(name):
    text = re.sub(r"`[^`]*`", "", prose(PAGES[name]))
    shown = re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
    for line in re.sub(r"\$\$.+?\$\$", "", text, flags=re.DOTALL).splitlines():
        inline = re.findall(r"\$([^$]+)\$", line)
        assert line.count("$") == 2 * len(inline), line
        shown += inline
    for formula in shown:
        # Markdown takes a backslash from before a sign, and a bar splits a row of a table
        assert not re.search(r"\\[^a-zA-Z ]", formula), formula
        assert "<math" in convert(formula)


@pytest.mark.parametrize("name", WRITTEN)
def test_every_file_and_test_that_is_named_is_there(name):
    spans = re.findall(r"`([\w./-]+/[\w./-]*)(?:::(\w+))?`", prose(PAGES[name]))
    for path, test in spans:
        if path.partition("/")[0] not in FOLDERS:
            continue  # a metric, a model's id, what a run writes
        assert (ROOT / path).exists(), path
        assert not test or f"def {test}(" in (ROOT / path).read_text("utf-8"), test


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_left_to_fill_in(name):
    assert not re.search(r"@[A-Z]+@|\bTODO\b|\bTBD\b", PAGES[name])


def test_the_readme_has_every_command_and_leads_to_every_page():
    readme = PAGES["README.md"]
    assert set(re.findall(r"^\| `disband (\w+)", readme, re.MULTILINE)) == set(main.commands)
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= set(
        re.findall(r"\]\(([^)]+)\)", readme)
    )
    for command in main.commands:
        assert CliRunner().invoke(main, [command, "--help"]).exit_code == 0
