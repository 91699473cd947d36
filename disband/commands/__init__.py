"""The commands of the command line, filed by what they are about."""
