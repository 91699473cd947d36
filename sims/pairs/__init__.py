"""One pair, one run: policies, descent, studies, paths."""
