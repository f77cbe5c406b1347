"""JSON Schemas per kind and Kubernetes version, and the validation of documents against them."""
