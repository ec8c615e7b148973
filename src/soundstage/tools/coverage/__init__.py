"""Contract coverage: collect, merge, compute and report it."""

DEFAULT_DATA_FILE = ".soundstage-coverage.json"
"""Default file that the pytest plugin writes the coverage of a session to."""
