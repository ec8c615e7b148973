"""A reverse proxy that validates real traffic against a contract."""
