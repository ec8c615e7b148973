"""A run that a test has started."""

from datetime import datetime

from soundstage.server.worlds import Hosted
from soundstage.testing.clock import as_datetime
from soundstage.testing.records import own
from soundstage.testing.server import Server
from soundstage.types import Document, Json
from soundstage.world.log import Interrupt
from soundstage.world.timeline import Run as Timeline


class Run:
    """A run; what can be asked of it is as of now."""

    def __init__(
        self, server: Server, hosted: Hosted, api: str, timeline: Timeline
    ) -> None:
        self._server, self._hosted, self._timeline = server, hosted, timeline
        self.api = api
        self.id = timeline.id
        self.task = timeline.task
        self.scenario = timeline.scenario
        self.at: datetime = as_datetime(timeline.at)

    def __repr__(self) -> str:
        return f"<Run {self.id} of {self.api}: {self.scenario}>"

    @property
    def record(self) -> Document:
        """Its own record, a copy; empty if somebody deleted it."""
        return self.show()

    @property
    def over(self) -> bool:
        """Whether its record is in a state that nothing follows."""
        return self._server.do(self._over)

    def end(self, ending: str, **names: Json) -> Document:
        """Replace the rest of it by an ending of the fixture; gives its record.

        ``names`` win over what the ending draws. Nothing happens to a run that is over,
        or in a state that the ending is not for. Raises ``Unknown``.
        """
        command = Interrupt(self.api, self.id, ending, names)
        self._server.do(lambda: self._hosted.world.apply(command))
        return self.record

    def show(self) -> Document:
        """The record, for a message."""
        found: Document = own(self._server.do(self._record))
        return found

    def next_change(self) -> int | None:
        """The next instant at which its own record changes; None if never."""
        world = self._hosted.world

        def upcoming() -> int | None:
            kind = self._timeline.records[0].kind
            record = world.collection(self.api, kind.collection).record(self.id)
            return record.next_after(world.clock.now()) if record else None

        return self._server.do(upcoming)

    def _record(self) -> Document:
        world = self._hosted.world
        kind = self._timeline.records[0].kind
        collection = world.collection(self.api, kind.collection)
        return collection.get(self.id, world.clock.now()) or {}

    def _over(self) -> bool:
        script = self._hosted.world.state(self.api).script
        return script.is_final(self._record())
