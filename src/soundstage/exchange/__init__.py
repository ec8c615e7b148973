"""Recorded HTTP exchanges: HAR, redaction, expectations, coverage counting."""
