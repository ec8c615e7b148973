"""Real traffic, held against a contract while it passes."""
