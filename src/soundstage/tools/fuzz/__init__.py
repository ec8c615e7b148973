"""``soundstage fuzz``: generated requests, and all that must hold of the answers."""
