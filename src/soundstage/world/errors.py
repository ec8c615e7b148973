"""Errors of a world. They know no HTTP; each API maps them to its own responses.

WorldError
├── FixtureError           a fixture is invalid
│   └── IllegalTransition  a field left its lifecycle
├── UnknownName            a command names something that does not exist
└── ClockJumpTooLarge      advancing the clock would pass too many scheduled runs
"""


class WorldError(Exception):
    """Base class of all errors that a world raises."""


class FixtureError(WorldError):
    """An invalid fixture; ``pointer`` is the JSON pointer of the faulty node."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


class IllegalTransition(FixtureError):
    """A field changed in a way that its lifecycle does not allow."""


class UnknownName(WorldError):
    """A command names an API, task, scenario, ending or run that does not exist.

    ``category`` is what was looked up ("task"), ``name`` the unknown name and
    ``known`` the names that exist.

    >>> print(UnknownName("task", "import", ("export", "sync")))
    there is no task 'import'; there are: export, sync
    """

    def __init__(self, category: str, name: str, known: tuple[str, ...] = ()) -> None:
        choice = f"; there are: {', '.join(known)}" if known else ""
        super().__init__(f"there is no {category} {name!r}{choice}")
        self.category, self.name, self.known = category, name, known


class ClockJumpTooLarge(WorldError, ValueError):
    """Advancing the clock would trigger more than ``maximum`` scheduled runs."""

    def __init__(self, maximum: int) -> None:
        super().__init__(
            f"advancing the clock would start more than {maximum} scheduled runs; "
            "advance it in smaller steps"
        )
