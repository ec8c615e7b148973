"""Runs: executions of a task with a known timeline, and their interruptions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from soundstage.types import Json
from soundstage.world.record import Record


@dataclass(frozen=True, slots=True)
class Run:
    """A run with its whole timeline, which is generated when it starts.

    ``records[0]`` is its own record. ``variables`` are the values that its steps see,
    ``explicit_variables`` the names of those that were passed in, not generated.
    ``deadlines`` maps an ending to the ms that the run may spend in its states,
    ``deadlines_hit`` an ending to the timestamp at which that deadline ended the run.
    ``successors`` are the runs that it starts; ``chain_length`` counts the runs that
    started one another before it.
    """

    task: str
    scenario: str
    started_at: int
    records: tuple[Record, ...]
    variables: Mapping[str, Json]
    explicit_variables: frozenset[str] = frozenset()
    deadlines: Mapping[str, int] = field(default_factory=dict)
    deadlines_hit: Mapping[str, int] = field(default_factory=dict)
    successors: tuple["Run", ...] = ()
    chain_length: int = 0

    @property
    def id(self) -> str:
        """The identifier of its own record."""
        return self.records[0].id


@dataclass(frozen=True, slots=True)
class Interruption:
    """The ``ending`` that replaces the rest of a run from ``timestamp`` on.

    ``variables`` override the values that the ending generates.
    """

    ending: str
    timestamp: int
    variables: Mapping[str, Json] = field(default_factory=dict)
