"""Preference data and tweets, read and tokenized."""
