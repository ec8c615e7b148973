"""Runs that a test starts."""

from datetime import datetime

from soundstage.pytest_plugin.clock import as_datetime
from soundstage.pytest_plugin.records import copy_json
from soundstage.server.background import BackgroundWorld
from soundstage.types import Json, JsonObject
from soundstage.world import runs
from soundstage.world.commands import Interrupt
from soundstage.world.world import World


class Run:
    """A run of a world; its properties are read at the current virtual time."""

    def __init__(self, world: BackgroundWorld, api: str, run: runs.Run) -> None:
        self._world, self._run = world, run
        self.api = api
        self.id = run.id
        self.task = run.task
        self.scenario = run.scenario
        self.at: datetime = as_datetime(run.started_at)

    def __repr__(self) -> str:
        return f"<Run {self.id} of {self.api}: {self.scenario}>"

    @property
    def record(self) -> JsonObject:
        """A copy of the run's record; empty if it was deleted."""
        copy: JsonObject = copy_json(self._world.call(self._find_record))
        return copy

    @property
    def over(self) -> bool:
        """Whether the run's record is in a final state."""
        return self._world.call(self._is_over)

    def end(self, ending: str, **names: Json) -> JsonObject:
        """Interrupt the run with an ending of the fixture; returns its record.

        ``names`` override the variables that the ending generates. Has no effect if
        the run is over or the ending does not apply to its state. Raises
        ``UnknownName``.
        """
        command = Interrupt(self.api, self.id, ending, names)
        self._world.call(lambda world: world.apply(command))
        return self.record

    def get_next_change(self) -> int | None:
        """Return the time of the next change of the record, None if it is final."""

        def find_next_change(world: World) -> int | None:
            collection = world.collection(self.api, self._collection)
            record = collection.get_record(self.id)
            return record.next_change(world.clock.now()) if record else None

        return self._world.call(find_next_change)

    @property
    def _collection(self) -> str:
        return self._run.records[0].record_type.collection

    def _find_record(self, world: World) -> JsonObject:
        collection = world.collection(self.api, self._collection)
        return collection.get(self.id, world.clock.now()) or {}

    def _is_over(self, world: World) -> bool:
        return world.state(self.api).definitions.is_final(self._find_record(world))
