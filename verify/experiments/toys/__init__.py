"""Toy experiments that decide predictions."""
