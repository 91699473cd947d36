"""Sums of outer products that stand for scores, and the inner products of scores."""
