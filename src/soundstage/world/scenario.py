"""What a fixture says of runs: scenarios, their steps, and the tasks they are of."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from soundstage.types import Document
from soundstage.world.chance import Chance
from soundstage.world.errors import Unknown
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.record import Vocabulary
from soundstage.world.value import Patch, Value

RUN = "run"
"""The kind that every run has exactly one record of."""


@dataclass(frozen=True, slots=True)
class Change:
    """One patch of one record; ``name`` is None for a record of its own."""

    kind: str
    name: str | None
    patch: Patch
    pointer: str


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a scenario; docs/fixtures.md says what its parts mean."""

    pointer: str
    after: Value | None = None
    draw: Mapping[str, Value] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    repeat: Value | None = None
    steps: tuple["Step", ...] = ()
    start: "Successor | None" = None


@dataclass(frozen=True, slots=True)
class Successor:
    """A run that a step starts."""

    pointer: str
    scenario: Value
    names: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named way for a run to unfold."""

    name: str
    about: str
    weight: int
    draw: Mapping[str, Value]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """All that a run of one API is drawn from."""

    vocabulary: Vocabulary
    lifecycles: Mapping[str, tuple[Lifecycle, ...]]
    defaults: Mapping[str, Patch]
    tasks: Mapping[str, Document]
    scenarios: Mapping[str, Scenario]
    endings: Mapping[str, tuple[Step, ...]]

    def scenario(self, name: str) -> Scenario:
        """The scenario of this name. Raises ``Unknown``."""
        try:
            return self.scenarios[name]
        except KeyError:
            raise Unknown("scenario", name, tuple(self.scenarios)) from None

    def any_scenario(self, chance: Chance) -> str:
        """One of the scenarios, by their weights."""
        weights = {name: s.weight for name, s in self.scenarios.items() if s.weight}
        if not weights:
            raise Unknown("scenario with a weight", "", tuple(self.scenarios))
        totals = list(accumulate(weights.values()))
        ticket = chance.whole(1, totals[-1])
        return list(weights)[bisect_left(totals, ticket)]

    def is_final(self, document: Document) -> bool:
        """Whether a run whose record says this has ended."""
        own = self.lifecycles.get(RUN, ())
        return bool(own) and all(lifecycle.is_final(document) for lifecycle in own)
