"""The main jobs: verify, figures and gpt2."""
