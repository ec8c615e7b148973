"""The recorder: turns a recorded run into a scenario of a fixture.

Exchanges of an archive -> observed records (``extraction``) -> histories of records
(``reconstruction``, ``transitions``) -> steps (``steps``) -> YAML (``fixture_writer``).
"""


class UnusableRecording(ValueError):
    """A recording, or a fixture, from which no scenario can be made."""


class InvalidScenario(ValueError):
    """A scenario that the lifecycles or the contract forbid."""
