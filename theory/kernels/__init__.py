"""From formulas to fast functions of arrays."""
