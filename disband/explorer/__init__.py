"""The explorer: one offline page."""
