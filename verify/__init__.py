"""Claims, how they are decided, and measurements on real language models."""
