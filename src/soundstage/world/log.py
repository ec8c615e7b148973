"""The commands that changed a world, in order; with seed and fixtures they are it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from soundstage.types import Json


@dataclass(frozen=True, slots=True)
class Start:
    """Start a run: of a named scenario, or of one chosen by weight."""

    api: str
    task: str | None = None
    scenario: str | None = None
    names: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Replace the rest of a run by an ending; nothing happens to one that is over."""

    api: str
    run: str
    ending: str


@dataclass(frozen=True, slots=True)
class Advance:
    """Turn the clock forward by a span of ms."""

    span: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Forget all that was commanded: the world as it was made."""


Command: TypeAlias = Start | Interrupt | Advance | Reset


@dataclass(frozen=True, slots=True)
class Entry:
    """A command, and the instant at which it was applied."""

    at: int
    command: Command


class Log:
    """Entries in memory."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, entry: Entry) -> None:
        """Keep one more."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
