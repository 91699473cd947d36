"""The sentiment check of yuan2025, section 4.3."""
