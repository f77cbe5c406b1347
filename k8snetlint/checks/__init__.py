"""A module per theme; each check is a generator of diagnostics."""
