"""What can be wrong with a world; none of these knows HTTP.

WorldError
├── FixtureError     a fixture says something impossible
│   └── IllegalMove  a field left its lifecycle
├── Unknown          a command names a thing that is not there
└── TooFar           the clock goes past more scheduled runs than can be drawn
"""


class WorldError(Exception):
    """The root of what a world raises."""


class FixtureError(WorldError):
    """A fixture says something impossible; ``pointer`` leads to the place."""

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.pointer = pointer


class IllegalTransition(FixtureError):
    """A field moved as its lifecycle does not allow."""


class UnknownName(WorldError):
    """A command names an API, a task, a scenario, an ending or a run that is not there.

    ``what`` is its kind, ``name`` what was asked for, ``known`` what there is.
    """

    def __init__(self, category: str, name: str, known: tuple[str, ...] = ()) -> None:
        choice = f"; there are: {', '.join(known)}" if known else ""
        super().__init__(f"there is no {category} {name!r}{choice}")
        self.category, self.name, self.known = category, name, known


class ClockJumpTooLarge(WorldError, ValueError):
    """The clock goes past more scheduled runs than can be drawn."""

    def __init__(self, maximum: int) -> None:
        super().__init__(
            f"more than {maximum} runs would start by themselves on the way; that is "
            "too far for a clock to go at once"
        )
