"""What a preference training would do to a model on given data, told before it begins."""
