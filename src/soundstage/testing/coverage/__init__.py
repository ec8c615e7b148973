"""What of the contracts was exercised: gathered, excused, shown."""

DATA = ".soundstage-coverage.json"
"""Where the pytest plugin writes what it has gathered, unless told otherwise."""
