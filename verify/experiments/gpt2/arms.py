"""What runs are compared with: the names of methods that questions run and findings read."""

# Of the question where probability goes.
DPO, TERM, SPO = "DPO", "DPO with the term", "SPO, one step"

# Of the question what a method does to incentives, and what it costs.
NONE = "none"
BATCH, PAIRS = "reward calibration", "reward calibration, pairs"
BAND, NORMALISED = "batch band in the metric", "normalised gradients"
PUBLISHED = "reward calibration, as published"
MAIN = (NONE, BATCH, BAND, NORMALISED)
ALL = (*MAIN, PAIRS, PUBLISHED)
