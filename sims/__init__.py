"""Toy policies and what training does to them."""

if __name__ != "disband.sims":
    raise ImportError("import disband.sims: sims alone is the name of a folder")
