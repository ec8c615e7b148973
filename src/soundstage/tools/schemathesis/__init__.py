"""Generated requests: schemathesis, driven by its command line (ADR 7)."""
