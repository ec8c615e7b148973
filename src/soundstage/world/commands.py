"""Commands, and their log: seed, fixtures and log determine a world.

The names of the classes and of their fields are keys of the exported JSON.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from soundstage.types import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run of a scenario: named here, queued, or chosen by weight.

    ``names`` are variables that override generated ones; ``fields`` are a merge patch
    of the run's own record. The steps of ``beginning`` are played first. ``deadlines``
    maps an ending to the ms that the run may spend in its states before it ends so.
    """

    api: str
    task: str | None = None
    scenario: str | None = None
    names: Mapping[str, Json] = field(default_factory=dict)
    fields: Mapping[str, Json] = field(default_factory=dict)
    beginning: str | None = None
    deadlines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interrupt:
    """End a run early with a named ending.

    It has no effect if the ending does not apply to the state of the run. ``names`` are
    variables that override generated ones.
    """

    api: str
    run: str
    ending: str
    names: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Queue a scenario for the next ``times`` runs of a task, or of any task.

    Runs that are started with a scenario of their own do not count.
    """

    api: str
    scenario: str
    task: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Put:
    """Replace a record from now on, discarding its future versions."""

    api: str
    collection: str
    id: str
    document: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Patch:
    """Apply a JSON Merge Patch to the current and all future versions of a record."""

    api: str
    collection: str
    id: str
    patch: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a record."""

    api: str
    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Define:
    """Add or replace a scenario; ``node`` is written as in a fixture."""

    api: str
    name: str
    node: JsonObject


@dataclass(frozen=True, slots=True)
class Advance:
    """Advance the clock by ``span`` ms."""

    span: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Undo all commands: return to the initial state."""


Command: TypeAlias = Start | Interrupt | Plan | Put | Patch | Delete | Define | Advance | Reset

# A reset is not among them: it clears the log, so no log contains one.
_COMMAND_TYPES: dict[str, type[Command]] = {
    command_type.__name__.lower(): command_type
    for command_type in (Start, Interrupt, Plan, Put, Patch, Delete, Define, Advance)
}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A command, and the timestamp at which it was applied."""

    timestamp: int
    command: Command


def serialize_entry(entry: LogEntry) -> JsonObject:
    """Serialize an entry to ``{at, command, …}``.

    >>> serialize_entry(LogEntry(0, Advance(250)))
    {'at': 0, 'command': 'advance', 'span': 250}
    """
    name = type(entry.command).__name__.lower()
    return {"at": entry.timestamp, "command": name, **asdict(entry.command)}


def parse_entry(node: JsonObject) -> LogEntry:
    """Parse the JSON of an entry. Raises ``ValueError`` if it is none.

    >>> parse_entry({"at": 0, "command": "advance", "span": 250})
    LogEntry(timestamp=0, command=Advance(span=250))
    """
    fields = {k: v for k, v in node.items() if k not in {"at", "command"}}
    command_type = _COMMAND_TYPES.get(node["command"])
    if command_type is None:
        known = ", ".join(_COMMAND_TYPES)
        msg = f"there is no command {node['command']!r}; there are: {known}"
        raise ValueError(msg)
    try:
        return LogEntry(node["at"], command_type(**fields))
    # The constructor raises TypeError for missing and unknown fields.
    except TypeError as error:
        msg = f"the command {node['command']!r} has the wrong fields: {error}"
        raise ValueError(msg) from error


class CommandLog:
    """The log entries of a world, in memory."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: LogEntry) -> None:
        """Add an entry."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()
