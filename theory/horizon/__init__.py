"""After many steps: second order in their number, and exactly where logits move linearly."""
