"""Whether words are a paper's own, told without its text: by hashes of its runs of words.

A digest has a short hash of each run of ``RUN`` words, in the order of the text; as runs overlap, a
changed word is missed by all of them. Words are letters, digits, commands of LaTeX and single
signs; spacing does not count.
"""

import re
import sys
from base64 import b64decode, b64encode
from hashlib import blake2b
from pathlib import Path
from textwrap import fill

RUN = 5
BYTES = 3
LEFT_OUT = "…"
DIGESTS = Path(__file__).with_name("digests")
_WORD = re.compile(r"\\?[A-Za-z]+|\d+|[^\s$*]")
_NOT_SAID = {r"\left", r"\right", r"\boldsymbol"}


def words(text):
    """Return the words of a text, without footnote marks and the marks of bold and italic."""
    plain = re.sub(r"<sup>.*?</sup>|</?[a-z]+>", "", text)
    return [word for word in _WORD.findall(plain) if word not in _NOT_SAID]


def hashes(text):
    """Return the hash of each run of words, in order, as bytes."""
    said = words(text)
    runs = (" ".join(said[i : i + RUN]) for i in range(len(said) - RUN + 1))
    return b"".join(blake2b(run.encode(), digest_size=BYTES).digest() for run in runs)


def digest(text):
    """Return what is kept of a paper: printable, and no word of it."""
    return fill(b64encode(hashes(text)).decode(), 100) + "\n"


def kept(paper):
    """Return the hashes that are kept of a paper."""
    return b64decode((DIGESTS / f"{paper}.txt").read_text("ascii"))


def is_quoted(quote, known):
    """Whether each part of a quotation stands in the text, its words one after another."""
    parts = quote.split(LEFT_OUT)
    return all(len(words(part)) >= RUN and _stands(hashes(part), known) for part in parts)


def _stands(part, known):
    start = known.find(part)
    while start % BYTES and start >= 0:
        start = known.find(part, start + 1)
    return start >= 0


if __name__ == "__main__":
    name, source = sys.argv[1:]
    (DIGESTS / f"{name}.txt").write_text(digest(Path(source).read_text("utf-8")), "ascii")
