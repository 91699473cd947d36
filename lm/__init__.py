"""Language models: read, measured, trained; knows no claim."""

if __name__ != "disband.lm":
    raise ImportError("import disband.lm: lm alone is the name of a folder")
