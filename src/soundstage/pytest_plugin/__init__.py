"""The pytest plugin: the ``soundstage`` fixture and what a test does with it."""
