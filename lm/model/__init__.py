"""Load and build causal language models."""
