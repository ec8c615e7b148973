"""Tools around the server: check, coverage, diff, fuzz, proxy, recorder, verify."""
