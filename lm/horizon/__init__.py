"""Many steps: the curvature of log-probabilities, runs followed, paths measured for forecasts."""
