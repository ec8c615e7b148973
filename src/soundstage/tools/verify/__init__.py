"""``soundstage verify``: validate the responses of a real server."""
