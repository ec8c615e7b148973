"""Records and scenarios of a world, as a test reads and writes them."""

import orjson

from soundstage.apis.registry import validate_scenario
from soundstage.server.background import BackgroundWorld
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Define, Delete, Patch, Put
from soundstage.world.world import World


def copy_json(value: Json) -> Json:
    """Copy a JSON value deeply, as the worlds of a server share their values."""
    return orjson.loads(orjson.dumps(value))


class WorldRecords:
    """Copies of the current records of a world, and commands that change them."""

    def __init__(self, world: BackgroundWorld) -> None:
        self._world = world

    def get(self, api: str, collection: str, record_id: str) -> JsonObject | None:
        """Return a copy of a record, None if absent. Raises ``UnknownName``."""

        def find_record(world: World) -> JsonObject | None:
            return world.collection(api, collection).get(record_id, world.clock.now())

        copy: JsonObject | None = copy_json(self._world.call(find_record))
        return copy

    def get_all(self, api: str, collection: str) -> list[JsonObject]:
        """Return copies of all records, oldest first. Raises ``UnknownName``."""

        def find_records(world: World) -> list[JsonObject]:
            return world.collection(api, collection).all(world.clock.now())

        copies: list[JsonObject] = copy_json(self._world.call(find_records))
        return copies

    def apply(self, command: Put | Patch | Delete) -> None:
        """Change a record. Raises ``UnknownName`` and ``FixtureError``."""
        self._world.call(lambda world: world.apply(command))

    def define_scenario(self, api: str, name: str, scenario: JsonObject | str) -> None:
        """Add a scenario. Raises ``UnknownName`` and ``DocumentError``."""

        def apply_definition(world: World) -> None:
            state = world.state(api)
            node = validate_scenario(name, scenario, state.fixture, state.definitions)
            world.apply(Define(api, name, node))

        self._world.call(apply_definition)
