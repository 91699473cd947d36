"""Pictures: one module per paper, one function per figure; arrays in, a figure out."""

if __name__ != "disband.figures":
    raise ImportError("import disband.figures: figures alone is the name of a folder")
