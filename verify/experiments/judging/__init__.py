"""How an experiment decides a prediction."""
