"""OpenAPI documents, compiled to validators; knows no state."""
