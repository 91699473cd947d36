"""What a preference-optimization step is: incentives, score Grams, bands, first-order steps."""

if __name__ != "disband.theory":
    raise ImportError("import disband.theory: theory alone is the name of a folder")
