"""A world: seed, fixtures, clock and log. It changes only by applying commands."""

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
from soundstage.world.fixture import compile_scenario
from soundstage.world.initial_state import InitialState, initial_state
from soundstage.world.random import RandomSource, SeededRandom
from soundstage.world.record import Record
from soundstage.world.runs import Run
from soundstage.world.scheduler import Scheduler
from soundstage.world.state import Fixture, State


@dataclass(frozen=True, slots=True)
class WorldOptions:
    """Options of a new world.

    ``start_at`` is the first timestamp of its clock, by default the wall clock's.
    ``history_end`` is by default the first timestamp of the clock; worlds of one server
    have the same, and so share the generated history. ``speed`` is that of the clock.
    """

    seed: int = 0
    start_at: int | None = None
    speed: float = 1.0
    history_end: int | None = None


class World:
    """The whole state behind one name.

    ``fixtures`` are by API. ``clock`` is a new one by default. ``on_change`` is called
    after every command and change of speed.

    >>> from soundstage.world.commands import Advance
    >>> world = World({}, WorldOptions(start_at=0, speed=0))
    >>> world.apply(Advance(250))
    >>> world.now(), len(world.log)
    (250, 1)
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
        history_end = self.options.history_end
        self.history_end = self.clock.now() if history_end is None else history_end
        self.started_at = self.clock.now()
        self._states: dict[str, State] = {}
        # The APIs whose state is no longer shared with other worlds.
        self._private: set[str] = set()
        self._random_commands = 0
        schedules = {n: f.schedule for n, f in self.fixtures.items() if f.schedule}
        self._scheduler = Scheduler(
            schedules, self.history_end, self.current_state, self._schedule_view
        )

    def now(self) -> int:
        """Return the present timestamp, after all ticks that are due.

        Raises ``ClockJumpTooLarge``.
        """
        now = self.clock.now()
        if self._scheduler.is_due(now):
            self._run_due_ticks(now)
        return now

    def state(self, api: str) -> State:
        """Return the present state of an API, for reading. Raises ``UnknownName``."""
        self.now()
        return self.current_state(api)

    def current_state(self, api: str) -> State:
        """Return the state of an API, without ticks that fell due since ``now`` was read.

        Raises ``UnknownName``.
        """
        state = self._states.get(api)
        if state is None:
            if api not in self.fixtures:
                raise UnknownName("API", api, tuple(self.fixtures))
            state = self._states[api] = self.initial_state(api).state()
        return state

    def _schedule_view(self, api: str) -> State | InitialState:
        return self._states.get(api) or self.initial_state(api)

    def initial_state(self, api: str) -> InitialState:
        """Return the initial state of an API, which may take long to generate."""
        return initial_state(
            self.fixtures[api],
            self.options.seed,
            self.history_end,
            eager=self.started_at < self.history_end,
        )

    def collection(self, api: str, name: str) -> Collection:
        """Return the records of one type. Raises ``UnknownName``."""
        return self.state(api).collection(name)

    def next_change(self) -> int | None:
        """Return when anything changes next without a command; None if never."""
        now = self.now()
        upcoming = [self.current_state(api).next_change(now) for api in self.fixtures]
        if due := self._scheduler.next_tick():
            upcoming.append(due[0].timestamp)
        return min((at for at in upcoming if at is not None), default=None)

    def command_random(self, api: str) -> RandomSource:
        """Return a random source to build the next command; a new one for each."""
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
        """Apply a command, and log it if it is valid.

        Returns the started or interrupted run (None if it had ended), or the changed
        record. Raises ``UnknownName`` for an unknown name, ``FixtureError`` for a
        violation of lifecycle or contract, ``ValueError`` for a duration that the clock
        cannot advance by, and for a plan of no run.
        """
        # A reset must not run the ticks that are due, since it undoes them.
        timestamp = self.clock.now() if isinstance(command, Reset) else self.now()
        api = _api_of(command)
        random = SeededRandom(self.options.seed, api, "draws", self._random_commands)
        result = self._apply(command, timestamp, random)
        self._scheduler.reschedule(api, timestamp)
        # How often the clock was advanced must not change what is generated.
        self._random_commands += not isinstance(command, Advance | Reset)
        if not isinstance(command, Reset):
            self.log.append(LogEntry(timestamp, command))
        self.on_change()
        return result

    def set_speed(self, speed: float) -> None:
        """Set the speed of the clock. Raises ``ValueError``."""
        self.now()
        self.clock.set_speed(speed)
        self.on_change()

    def replay(self, entries: Iterable[LogEntry]) -> None:
        """Apply log entries at their timestamps; the clock must be frozen."""
        for entry in entries:
            self._advance(entry.timestamp - self.clock.now())
            self.apply(entry.command)

    def to_json(self) -> JsonObject:
        """Serialize seed, clock and log; with the fixtures, they determine a world."""
        return {
            "seed": self.options.seed,
            "origin": self.history_end,
            "began": self.started_at,
            "now": self.clock.now(),
            "speed": self.clock.speed,
            "log": [serialize_entry(entry) for entry in self.log],
        }

    @classmethod
    def from_json(cls, fixtures: Mapping[str, Fixture], document: JsonObject) -> "World":
        """Create the world that was serialized, from the same fixtures.

        Raises ``WorldError`` and ``ValueError`` for a log that cannot be replayed.
        """
        started_at = document["began"]
        options = WorldOptions(document["seed"], started_at, document["speed"], document["origin"])
        # Frozen during the replay: every command has its own timestamp.
        world = cls(fixtures, options, Clock(started_at, 0))
        world.replay(parse_entry(node) for node in document["log"])
        world._advance(document["now"] - world.clock.now())
        world.set_speed(document["speed"])
        return world

    def _advance(self, duration: int) -> None:
        """Advance the clock. Raises ``ValueError``, before it has moved."""
        now = self.now()
        # Beyond the last timestamp, the clock raises the better error.
        if now + duration <= MAX_TIMESTAMP:
            self._scheduler.check_advance(now, now + duration)
        self.clock.advance(duration)

    def _run_due_ticks(self, now: int) -> None:
        """Apply the ticks that are due, in order. Raises ``ClockJumpTooLarge``."""
        checked = False
        while (due := self._scheduler.next_tick()) and due[0].timestamp <= now:
            tick, api = due
            if not checked:
                self._scheduler.check_advance(tick.timestamp, now)
                checked = True
            random = SeededRandom(self.options.seed, api, "tick", tick.key, tick.timestamp)
            for command in self._scheduler.commands_for(tick, api):
                # An invalid command of a tick must not make the world unreadable.
                with suppress(FixtureError, UnknownName):
                    self._apply(command, tick.timestamp, random)

    def _apply(self, command: Command, timestamp: int, random: RandomSource) -> CommandResult:
        match command:
            case Define(api, name, node):
                scenario = compile_scenario(name, node, self.current_state(api).definitions)
                self._writable_state(api).define_scenario(scenario)
            case Advance(duration):
                self._advance(duration)
            case Reset():
                options = self.options
                self.clock = self.clock.new_clock(options.start_at, options.speed)
                self.log.clear()
                self._initialize()
            case _:
                state = self.current_state(command.api)
                result, change = prepare(command, state, timestamp, random)
                if change:
                    change(self._writable_state(command.api))
                return result
        return None

    def _writable_state(self, api: str) -> State:
        """Return the state of an API for a change; the initial state is shared."""
        state = self.current_state(api)
        if api not in self._private:
            self._private.add(api)
            state = self._states[api] = state.copy()
        self._scheduler.invalidate(api)
        return state


def _api_of(command: Command) -> str:
    return getattr(command, "api", "")


def _noop() -> None:
    """Do nothing: the ``on_change`` of a world that no request waits for."""
