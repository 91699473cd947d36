"""Write the generated documents anew: ``python -m disband.verify.pages [FOLDER]``."""

import sys
from pathlib import Path

from disband.theory.catalogue import FILE, catalogue_text

from ..claims import LEDGER
from ..deciding.records import entries
from ..kept.files import write_text
from ..kept.recorded import recorded
from .claims import claims_pages
from .method_toys import toy_parts
from .methods import methods_page
from .objectives import objectives_page
from .papers import bibliography
from .study import study_page

if __name__ == "__main__":
    write_text(FILE, catalogue_text())
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    write_text(folder / "objectives.md", objectives_page())
    write_text(folder / "gpt2.md", study_page(recorded()))
    write_text(folder / "methods.md", methods_page(toy_parts(), recorded()))
    write_text(folder / "papers.bib", bibliography())
    for name, text in claims_pages(entries(LEDGER, {})).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / name, text)
