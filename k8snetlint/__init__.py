"""k8snetlint: a static analyzer and linter for Kubernetes network manifests."""

# A literal, so that `--version` reads no package metadata.
__version__ = "0.1.0"
