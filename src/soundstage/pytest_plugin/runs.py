"""A run that a test has started."""

from datetime import datetime

from soundstage.pytest_plugin.clock import as_datetime
from soundstage.pytest_plugin.records import copy_json
from soundstage.server.background import BackgroundServer
from soundstage.server.hosts import WorldHost
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Interrupt
from soundstage.world.runs import Run as Timeline


class Run:
    """A run; what can be asked of it is as of now."""

    def __init__(
        self,
        server: BackgroundServer,
        world_host: WorldHost,
        api: str,
        world_run: Timeline,
    ) -> None:
        self._server, self._world_host, self._timeline = server, world_host, world_run
        self.api = api
        self.id = world_run.id
        self.task = world_run.task
        self.scenario = world_run.scenario
        self.at: datetime = as_datetime(world_run.started_at)

    def __repr__(self) -> str:
        return f"<Run {self.id} of {self.api}: {self.scenario}>"

    @property
    def record(self) -> JsonObject:
        """Its own record, a copy; empty if somebody deleted it."""
        return self.copy_record()

    @property
    def over(self) -> bool:
        """Whether its record is in a state that nothing follows."""
        return self._server.call(self._is_over)

    def end(self, ending: str, **names: Json) -> JsonObject:
        """Replace the rest of it by an ending of the fixture; gives its record.

        ``names`` win over what the ending draws. Nothing happens to a run that is over,
        or in a state that the ending is not for. Raises ``Unknown``.
        """
        command = Interrupt(self.api, self.id, ending, names)
        self._server.call(lambda: self._world_host.world.apply(command))
        return self.record

    def copy_record(self) -> JsonObject:
        """The record, for a message."""
        found: JsonObject = copy_json(self._server.call(self._get_record))
        return found

    def get_next_change(self) -> int | None:
        """The next instant at which its own record changes; None if never."""
        world = self._world_host.world

        def find_next_change() -> int | None:
            kind = self._timeline.records[0].record_type
            record = world.collection(self.api, kind.collection).get_record(self.id)
            return record.next_change(world.clock.now()) if record else None

        return self._server.call(find_next_change)

    def _get_record(self) -> JsonObject:
        world = self._world_host.world
        kind = self._timeline.records[0].record_type
        collection = world.collection(self.api, kind.collection)
        return collection.get(self.id, world.clock.now()) or {}

    def _is_over(self) -> bool:
        script = self._world_host.world.state(self.api).definitions
        return script.is_final(self._get_record())
