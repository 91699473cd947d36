"""The papers: cited by their authors, everywhere alike."""

import re

import pytest
import yaml

from disband.verify.claims import PAPERS as KEYS
from disband.verify.kept.provenance import ROOT
from disband.verify.pages.papers import PAPERS, TITLES, bibliography, bibtex


def test_there_is_an_entry_for_every_key_of_the_ledger():
    assert tuple(TITLES) == KEYS
    assert re.findall(r"^@\w+\{(\w+),$", bibliography(), re.MULTILINE) == list(KEYS)
    with pytest.raises(KeyError):
        bibtex("rafailov2023")


def test_an_entry_names_every_author_family_first():
    (said,) = re.findall(r"author = \{(.+)\},", bibtex("yuan2025"))
    assert said.startswith("Yuan, Hui and Zeng, Yifan and ")
    assert said.endswith(" and Leqi, Liu")
    for paper in PAPERS:
        assert bibtex(paper.key).count("{") == bibtex(paper.key).count("}")


def test_the_bibliography_of_the_documents_is_fresh():
    assert (ROOT / "docs" / "papers.bib").read_text("utf-8") == bibliography(), (
        "stale; run: python -m disband.verify.pages"
    )


def test_the_citation_file_names_the_same_papers():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["references"]
    known = [
        (
            entry["title"],
            tuple(f"{one['given-names']} {one['family-names']}" for one in entry["authors"]),
            entry["year"],
            entry["notes"],
        )
        for entry in cited
    ]
    assert known == [(p.title, p.authors, p.year, f"arXiv:{p.arxiv}") for p in PAPERS]
