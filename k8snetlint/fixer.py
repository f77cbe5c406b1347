"""Fixes, applied to files."""
