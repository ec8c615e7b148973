"""The records of a world, and its scenarios: read and written by a test."""

import orjson

from soundstage.apis.registry import validate_scenario
from soundstage.server.background import BackgroundServer
from soundstage.server.hosts import WorldHost
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Define, Delete, Patch, Put


def copy_json(value: Json) -> Json:
    """A copy that nobody else holds: the worlds of a server share what they can."""
    return orjson.loads(orjson.dumps(value))


class WorldRecords:
    """Copies of records as of now, and changes from now on."""

    def __init__(self, server: BackgroundServer, world_host: WorldHost) -> None:
        self._server, self._world_host = server, world_host

    def get(self, api: str, collection: str, record_id: str) -> JsonObject | None:
        """One of them; None if it is not there. Raises ``Unknown``."""

        def find_record() -> JsonObject | None:
            world = self._world_host.world
            now = world.clock.now()
            return world.collection(api, collection).get(record_id, now)

        copy: JsonObject | None = copy_json(self._server.call(find_record))
        return copy

    def get_all(self, api: str, collection: str) -> list[JsonObject]:
        """Those that have begun, the oldest first. Raises ``Unknown``."""

        def find_records() -> list[JsonObject]:
            world = self._world_host.world
            return world.collection(api, collection).all(world.clock.now())

        copies: list[JsonObject] = copy_json(self._server.call(find_records))
        return copies

    def apply(self, command: Put | Patch | Delete) -> None:
        """Write one. Raises ``Unknown`` and ``FixtureError``."""
        self._server.call(lambda: self._world_host.world.apply(command))

    def define_scenario(self, api: str, name: str, scenario: JsonObject | str) -> None:
        """Add a scenario. Raises ``Unknown`` and ``DocumentError``."""

        def apply_definition() -> None:
            state = self._world_host.world.state(api)
            node = validate_scenario(name, scenario, state.fixture, state.definitions)
            self._world_host.world.apply(Define(api, name, node))

        self._server.call(apply_definition)
