"""The site: built without a complaint, every link in it leads somewhere, nothing is fetched."""

import re
import subprocess
import sys
from urllib.parse import unquote

import pytest

from disband.verify.kept.provenance import ROOT

pytest.importorskip("sphinx")
pytest.importorskip("bokeh")
BUILD = str(ROOT / "docs" / "site" / "build.py")
FETCHED = r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="([^"]+)"|<link\b[^>]*\bhref="([^"]+)\""""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    (out / "run" / "figures").mkdir(parents=True)
    (out / "run" / "report.html").write_text("<p>a report</p>")
    (out / "run" / "figures" / "one.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (out / "run" / "figures" / "one.txt").write_text("It falls.\n\nA line.\n")
    command = [sys.executable, BUILD, str(out / "site"), "--run", str(out / "run")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return out / "site" / "html"


@pytest.mark.slow
def test_the_site_holds_together_and_asks_for_nothing(site):
    pages = {path: path.read_text("utf-8") for path in site.rglob("*.html")}
    names = {path.relative_to(site).as_posix() for path in pages}
    assert {"index.html", "search.html", "explore.html", "figures.html", "report.html"} <= names
    assert {"docs/claims/yuan2025.html", "docs/objectives.html", "docs/theory.html"} <= names
    anchors = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in pages.items()}
    for path, text in pages.items():
        fetched = ["".join(pair) for pair in re.findall(FETCHED, text)]
        assert [one for one in fetched if "//" in one] == [], path
        if path.name == "explore.html":
            continue
        for link in {*fetched, *re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text)}:
            if not link.startswith(("http", "data:", "mailto:")):
                file, _, anchor = unquote(link.partition("?")[0]).partition("#")
                target = (path.parent / file).resolve() if file else path
                assert target.exists(), (path, link)
                assert not anchor or target not in anchors or anchor in anchors[target], link
    assert "<math" in pages[site / "docs" / "theory.html"]
    assert "It falls." in pages[site / "figures.html"]


@pytest.mark.slow
def test_the_search_knows_the_ledger(site):
    index = (site / "searchindex.js").read_text("utf-8")
    assert "docs/claims/yuan2025" in index
    assert "synchronis" in index
