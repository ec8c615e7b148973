"""Scenarios, their steps, and the other definitions that runs are generated from."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from soundstage.types import Json, JsonObject
from soundstage.world.errors import UnknownName
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.random import RandomSource
from soundstage.world.record import ApiModel
from soundstage.world.runs import Run
from soundstage.world.values import PatchTemplate, ValueGenerator

RUN = "run"
"""The record type of which every run has exactly one record."""

ANY_TASK = "*"
"""The key in a fixture for all tasks that it does not list."""


@dataclass(frozen=True, slots=True)
class RecordPatch:
    """A patch of one record of a type; without a ``name``, it creates a new record."""

    type_name: str
    name: str | None
    template: PatchTemplate
    pointer: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a scenario; docs/fixtures.md describes its parts.

    ``delay`` generates ms, ``repeat`` a count, and ``play`` the name of a scenario.
    """

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
    """A named sequence of steps; ``weight`` is the relative frequency of its choice."""

    name: str
    about: str
    weight: int
    variables: Mapping[str, ValueGenerator]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepSequence:
    """A beginning (steps before a scenario) or an ending (instead of its remainder).

    An ending applies to runs in one of the ``states``; to any run if it has none.
    """

    states: frozenset[Json]
    variables: Mapping[str, ValueGenerator]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to generate; its values that are known before any random choice.

    Without a ``scenario``, one is chosen. ``variables`` override generated ones.
    ``deadlines`` maps an ending to the ms that the run may spend in its states before
    it ends so. ``chain_length`` counts the runs that started one another before it.
    """

    task: str
    scenario: str | None
    timestamp: int
    run_id: str | None = None
    variables: Mapping[str, Json] = field(default_factory=dict)
    beginning: str | None = None
    deadlines: Mapping[str, int] = field(default_factory=dict)
    chain_length: int = 0


@dataclass(frozen=True, slots=True)
class QueuedScenario:
    """The scenario of the next ``times`` runs of a task; of any task if None."""

    task: str | None
    scenario: str
    times: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything that the runs of one API are generated from.

    ``on_finish`` returns the run that the API starts after a finished one, such as a
    retry. It is called for runs whose steps start no successor.
    """

    model: ApiModel
    lifecycles: Mapping[str, tuple[Lifecycle, ...]]
    defaults: Mapping[str, PatchTemplate]
    tasks: Mapping[str, JsonObject]
    scenarios: Mapping[str, Scenario]
    beginnings: Mapping[str, StepSequence]
    endings: Mapping[str, StepSequence]
    on_finish: Callable[[Run], RunRequest | None] | None = None

    def task(self, name: str) -> JsonObject:
        """Return the node of a task, or of ``*``. Raises ``UnknownName``."""
        task = self.tasks.get(name, self.tasks.get(ANY_TASK))
        if task is None:
            raise UnknownName("task", name, tuple(self.tasks))
        return task

    def scenario(self, name: str) -> Scenario:
        """Return the scenario with this name. Raises ``UnknownName``."""
        try:
            return self.scenarios[name]
        except KeyError:
            raise UnknownName("scenario", name, tuple(self.scenarios)) from None

    def step_sequence(self, section: str, name: str) -> StepSequence:
        """Return a ``beginning`` or an ``ending``. Raises ``UnknownName``."""
        sequences = self.beginnings if section == "beginning" else self.endings
        try:
            return sequences[name]
        except KeyError:
            raise UnknownName(section, name, tuple(sequences)) from None

    def choose_scenario(self, random: RandomSource) -> str:
        """Choose a scenario by weight. Raises ``UnknownName`` if none has a weight."""
        weights = {name: s.weight for name, s in self.scenarios.items() if s.weight}
        if not weights:
            raise UnknownName("scenario with a weight", "", tuple(self.scenarios))
        totals = list(accumulate(weights.values()))
        ticket = random.randint(1, totals[-1])
        return list(weights)[bisect_left(totals, ticket)]

    def is_final(self, document: JsonObject) -> bool:
        """Whether a run has finished, by this version of its record."""
        lifecycles = self.lifecycles.get(RUN, ())
        # Without a lifecycle, no state of a run is known to be final.
        return bool(lifecycles) and all(each.is_final(document) for each in lifecycles)

    def can_end(self, document: JsonObject, ending: StepSequence) -> bool:
        """Whether an ending applies to a run, by this version of its record."""
        lifecycles = self.lifecycles.get(RUN, ())
        states = {document.get(lifecycle.field) for lifecycle in lifecycles}
        return not self.is_final(document) and (not ending.states or bool(states & ending.states))
