"""One of two processes that train together: without a monitor, with one, and both calibrations."""

import hashlib
import json
import os
import sys
import warnings
from pathlib import Path

import torch

from tests.trl.harness import DPOTrainer
from tests.trl.runs import SGD, same, trainer_of, watched, weights


def main(folder: Path):
    """Write what this process found to a file of its own."""
    rank = os.environ["RANK"]
    settings = {"per_device_train_batch_size": 2, "ddp_backend": "gloo"}
    alone = trainer_of(DPOTrainer, folder / "alone", **settings)
    alone.train()
    found, lines, _ = watched(
        trainer_of(DPOTrainer, folder / "watched", **settings), every=1, sample=2
    )
    calibrated, _, monitor = watched(
        trainer_of(DPOTrainer, folder / "calibrated", **settings), every=1, calibrate="average"
    )
    singly, of_pairs, _ = watched(
        trainer_of(DPOTrainer, folder / "pairs", **settings, **SGD), every=3, calibrate="pairs"
    )
    torch.save(singly, folder / f"{rank}.pt")
    digest = hashlib.sha256(b"".join(p.numpy().tobytes() for p in calibrated.values()))
    record = {
        "same": same(found, weights(alone)),
        "calibrated_otherwise": not same(calibrated, found),
        "lines": lines,
        "pairs": of_pairs[2],
        "factor": monitor.averages.factor,
        "digest": digest.hexdigest(),
    }
    (folder / f"{rank}.json").write_text(json.dumps(record))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
