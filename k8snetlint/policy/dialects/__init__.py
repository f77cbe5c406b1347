"""One module per policy dialect: build(document) makes the typed resource, lower(resource, cluster) its contributions."""
