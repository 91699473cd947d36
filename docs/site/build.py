"""Make the site: ``python docs/site/build.py [OUT] [--run FOLDER]``, or ``make site``.

README, the documents, the ledger by paper, the explorer, and of the last ``disband verify`` in
FOLDER the report with its figures, as static files that ask nothing of a network. The site lies in
``OUT/html``; what Sphinx read, in ``OUT/source``. A broken link ends it.
"""

import argparse
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# Files that the documents lead to, beside one another as in the project.
HOME = {"README.md": "index.md"}
READ = ("README.md", "LICENSE", "CITATION.cff", "docs", "benchmarks", "results/benchmarks")
EXPLORER = """# The explorer

Every objective, one pair with sliders, toys that train as you watch, and token scores of real
pairs, computed where it is read: <a href="explore.html">open the explorer</a>. It is one file;
`disband explore` writes it, with a loss of your own if you like.
"""
NO_RUN = """# Figures

There is no run to show: `disband verify` draws the figures, and then `make site` shows them.
"""


def main() -> int:
    """Gather what the site is made of, and have Sphinx make it; return its exit status."""
    parser = argparse.ArgumentParser(description="Make the site.")
    parser.add_argument("out", nargs="?", type=Path, default=ROOT / "out" / "site")
    parser.add_argument("--run", type=Path, default=ROOT / "out", help="of the last disband verify")
    given = parser.parse_args()
    return build(given.out, given.run)


def build(out: Path, run: Path) -> int:
    """Make the site in ``out`` from nothing; return Sphinx's exit status."""
    shutil.rmtree(out, ignore_errors=True)
    gather(out / "source", run)
    asked = ["-q", "-W", "--keep-going", "-b", "html", "-c", HERE, out / "source", out / "html"]
    return build_main([*map(str, asked), "-d", str(out / "read")])


def gather(source: Path, run: Path) -> None:
    """Write to ``source`` all that Sphinx reads, and nothing else."""
    from disband.explorer.page import page
    from disband.explorer.tokens import recorded

    extra = source / "extra"
    extra.mkdir(parents=True)
    for name in READ:
        place = source / HOME.get(name, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, place, ignore=shutil.ignore_patterns("site", "__pycache__")
            )
        else:
            shutil.copy2(ROOT / name, place)
    (source / "explore.md").write_text(EXPLORER, "utf-8")
    (extra / "explore.html").write_text(page(recorded(), command="disband explore"), "utf-8")
    (source / "figures.md").write_text(figures(run, extra), "utf-8")


def figures(run: Path, extra: Path) -> str:
    """Return the page of figures of a run, which with its report is copied to ``extra``."""
    drawn = sorted((run / "figures").glob("*.svg"))
    if not drawn or not (run / "report.html").is_file():
        return NO_RUN
    shutil.copy2(run / "report.html", extra)
    shutil.copytree(run / "figures", extra / "figures", ignore=shutil.ignore_patterns("*.png"))
    lines = [
        "# Figures\n",
        'Of <a href="report.html">the report of a run</a>, which explains them.\n',
    ]
    for path in drawn:
        told = path.with_suffix(".txt")
        said = told.read_text("utf-8").strip() if told.is_file() else path.stem.replace("-", " ")
        caption, _, words = said.partition("\n\n")
        alt = (words or caption).replace('"', "'").replace("\n", " ")
        numbers = path.with_suffix(".csv")
        more = f' <a href="figures/{numbers.name}">Its numbers.</a>' if numbers.is_file() else ""
        lines += [
            f"## {path.stem}\n",
            f'<p class="gallery"><img src="figures/{path.name}" alt="{alt}" loading="lazy"></p>\n',
            f"{caption}{more}\n",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
