"""``soundstage diff``: compare two OpenAPI documents and classify the changes."""
