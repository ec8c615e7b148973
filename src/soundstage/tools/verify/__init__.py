"""``soundstage verify``: a real server, held against a contract."""
