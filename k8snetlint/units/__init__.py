"""Which documents are applied together, and what a file is."""
