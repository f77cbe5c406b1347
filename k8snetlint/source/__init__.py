"""Text and positions: knows YAML and JSON, knows nothing of Kubernetes."""
