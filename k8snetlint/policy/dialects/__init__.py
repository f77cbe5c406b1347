"""One module per policy dialect: build(document) makes the resource, lower(resource, cluster) its contributions."""
