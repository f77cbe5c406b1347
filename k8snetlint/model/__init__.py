"""Frozen typed objects, a module per API group, and the Cluster that indexes them."""
