"""schemathesis, driven through its command line (ADR 7), generates requests."""
