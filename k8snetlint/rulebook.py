"""The rules' documents, read."""
