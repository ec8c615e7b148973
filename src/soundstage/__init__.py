"""Soundstage: a mock and contract-testing server generated from OpenAPI documents."""
