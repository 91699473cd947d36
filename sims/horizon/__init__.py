"""Toys over many steps: first order, second order, exact, and the run with live incentives."""
