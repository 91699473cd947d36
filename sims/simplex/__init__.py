"""Probabilities on the simplex over time (jian2025)."""
