"""Experiments on small language models, piece by piece."""
