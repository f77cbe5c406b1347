"""Suppressions: comments, annotations and configuration that make a diagnostic not count."""
