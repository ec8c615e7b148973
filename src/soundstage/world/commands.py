"""The commands that changed a world, in order; with seed and fixtures they are it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TypeAlias

from soundstage.types import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run: of a named scenario, or of one planned, or of one chosen by weight.

    ``names`` win over what the scenario draws; ``fields`` are a merge patch on the
    run's own record. ``beginning`` names the steps that are played first, ``deadlines``
    the endings that the run is given when it spends longer in their states, in ms.
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
    """Replace the rest of a run by an ending; nothing happens to one it is not for.

    ``names`` win over what the ending draws.
    """

    api: str
    run: str
    ending: str
    names: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Let the next so many runs, of a task or of any, be of this scenario.

    Those that are started with a scenario of their own do not count.
    """

    api: str
    scenario: str
    task: str | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Put:
    """Let a record be this document from now on, whatever was to become of it."""

    api: str
    collection: str
    id: str
    document: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Patch:
    """Change a record from now on by a JSON Merge Patch; later versions keep it."""

    api: str
    collection: str
    id: str
    patch: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Delete:
    """Let a record be no more."""

    api: str
    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Define:
    """Add a scenario, or let it take the place of one; its node is as in a fixture."""

    api: str
    name: str
    node: JsonObject


@dataclass(frozen=True, slots=True)
class Advance:
    """Turn the clock forward by a span of ms."""

    span: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Forget all that was commanded: the world as it was made."""


Command: TypeAlias = (
    Start | Interrupt | Plan | Put | Patch | Delete | Define | Advance | Reset
)

_COMMAND_TYPES: dict[str, type[Command]] = {
    kind.__name__.lower(): kind
    for kind in (Start, Interrupt, Plan, Put, Patch, Delete, Define, Advance)
}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A command, and the instant at which it was applied."""

    timestamp: int
    command: Command


def serialize_entry(entry: LogEntry) -> JsonObject:
    """``{at, command, …}``: what ``entry_of`` reads."""
    name = type(entry.command).__name__.lower()
    return {"at": entry.timestamp, "command": name, **asdict(entry.command)}


def parse_entry(node: JsonObject) -> LogEntry:
    """The entry of its JSON. Raises ``ValueError`` for what is none."""
    fields = {k: v for k, v in node.items() if k not in {"at", "command"}}
    kind = _COMMAND_TYPES.get(node["command"])
    if kind is None:
        known = ", ".join(_COMMAND_TYPES)
        msg = f"there is no command {node['command']!r}; there are: {known}"
        raise ValueError(msg)
    try:
        return LogEntry(node["at"], kind(**fields))
    except TypeError as error:
        msg = f"the command {node['command']!r} is not written so: {error}"
        raise ValueError(msg) from error


class CommandLog:
    """Entries in memory."""

    def __init__(self) -> None:
        self._entries: list[LogEntry] = []

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: LogEntry) -> None:
        """Keep one more."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
