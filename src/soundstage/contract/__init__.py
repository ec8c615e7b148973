"""What may be said: OpenAPI documents, compiled."""
