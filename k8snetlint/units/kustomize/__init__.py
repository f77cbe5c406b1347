"""Kustomizations rendered in our own code, with every value's origin kept."""
