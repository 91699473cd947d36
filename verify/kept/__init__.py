"""What is kept: stores, provenance, recorded results."""
