"""What a preference-optimization step is: incentives, score Grams, bands, first-order steps."""
