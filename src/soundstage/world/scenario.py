"""What a fixture says of runs: scenarios, their steps, and the tasks they are of."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from soundstage.types import Json, JsonObject
from soundstage.world.errors import UnknownName
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.random import RandomSource
from soundstage.world.record import ApiModel
from soundstage.world.values import PatchTemplate, ValueGenerator

if TYPE_CHECKING:
    from soundstage.world.runs import Run

RUN = "run"
"""The kind that every run has exactly one record of."""

ANY_TASK = "*"
"""Stands in a fixture for the tasks that it does not list."""


@dataclass(frozen=True, slots=True)
class RecordPatch:
    """One patch of one record; ``name`` is None for a record of its own."""

    type_name: str
    name: str | None
    template: PatchTemplate
    pointer: str


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a scenario; docs/fixtures.md says what its parts mean."""

    pointer: str
    delay: ValueGenerator | None = None
    variables: Mapping[str, ValueGenerator] = field(default_factory=dict)
    patches: tuple[RecordPatch, ...] = ()
    repeat: ValueGenerator | None = None
    steps: tuple["Step", ...] = ()
    successor: "Successor | None" = None
    play: ValueGenerator | None = None


@dataclass(frozen=True, slots=True)
class Successor:
    """A run that a step starts."""

    pointer: str
    scenario: ValueGenerator
    variables: Mapping[str, ValueGenerator]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named way for a run to unfold."""

    name: str
    about: str
    weight: int
    variables: Mapping[str, ValueGenerator]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepSequence:
    """Steps before a scenario's own (a beginning) or instead of their rest (an ending).

    An ending is for runs in one of the states ``of`` only; in any state if it is empty.
    """

    states: frozenset[Json]
    variables: Mapping[str, ValueGenerator]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to be drawn: what is known of it before any chance comes in.

    The scenario is chosen where none is named. ``names`` win over what is drawn.
    ``deadlines`` say how many ms a run may spend in the states of an ending before it
    is given that ending (in any state, where the ending is for all of them).
    """

    task: str
    scenario: str | None
    timestamp: int
    run_id: str | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    beginning: str | None = None
    deadlines: Mapping[str, int] = field(default_factory=dict)
    chain_length: int = 0  # how many runs started one another before this one


@dataclass(frozen=True, slots=True)
class QueuedScenario:
    """How the next so many runs of a task (of any, if None) unfold."""

    task: str | None
    scenario: str
    times: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """All that a run of one API is drawn from.

    ``follow`` says which run an API starts after one that is over, a retry perhaps; it
    is asked about runs that start none by their own steps.
    """

    model: ApiModel
    lifecycles: Mapping[str, tuple[Lifecycle, ...]]
    defaults: Mapping[str, PatchTemplate]
    tasks: Mapping[str, JsonObject]
    scenarios: Mapping[str, Scenario]
    beginnings: Mapping[str, StepSequence]
    endings: Mapping[str, StepSequence]
    on_finish: "Callable[[Run], RunRequest | None] | None" = None

    def task(self, name: str) -> JsonObject:
        """What runs of a task know; ``*`` is every other one. Raises ``Unknown``."""
        task = self.tasks.get(name, self.tasks.get(ANY_TASK))
        if task is None:
            raise UnknownName("task", name, tuple(self.tasks))
        return task

    def scenario(self, name: str) -> Scenario:
        """The scenario of this name. Raises ``Unknown``."""
        try:
            return self.scenarios[name]
        except KeyError:
            raise UnknownName("scenario", name, tuple(self.scenarios)) from None

    def step_sequence(self, section: str, name: str) -> StepSequence:
        """The ``beginning`` or ``ending`` of this name. Raises ``Unknown``."""
        there = self.beginnings if section == "beginning" else self.endings
        try:
            return there[name]
        except KeyError:
            raise UnknownName(section, name, tuple(there)) from None

    def choose_scenario(self, random: RandomSource) -> str:
        """One of the scenarios, by their weights."""
        weights = {name: s.weight for name, s in self.scenarios.items() if s.weight}
        if not weights:
            raise UnknownName("scenario with a weight", "", tuple(self.scenarios))
        totals = list(accumulate(weights.values()))
        ticket = random.randint(1, totals[-1])
        return list(weights)[bisect_left(totals, ticket)]

    def is_final(self, document: JsonObject) -> bool:
        """Whether a run whose record says this has ended."""
        own = self.lifecycles.get(RUN, ())
        return bool(own) and all(lifecycle.is_final(document) for lifecycle in own)

    def can_end(self, document: JsonObject, ending: StepSequence) -> bool:
        """Whether an ending is for a run whose record says this."""
        own = self.lifecycles.get(RUN, ())
        states = {document.get(lifecycle.field) for lifecycle in own}
        return not self.is_final(document) and (
            not ending.states or bool(states & ending.states)
        )
