"""Language models: read, measured, trained; knows no claim."""
