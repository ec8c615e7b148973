"""The records of a world, and its scenarios: read and written by a test."""

import orjson

from soundstage.apis.service import checked_scenario
from soundstage.server.worlds import Hosted
from soundstage.testing.server import Server
from soundstage.types import Document, Json
from soundstage.world.log import Define, Delete, Patch, Put


def own(value: Json) -> Json:
    """A copy that nobody else holds: the worlds of a server share what they can."""
    return orjson.loads(orjson.dumps(value))


class Records:
    """Copies of records as of now, and changes from now on."""

    def __init__(self, server: Server, hosted: Hosted) -> None:
        self._server, self._hosted = server, hosted

    def get(self, api: str, collection: str, record_id: str) -> Document | None:
        """One of them; None if it is not there. Raises ``Unknown``."""

        def found() -> Document | None:
            world = self._hosted.world
            now = world.clock.now()
            return world.collection(api, collection).get(record_id, now)

        copy: Document | None = own(self._server.do(found))
        return copy

    def all(self, api: str, collection: str) -> list[Document]:
        """Those that have begun, the oldest first. Raises ``Unknown``."""

        def found() -> list[Document]:
            world = self._hosted.world
            return world.collection(api, collection).all(world.clock.now())

        copies: list[Document] = own(self._server.do(found))
        return copies

    def change(self, command: Put | Patch | Delete) -> None:
        """Write one. Raises ``Unknown`` and ``FixtureError``."""
        self._server.do(lambda: self._hosted.world.apply(command))

    def define(self, api: str, name: str, scenario: Document | str) -> None:
        """Add a scenario. Raises ``Unknown`` and ``DocumentError``."""

        def defined() -> None:
            state = self._hosted.world.state(api)
            node = checked_scenario(name, scenario, state.fixture, state.script)
            self._hosted.world.apply(Define(api, name, node))

        self._server.do(defined)
