"""Many problems at once: outcomes, maps, phases."""
