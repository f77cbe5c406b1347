"""Generators and side-by-side measurements: `python -m bench`."""
