"""Who does pieces of work: processes of this machine, or the workers of a cluster."""
