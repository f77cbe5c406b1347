"""Baselines: known diagnostics that do not count."""
