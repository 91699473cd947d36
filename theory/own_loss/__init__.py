"""Losses of one's own: typed, declared with sympy, or coded with torch; read within bounds."""

from .declare import objective_of

__all__ = ["objective_of"]
