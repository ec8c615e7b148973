"""A world: seed + fixtures + clock + log. It changes only by applying commands."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from soundstage.types import Json
from soundstage.world.chance import Seeded
from soundstage.world.clock import EARLIEST, Clock
from soundstage.world.errors import Unknown
from soundstage.world.fixture import Fixture, Past
from soundstage.world.log import Advance, Command, Entry, Interrupt, Log, Reset, Start
from soundstage.world.record import Collection
from soundstage.world.timeline import Cue, Cut, Run, drawn, interrupted
from soundstage.world.value import Bare

LEAST_GAP = 1_000
"""The least ms between two runs of one history entry, so that it ends."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a world begins; ``now`` is the wall's instant when None."""

    seed: int = 0
    now: int | None = None
    speed: float = 1.0


class State:
    """What there is at one API: runs, and the collections that their records fill."""

    def __init__(self, fixture: Fixture, seed: int, origin: int) -> None:
        self.fixture = fixture
        self.runs: dict[str, Run] = {}
        kinds = fixture.script.vocabulary.kinds.values()
        self.collections = {kind.collection: Collection(kind) for kind in kinds}
        for record in fixture.records:
            self.collections[record.kind.collection].add(record)
        for i, past in enumerate(fixture.history):
            for run in _history(fixture, past, Seeded(seed, fixture.api, i), origin):
                self.add(run)

    def add(self, run: Run) -> None:
        """Take a run in, with those that it will start."""
        self.runs[run.id] = run
        for record in run.records:
            self.collections[record.kind.collection].add(record)
        for successor in run.successors:
            self.add(successor)

    def replace(self, old: Run, new: Run) -> None:
        """Put an interrupted run in the place of the one that would have been."""
        self.runs[new.id] = new
        kept = {record.id: record for record in new.records}
        had = {record.id for record in old.records}
        for record in old.records:
            self.collections[record.kind.collection].replace(
                record, kept.get(record.id)
            )
        for record in new.records:
            if record.id not in had:
                self.collections[record.kind.collection].add(record)
        for successor in old.successors:
            if successor not in new.successors:
                self._remove(successor)

    def _remove(self, run: Run) -> None:
        del self.runs[run.id]
        for record in run.records:
            self.collections[record.kind.collection].replace(record, None)
        for successor in run.successors:
            self._remove(successor)


class World:
    """All state behind one name.

    ``fixtures`` are by API. ``clock`` is one of the world's own unless a test hands in
    another.
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
        self.origin = self.clock.now()
        self._states = {
            api: State(fixture, self.opening.seed, self.origin)
            for api, fixture in self.fixtures.items()
        }

    def state(self, api: str) -> State:
        """What there is at this API. Raises ``Unknown``."""
        try:
            return self._states[api]
        except KeyError:
            raise Unknown("API", api, tuple(self._states)) from None

    def collection(self, api: str, name: str) -> Collection:
        """The records of one kind. Raises ``Unknown``."""
        collections = self.state(api).collections
        try:
            return collections[name]
        except KeyError:
            raise Unknown("collection", name, tuple(collections)) from None

    def apply(self, command: Command) -> Run | None:
        """Change the world, and log it if it could be done.

        Gives the run that was started or interrupted (None if it was over already).
        Raises ``Unknown`` for a name that is not there, ``ValueError`` for a span that
        the clock cannot go.
        """
        at = self.clock.now()
        run = self._apply(command, at)
        if not isinstance(command, Reset):
            self.log.append(Entry(at, command))
        return run

    def replay(self, entries: Iterable[Entry]) -> None:
        """Apply what was logged, each at its own instant; the clock must be frozen."""
        for entry in entries:
            self.clock.advance(entry.at - self.clock.now())
            self.apply(entry.command)

    def _apply(self, command: Command, at: int) -> Run | None:
        match command:
            case Start():
                return self._start(command, at)
            case Interrupt():
                return self._interrupt(command, at)
            case Advance(span):
                self.clock.advance(span)
            case Reset():
                self.clock = Clock(self.opening.now, self.opening.speed)
                self.log.clear()
                self._begin()
        return None

    def _start(self, command: Start, at: int) -> Run:
        state = self.state(command.api)
        script = state.fixture.script
        chance = Seeded(self.opening.seed, command.api, "start", len(self.log))
        task = command.task or next(iter(script.tasks), "")
        scenario = command.scenario or script.any_scenario(chance)
        run = drawn(script, Cue(task, scenario, at, names=command.names), chance)
        state.add(run)
        return run

    def _interrupt(self, command: Interrupt, at: int) -> Run | None:
        state = self.state(command.api)
        try:
            old = state.runs[command.run]
        except KeyError:
            raise Unknown("run", command.run) from None
        chance = Seeded(self.opening.seed, command.api, "interrupt", len(self.log))
        new = interrupted(state.fixture.script, old, Cut(command.ending, at), chance)
        if new is not None:
            state.replace(old, new)
        return new


def _history(
    fixture: Fixture, past: Past, chance: Seeded, origin: int
) -> Iterator[Run]:
    script = fixture.script
    scene = Bare(chance, origin)
    for at in sorted(_instants(past, scene, origin)):
        scene.at = at
        chosen = past.scenario(scene, None) if past.scenario else None
        names: dict[str, Json] = {n: v(scene, None) for n, v in past.names.items()}
        cue = Cue(past.task, chosen or script.any_scenario(chance), at, past.id, names)
        yield drawn(script, cue, chance)


def _instants(past: Past, scene: Bare, origin: int) -> Iterator[int]:
    if past.ago:
        yield max(origin - past.ago(scene, None), EARLIEST)
    if past.every and past.span:
        at = max(origin - past.span(scene, None), EARLIEST)
        while at < origin:
            yield at
            at += max(past.every(scene, None), LEAST_GAP)
