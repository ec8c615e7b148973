"""``soundstage fuzz``: send generated requests and check every response."""
