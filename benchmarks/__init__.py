"""How fast the project's costly parts are, beside other ways of doing the same."""
