"""A world: seed + fixtures + clock + log. It changes only by applying commands."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import overload

from soundstage.types import JsonObject
from soundstage.world.clock import MAX_TIMESTAMP, Clock
from soundstage.world.collection import Collection
from soundstage.world.commands import (
    Advance,
    Command,
    CommandLog,
    Define,
    Delete,
    Interrupt,
    LogEntry,
    Patch,
    Plan,
    Put,
    Reset,
    Start,
    parse_entry,
    serialize_entry,
)
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.execute import CommandResult, prepare
from soundstage.world.fixture import Fixture, compile_scenario
from soundstage.world.history import InitialState, initial_state
from soundstage.world.random import RandomSource, SeededRandom
from soundstage.world.record import Record
from soundstage.world.runs import Run
from soundstage.world.scheduler import Scheduler
from soundstage.world.state import State


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """How a world begins.

    ``now`` is the wall's instant when None. History goes up to ``origin``, the clock's
    first instant when None; worlds of one server share it, and so what was drawn.
    """

    seed: int = 0
    start_at: int | None = None
    speed: float = 1.0
    history_end: int | None = None


class World:
    """All state behind one name.

    ``fixtures`` are by API. ``clock`` is one of the world's own unless somebody hands
    in another. ``changed`` is called after every command and change of speed.
    """

    def __init__(
        self,
        fixtures: Mapping[str, Fixture],
        options: WorldOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.fixtures = fixtures
        self.options = options or WorldOptions()
        self.clock = clock or Clock(self.options.start_at, self.options.speed)
        self.log = CommandLog()
        self.on_change: Callable[[], None] = _noop
        self._initialize()

    def _initialize(self) -> None:
        origin = self.options.history_end
        self.history_end = self.clock.now() if origin is None else origin
        self.started_at = self.clock.now()
        self._states: dict[str, State] = {}
        self._private: set[str] = set()
        self._random_commands = (
            0  # commands so far that may have draws; each has its own
        )
        schedules = {n: f.schedule for n, f in self.fixtures.items() if f.schedule}
        self._scheduler = Scheduler(
            schedules, self.history_end, self._state, self._schedule_view
        )

    def now(self) -> int:
        """The present instant, with all done that was due by then.

        Raises ``TooFar``.
        """
        now = self.clock.now()
        if self._scheduler.is_due(now):
            self._run_due_ticks(now)
        return now

    def state(self, api: str) -> State:
        """What there is at this API by now, to be read. Raises ``Unknown``."""
        self.now()
        return self._state(api)

    def _state(self, api: str) -> State:
        state = self._states.get(api)
        if state is None:
            if api not in self.fixtures:
                raise UnknownName("API", api, tuple(self.fixtures))
            state = self._states[api] = self.initial_state(api).state()
        return state

    def _schedule_view(self, api: str) -> State | InitialState:
        return self._states.get(api) or self.initial_state(api)

    def initial_state(self, api: str) -> InitialState:
        """What this API begins with, which may take a while to draw."""
        fixture, seed = self.fixtures[api], self.options.seed
        return initial_state(
            fixture, seed, self.history_end, eager=self.started_at < self.history_end
        )

    def collection(self, api: str, name: str) -> Collection:
        """The records of one kind. Raises ``Unknown``."""
        return self.state(api).collection(name)

    def next_change(self) -> int | None:
        """The next instant at which anything changes by itself; None if never."""
        now = self.now()
        upcoming = [self._state(api).next_change(now) for api in self.fixtures]
        if due := self._scheduler.next_tick():
            upcoming.append(due[0].timestamp)
        return min((at for at in upcoming if at is not None), default=None)

    def command_random(self, api: str) -> RandomSource:
        """Draws for whoever makes the next command; others after every command."""
        return SeededRandom(self.options.seed, api, "command", self._random_commands)

    @overload
    def apply(self, command: Start) -> Run: ...
    @overload
    def apply(self, command: Interrupt) -> Run | None: ...
    @overload
    def apply(self, command: Put | Patch | Delete) -> Record: ...
    @overload
    def apply(self, command: Plan | Define | Advance | Reset) -> None: ...
    @overload
    def apply(self, command: Command) -> CommandResult: ...

    def apply(self, command: Command) -> CommandResult:
        """Change the world, and log it if it could be done.

        Gives the run that was started or interrupted (None if it was over already), or
        the record that was changed. Raises ``Unknown`` for a name that is not there,
        ``FixtureError`` for what lifecycle or contract forbid, ``ValueError`` for a
        span that the clock cannot go, and for a plan for no run.
        """
        at = self.clock.now() if isinstance(command, Reset) else self.now()
        chance = SeededRandom(
            self.options.seed, _api_of(command), "draws", self._random_commands
        )
        outcome = self._apply(command, at, chance)
        self._scheduler.reschedule(_api_of(command), at)
        # How often the clock was turned does not decide what is drawn.
        self._random_commands += not isinstance(command, Advance | Reset)
        if not isinstance(command, Reset):
            self.log.append(LogEntry(at, command))
        self.on_change()
        return outcome

    def set_speed(self, speed: float) -> None:
        """Let the clock follow the wall at this speed. Raises ``ValueError``."""
        self.now()
        self.clock.set_speed(speed)
        self.on_change()

    def replay(self, entries: Iterable[LogEntry]) -> None:
        """Apply what was logged, each at its own instant; the clock must be frozen."""
        for entry in entries:
            self._advance(entry.timestamp - self.clock.now())
            self.apply(entry.command)

    def to_json(self) -> JsonObject:
        """Seed, origin, clock and log as JSON: with the fixtures, all of the world."""
        return {
            "seed": self.options.seed,
            "origin": self.history_end,
            "began": self.started_at,
            "now": self.clock.now(),
            "speed": self.clock.speed,
            "log": [serialize_entry(entry) for entry in self.log],
        }

    @classmethod
    def from_json(
        cls, fixtures: Mapping[str, Fixture], document: JsonObject
    ) -> "World":
        """The world that was exported, from the same fixtures.

        Raises ``WorldError`` and ``ValueError`` for a log that cannot be replayed.
        """
        origin = document["origin"]
        began = document["began"]
        opening = WorldOptions(document["seed"], began, document["speed"], origin)
        world = cls(fixtures, opening, Clock(began, 0))
        world.replay(parse_entry(node) for node in document["log"])
        world._advance(document["now"] - world.clock.now())
        world.set_speed(document["speed"])
        return world

    def _advance(self, duration: int) -> None:
        """Turn the clock. Raises ``ValueError``, before it has moved."""
        now = self.now()
        if now + duration <= MAX_TIMESTAMP:  # else the clock knows better why not
            self._scheduler.check_advance(now, now + duration)
        self.clock.advance(duration)

    def _run_due_ticks(self, now: int) -> None:
        """Do what was due since, in the order of time. Raises ``TooFar``."""
        checked = False
        while (due := self._scheduler.next_tick()) and due[0].timestamp <= now:
            tick, api = due
            if not checked:
                self._scheduler.check_advance(tick.timestamp, now)
                checked = True
            chance = SeededRandom(
                self.options.seed, api, "tick", tick.key, tick.timestamp
            )
            for command in self._scheduler.commands_for(tick, api):
                # What cannot be done must not keep the world from being read.
                with suppress(FixtureError, UnknownName):
                    self._apply(command, tick.timestamp, chance)

    def _apply(
        self, command: Command, timestamp: int, random: RandomSource
    ) -> CommandResult:
        match command:
            case Define(api, name, node):
                scenario = compile_scenario(name, node, self._state(api).definitions)
                self._writable_state(api).define_scenario(scenario)
            case Advance(span):
                self._advance(span)
            case Reset():
                self.clock = self.clock.new_clock(
                    self.options.start_at, self.options.speed
                )
                self.log.clear()
                self._initialize()
            case _:
                state = self._state(command.api)
                outcome, effect = prepare(command, state, timestamp, random)
                if effect:
                    effect(self._writable_state(command.api))
                return outcome
        return None

    def _writable_state(self, api: str) -> State:
        """The state of an API, to be changed; the first state is shared."""
        state = self._state(api)
        if api not in self._private:
            self._private.add(api)
            state = self._states[api] = state.copy()
        self._scheduler.invalidate(api)
        return state


def _api_of(command: Command) -> str:
    return getattr(command, "api", "")


def _noop() -> None:
    """What a world's ``changed`` does until somebody waits for it."""
