"""Closed forms of toy models."""
