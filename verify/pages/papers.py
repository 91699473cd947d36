"""The four papers, and how to cite them and this project."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Paper:
    """A paper whose statements the ledger holds.

    Args:
        key: Citation key.
        title: As printed.
        short: What a heading has room for.
        authors: Given names first, in the order of the title page; of jian2025 those of its first
            version.
        year: Of the key.
        arxiv: Its number there.
        venue: Where it appeared, if it is known.
        read: What of it was at hand.
    """

    key: str
    title: str
    short: str
    authors: tuple[str, ...]
    year: int
    arxiv: str
    venue: str
    read: str


PAPERS = (
    Paper(
        "yuan2025",
        "A Common Pitfall of Margin-based Language Model Alignment: Gradient Entanglement",
        "A Common Pitfall of Margin-based Language Model Alignment",
        ("Hui Yuan", "Yifan Zeng", "Yue Wu", "Huazheng Wang", "Mengdi Wang", "Liu Leqi"),
        2025,
        "2410.13828",
        "",
        "the whole text",
    ),
    Paper(
        "chen2026",
        "Towards Disentangled Preference Optimization Dynamics: Suppress the Loser, Preserve the "
        "Winner",
        "Towards Disentangled Preference Optimization Dynamics",
        (
            "Wei Chen", "Yubing Wu", "Junmei Yang", "Delu Zeng", "Qibin Zhao", "John Paisley",
            "Min Chen", "Zhou Wang",
        ),
        2026,
        "2604.18239",
        "International Conference on Machine Learning",
        "the abstract and the official code",
    ),
    Paper(
        "wang2025",
        "What Is Preference Optimization Doing, How and Why?",
        "What Is Preference Optimization Doing, How and Why?",
        (
            "Yue Wang", "Qizhou Wang", "Zizhuo Zhang", "Ang Li", "Gang Niu", "Bo Han",
            "Masashi Sugiyama",
        ),
        2025,
        "2512.00778",
        "",
        "the abstract",
    ),
    Paper(
        "jian2025",
        "Stable Preference Optimization for LLMs: A Bilevel Approach Beyond Direct Preference "
        "Optimization",
        "Stable Preference Optimization for LLMs, a Bilevel Approach Beyond DPO",
        ("Chengtao Jian", "Kai Yang", "Ye Ouyang", "Xiaozhou Ye"),
        2025,
        "2507.07723",
        "",
        "the abstract",
    ),
)  # fmt: skip
OURS = "disband"
TITLES: Mapping[str, str] = MappingProxyType(
    {paper.key: f"{paper.key}: {paper.short}" for paper in PAPERS}
    | {OURS: f"{OURS}: statements of this project"}
)
READ: Mapping[str, str] = MappingProxyType(
    {paper.key: paper.read for paper in PAPERS} | {OURS: "nothing, these are stated here"}
)


def bibtex(key: str) -> str:
    """Return the entry of a paper, or of this project, for a bibliography.

    Raises:
        KeyError: There is no such paper.
    """
    if key == OURS:
        return _entry(
            "software",
            OURS,
            {
                "title": "{disband}: an analytical toy-model simulator and theory verifier for "
                "the dynamics of preference optimization",
                "author": "{The disband authors}",
                "year": "2026",
            },
        )
    paper = {paper.key: paper for paper in PAPERS}[key]
    place = {"booktitle": paper.venue} if paper.venue else {}
    return _entry(
        "inproceedings" if place else "misc",
        key,
        {
            "title": f"{{{paper.title}}}",
            "author": " and ".join(map(_family_first, paper.authors)),
            "year": str(paper.year),
            **place,
            "eprint": paper.arxiv,
            "archivePrefix": "arXiv",
        },
    )


def bibliography() -> str:
    """Return all entries: ``docs/papers.bib``."""
    return "\n".join(bibtex(key) for key in TITLES)


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}", ""])


def _family_first(name: str) -> str:
    given, _, family = name.rpartition(" ")
    return f"{family}, {given}"
