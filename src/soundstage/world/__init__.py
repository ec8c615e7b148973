"""Deterministic state over virtual time. Knows neither HTTP nor OpenAPI."""
