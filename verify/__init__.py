"""Claims, how they are decided, and measurements on real language models."""

if __name__ != "disband.verify":
    raise ImportError("import disband.verify: verify alone is the name of a folder")
