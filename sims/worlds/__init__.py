"""Small worlds with a target to learn (wang2025)."""
