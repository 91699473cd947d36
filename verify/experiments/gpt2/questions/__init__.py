"""One module per question asked of a language model."""
