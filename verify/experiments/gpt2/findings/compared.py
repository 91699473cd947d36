"""What the methods that runs compare are called; names alone, so that a reader needs no torch."""

NONE = "none"
BATCH, PAIRS = "reward calibration", "reward calibration, pairs"
BAND, NORMALISED = "batch band in the metric", "normalised gradients"
PUBLISHED = "reward calibration, as published"
MAIN = (NONE, BATCH, BAND, NORMALISED)
ALL = (*MAIN, PAIRS, PUBLISHED)
