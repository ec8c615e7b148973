"""A world: seed + fixtures + clock + log. It changes only by applying commands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, overload

from soundstage.types import Document
from soundstage.world.chance import Seeded
from soundstage.world.clock import Clock
from soundstage.world.errors import Unknown
from soundstage.world.fixture import Fixture, compile_scenario
from soundstage.world.log import (
    Advance,
    Command,
    Define,
    Delete,
    Entry,
    Interrupt,
    Log,
    Patch,
    Put,
    Reset,
    Start,
    entry_as_json,
    entry_of,
)
from soundstage.world.record import Collection, Record
from soundstage.world.state import (
    State,
    first_state,
    inspect,
    inspect_record,
    with_fields,
)
from soundstage.world.timeline import Cue, Cut, Run, drawn, interrupted
from soundstage.world.value import merged

Outcome: TypeAlias = Run | Record | None
"""What a command made or changed."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a world begins.

    ``now`` is the wall's instant when None. History goes up to ``origin``, the clock's
    first instant when None; worlds of one server share it, and so what was drawn.
    """

    seed: int = 0
    now: int | None = None
    speed: float = 1.0
    origin: int | None = None


class World:
    """All state behind one name.

    ``fixtures`` are by API. ``clock`` is one of the world's own unless somebody hands
    in another.
    """

    def __init__(
        self,
        fixtures: Mapping[str, Fixture],
        opening: Opening | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.fixtures = fixtures
        self.opening = opening or Opening()
        self.clock = clock or Clock(self.opening.now, self.opening.speed)
        self.log = Log()
        self._begin()

    def _begin(self) -> None:
        origin = self.opening.origin
        self.origin = self.clock.now() if origin is None else origin
        self.began = self.clock.now()
        self._states: dict[str, State] = {}
        self._changed: set[str] = set()
        self._drawn = 0  # commands that chance came into; each has draws of its own

    def state(self, api: str) -> State:
        """What there is at this API, to be read. Raises ``Unknown``."""
        state = self._states.get(api)
        if state is None:
            if api not in self.fixtures:
                raise Unknown("API", api, tuple(self.fixtures))
            state = first_state(self.fixtures[api], self.opening.seed, self.origin)
            self._states[api] = state
        return state

    def collection(self, api: str, name: str) -> Collection:
        """The records of one kind. Raises ``Unknown``."""
        return self.state(api).collection(name)

    def next_change(self) -> int | None:
        """The next instant at which anything changes by itself; None if never."""
        now = self.clock.now()
        upcoming = (self.state(api).next_change(now) for api in self.fixtures)
        return min((at for at in upcoming if at is not None), default=None)

    @overload
    def apply(self, command: Start) -> Run: ...
    @overload
    def apply(self, command: Interrupt) -> Run | None: ...
    @overload
    def apply(self, command: Put | Patch | Delete) -> Record: ...
    @overload
    def apply(self, command: Command) -> Outcome: ...

    def apply(self, command: Command) -> Outcome:
        """Change the world, and log it if it could be done.

        Gives the run that was started or interrupted (None if it was over already), or
        the record that was changed. Raises ``Unknown`` for a name that is not there,
        ``FixtureError`` for what lifecycle or contract forbid, ``ValueError`` for a
        span that the clock cannot go.
        """
        at = self.clock.now()
        outcome = self._apply(command, at)
        self._drawn += isinstance(command, Start | Interrupt)
        if not isinstance(command, Reset):
            self.log.append(Entry(at, command))
        return outcome

    def replay(self, entries: Iterable[Entry]) -> None:
        """Apply what was logged, each at its own instant; the clock must be frozen."""
        for entry in entries:
            self.clock.advance(entry.at - self.clock.now())
            self.apply(entry.command)

    def exported(self) -> Document:
        """Seed, origin, clock and log as JSON: with the fixtures, all of the world."""
        return {
            "seed": self.opening.seed,
            "origin": self.origin,
            "began": self.began,
            "now": self.clock.now(),
            "speed": self.clock.speed,
            "log": [entry_as_json(entry) for entry in self.log],
        }

    @classmethod
    def imported(cls, fixtures: Mapping[str, Fixture], document: Document) -> "World":
        """The world that was exported, from the same fixtures.

        Raises ``WorldError`` and ``ValueError`` for a log that cannot be replayed.
        """
        origin = document["origin"]
        began = document["began"]
        opening = Opening(document["seed"], began, document["speed"], origin)
        world = cls(fixtures, opening, Clock(began, 0))
        world.replay(entry_of(node) for node in document["log"])
        world.clock.advance(document["now"] - world.clock.now())
        world.clock.run_at(document["speed"])
        return world

    def _apply(self, command: Command, at: int) -> Outcome:
        match command:
            case Start():
                return self._start(command, at)
            case Interrupt():
                return self._interrupt(command, at)
            case Put() | Patch() | Delete():
                return self._change(command, at)
            case Define(api, name, node):
                scenario = compile_scenario(name, node, self.state(api).script)
                self._own(api).define(scenario)
            case Advance(span):
                self.clock.advance(span)
            case Reset():
                self.clock = self.clock.again(self.opening.now, self.opening.speed)
                self.log.clear()
                self._begin()
        return None

    def _own(self, api: str) -> State:
        """The state of an API, to be changed; the first state is shared."""
        state = self.state(api)
        if api not in self._changed:
            self._changed.add(api)
            state = self._states[api] = state.copy()
        return state

    def _start(self, command: Start, at: int) -> Run:
        state = self.state(command.api)
        chance = Seeded(self.opening.seed, command.api, "start", self._drawn)
        task = command.task or next(iter(state.script.tasks), "")
        scenario = command.scenario or state.script.any_scenario(chance)
        cue = Cue(task, scenario, at, names=command.names)
        run = drawn(state.script, cue, chance)
        if command.fields:
            run = with_fields(run, command.fields)
        if command.fields or command.names:
            inspect(state.fixture, run)
        self._own(command.api).add(run)
        return run

    def _interrupt(self, command: Interrupt, at: int) -> Run | None:
        state = self.state(command.api)
        if command.run not in state.runs:
            raise Unknown("run", command.run)
        old = state.as_it_is(state.runs[command.run])
        chance = Seeded(self.opening.seed, command.api, "interrupt", self._drawn)
        new = interrupted(state.script, old, Cut(command.ending, at), chance)
        if new is not None:
            self._own(command.api).replace(old, new)
        return new

    def _change(self, command: Put | Patch | Delete, at: int) -> Record:
        """Change one record from now on. Raises as ``apply`` does."""
        state = self.state(command.api)
        collection = state.collection(command.collection)
        old = collection.record(command.id)
        there = old is not None and old.as_of(at) is not None
        if not isinstance(command, Put) and not there:
            raise Unknown(f"record in {command.collection}", command.id)
        match command, old:
            case Patch(), Record():
                new = old.changed(at, lambda d: merged(d, command.patch))
            case Delete(), Record():
                new = old.ended(at, None)
            case Put(), Record() if old.began <= at:
                new = old.ended(at, self._identified(command, collection))
            case _:
                document = self._identified(command, collection)
                new = Record(collection.kind, command.id, (at,), (document,))
        inspect_record(state.fixture, new)
        own = self._own(command.api)
        if old is None:
            own.collections[command.collection].add(new)
        else:
            own.put(old, new)
        return new

    def _identified(
        self, command: Put | Patch | Delete, collection: Collection
    ) -> Document:
        given = command.document if isinstance(command, Put) else {}
        return {**given, collection.kind.id: command.id}
