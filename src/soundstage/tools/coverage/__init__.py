"""What of the contracts was exercised: gathered, excused, shown."""

DEFAULT_DATA_FILE = ".soundstage-coverage.json"
"""Where the pytest plugin writes what it has gathered, unless told otherwise."""
