"""Preference training watched from inside a trainer, and what its logs say afterwards."""
