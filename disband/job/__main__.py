"""Record the verdicts of a whole run with the project, and second looks at those that are new.

``python -m disband.job [FOLDER]``
"""

import json
import sys
from pathlib import Path

from disband.verify.kept.recorded import RECORDED_LEDGER, SECOND_LOOK

from .recording import changes, record
from .second import keep_looks

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
    report = json.loads((folder / "report.json").read_text("utf-8"))
    found = changes(report)
    for name, old, new in (*found.differ, *found.trained):
        print(f"{name}: {old}, now {new}")
    record(report)
    print(RECORDED_LEDGER)
    print(f"{len(keep_looks(report['claims']))} looked at again: {SECOND_LOOK}")
