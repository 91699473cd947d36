"""``disband rehearse``: copies of a model trained for a few updates, to see what each would do."""
