"""Section 4.3: the three predictions on the sentiment task, decided by an experiment."""

from verify.claim import Prediction

EXPERIMENT = "sentiment check"

CLAIMS: tuple[Prediction, ...] = ()
