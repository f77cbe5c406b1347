"""Questions about a Cluster and its PolicySet."""
