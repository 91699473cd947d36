"""How Sphinx makes the site of what ``build.py`` gathered; every formula becomes MathML."""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from disband.verify.pages.kit import mathml

HERE = Path(__file__).parent
LONG = 50  # signs of LaTeX

project = "disband"
author = "The disband authors"
html_title = "disband"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_search_summary = False  # it would be fetched, which a page of a file may not
html_show_sphinx = False
exclude_patterns = ["extra"]
# Generated pages repeat a heading, and text between backticks is of any language.
suppress_warnings = ["myst.header", "misc.highlighting_failure"]

# What a reader wants, in this order; a page that no group names is under the last.
GROUPS = {
    "Begin": ("theory", "quickstart", "python"),
    "Before and while you train": ("probing", "monitor", "horizon", "methods"),
    "Look up": ("objectives", "own-losses", "claims", "found", "gpt2"),
    "Inside": ("scores", "cluster", "extending"),
}


def _toctree(caption: str, names: list[str]) -> str:
    return "\n".join(
        ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```", ""]
    )


def _lead(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the pages below the first, and those of each paper below the ledger."""
    docs = Path(app.srcdir) / "docs"
    if name == app.config.root_doc:
        there = {path.stem for path in docs.glob("*.md")}
        grouped = {stem for stems in GROUPS.values() for stem in stems}
        groups = {**GROUPS, "More": tuple(sorted(there - grouped))}
        for caption, stems in groups.items():
            if names := [f"docs/{stem}" for stem in stems if stem in there]:
                source[0] += _toctree(caption, names)
        source[0] += _toctree("See", ["explore", "figures"])
        beside = sorted(Path(app.srcdir).glob("benchmarks/**/README.md"))
        names = [str(path.relative_to(app.srcdir).with_suffix("")) for path in beside]
        source[0] += _toctree("Benchmarks", names)
    elif name == "docs/claims":
        pages = sorted(path.stem for path in (docs / "claims").glob("*.md"))
        source[0] += _toctree("Papers", [f"claims/{page}" for page in pages])


def _extra(app: Sphinx, config: Config) -> None:
    """Copy beside the pages what is no page."""
    config.html_extra_path = [str(Path(app.srcdir) / "extra")]  # type: ignore[attr-defined]


def _inline(writer: Any, node: nodes.math) -> None:
    formula = node.astext()
    made = mathml(formula)
    # What may be wider than a phone scrolls by itself.
    writer.body.append(f'<span class="long">{made}</span>' if len(formula) > LONG else str(made))
    raise nodes.SkipNode


def _display(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{mathml(node.astext(), large=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Let formulas be MathML, which needs neither script nor fonts of others."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("source-read", _lead)
    app.connect("config-inited", _extra)
