"""Figures of the runs on language models."""
