"""A run that was recorded, retold as a scenario."""
