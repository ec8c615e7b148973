"""A world: seed + fixtures + clock + log. It changes only by applying commands."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import overload

from soundstage.types import JsonObject
from soundstage.world.clock import LATEST, Clock
from soundstage.world.collection import Collection
from soundstage.world.commands import (
    Advance,
    Command,
    Define,
    Delete,
    Entry,
    Interrupt,
    Log,
    Patch,
    Plan,
    Put,
    Reset,
    Start,
    entry_as_json,
    entry_of,
)
from soundstage.world.errors import FixtureError, Unknown
from soundstage.world.execute import Outcome, effect_of
from soundstage.world.fixture import Fixture, compile_scenario
from soundstage.world.history import Beginning, beginning
from soundstage.world.random import Chance, Seeded
from soundstage.world.record import Record
from soundstage.world.runs import Run
from soundstage.world.scheduler import Agenda
from soundstage.world.state import State


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
    in another. ``changed`` is called after every command and change of speed.
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
        self.changed: Callable[[], None] = _nobody_waits
        self._begin()

    def _begin(self) -> None:
        origin = self.opening.origin
        self.origin = self.clock.now() if origin is None else origin
        self.began = self.clock.now()
        self._states: dict[str, State] = {}
        self._own_states: set[str] = set()
        self._draws = 0  # commands so far that may have draws; each has its own
        schedules = {n: f.schedule for n, f in self.fixtures.items() if f.schedule}
        self._agenda = Agenda(schedules, self.origin, self._state, self._overview)

    def now(self) -> int:
        """The present instant, with all done that was due by then.

        Raises ``TooFar``.
        """
        now = self.clock.now()
        if self._agenda.is_due(now):
            self._carry_on(now)
        return now

    def state(self, api: str) -> State:
        """What there is at this API by now, to be read. Raises ``Unknown``."""
        self.now()
        return self._state(api)

    def _state(self, api: str) -> State:
        state = self._states.get(api)
        if state is None:
            if api not in self.fixtures:
                raise Unknown("API", api, tuple(self.fixtures))
            state = self._states[api] = self.beginning(api).state()
        return state

    def _overview(self, api: str) -> State | Beginning:
        return self._states.get(api) or self.beginning(api)

    def beginning(self, api: str) -> Beginning:
        """What this API begins with, which may take a while to draw."""
        fixture, seed = self.fixtures[api], self.opening.seed
        return beginning(fixture, seed, self.origin, whole=self.began < self.origin)

    def collection(self, api: str, name: str) -> Collection:
        """The records of one kind. Raises ``Unknown``."""
        return self.state(api).collection(name)

    def next_change(self) -> int | None:
        """The next instant at which anything changes by itself; None if never."""
        now = self.now()
        upcoming = [self._state(api).next_change(now) for api in self.fixtures]
        if due := self._agenda.next():
            upcoming.append(due[0].at)
        return min((at for at in upcoming if at is not None), default=None)

    def chance(self, api: str) -> Chance:
        """Draws for whoever makes the next command; others after every command."""
        return Seeded(self.opening.seed, api, "command", self._draws)

    @overload
    def apply(self, command: Start) -> Run: ...
    @overload
    def apply(self, command: Interrupt) -> Run | None: ...
    @overload
    def apply(self, command: Put | Patch | Delete) -> Record: ...
    @overload
    def apply(self, command: Plan | Define | Advance | Reset) -> None: ...
    @overload
    def apply(self, command: Command) -> Outcome: ...

    def apply(self, command: Command) -> Outcome:
        """Change the world, and log it if it could be done.

        Gives the run that was started or interrupted (None if it was over already), or
        the record that was changed. Raises ``Unknown`` for a name that is not there,
        ``FixtureError`` for what lifecycle or contract forbid, ``ValueError`` for a
        span that the clock cannot go, and for a plan for no run.
        """
        at = self.clock.now() if isinstance(command, Reset) else self.now()
        chance = Seeded(self.opening.seed, _api_of(command), "draws", self._draws)
        outcome = self._apply(command, at, chance)
        self._agenda.commanded(_api_of(command), at)
        # How often the clock was turned does not decide what is drawn.
        self._draws += not isinstance(command, Advance | Reset)
        if not isinstance(command, Reset):
            self.log.append(Entry(at, command))
        self.changed()
        return outcome

    def run_at(self, speed: float) -> None:
        """Let the clock follow the wall at this speed. Raises ``ValueError``."""
        self.now()
        self.clock.run_at(speed)
        self.changed()

    def replay(self, entries: Iterable[Entry]) -> None:
        """Apply what was logged, each at its own instant; the clock must be frozen."""
        for entry in entries:
            self._leap(entry.at - self.clock.now())
            self.apply(entry.command)

    def exported(self) -> JsonObject:
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
    def imported(cls, fixtures: Mapping[str, Fixture], document: JsonObject) -> "World":
        """The world that was exported, from the same fixtures.

        Raises ``WorldError`` and ``ValueError`` for a log that cannot be replayed.
        """
        origin = document["origin"]
        began = document["began"]
        opening = Opening(document["seed"], began, document["speed"], origin)
        world = cls(fixtures, opening, Clock(began, 0))
        world.replay(entry_of(node) for node in document["log"])
        world._leap(document["now"] - world.clock.now())
        world.run_at(document["speed"])
        return world

    def _leap(self, span: int) -> None:
        """Turn the clock. Raises ``ValueError``, before it has moved."""
        now = self.now()
        if now + span <= LATEST:  # else the clock knows better why not
            self._agenda.check_leap(now, now + span)
        self.clock.advance(span)

    def _carry_on(self, now: int) -> None:
        """Do what was due since, in the order of time. Raises ``TooFar``."""
        checked = False
        while (due := self._agenda.next()) and due[0].at <= now:
            tick, api = due
            if not checked:
                self._agenda.check_leap(tick.at, now)
                checked = True
            chance = Seeded(self.opening.seed, api, "tick", tick.key, tick.at)
            for command in self._agenda.commands_of(tick, api):
                # What cannot be done must not keep the world from being read.
                with suppress(FixtureError, Unknown):
                    self._apply(command, tick.at, chance)

    def _apply(self, command: Command, at: int, chance: Chance) -> Outcome:
        match command:
            case Define(api, name, node):
                scenario = compile_scenario(name, node, self._state(api).script)
                self._own(api).define(scenario)
            case Advance(span):
                self._leap(span)
            case Reset():
                self.clock = self.clock.again(self.opening.now, self.opening.speed)
                self.log.clear()
                self._begin()
            case _:
                state = self._state(command.api)
                outcome, effect = effect_of(command, state, at, chance)
                if effect:
                    effect(self._own(command.api))
                return outcome
        return None

    def _own(self, api: str) -> State:
        """The state of an API, to be changed; the first state is shared."""
        state = self._state(api)
        if api not in self._own_states:
            self._own_states.add(api)
            state = self._states[api] = state.copy()
        self._agenda.changed(api)
        return state


def _api_of(command: Command) -> str:
    return getattr(command, "api", "")


def _nobody_waits() -> None:
    """What a world's ``changed`` does until somebody waits for it."""
