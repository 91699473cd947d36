"""Toy policies and what training does to them."""
