"""Inner products of the scores of a real language model, without forming the scores."""
