"""Which fix helps when, what it costs, and where none can help: tables made from runs."""
