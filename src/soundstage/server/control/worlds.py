"""Worlds: list, create, reset, delete."""

from dataclasses import replace

from soundstage.apis.api import Answer, Call, Handler
from soundstage.server.problems import Problem
from soundstage.server.worlds import DEFAULT, Hosted, Worlds
from soundstage.types import Document
from soundstage.world.clock import instant_of, rfc3339
from soundstage.world.world import Opening


def handlers(hosts: Worlds) -> dict[str, Handler]:
    """What is done to worlds."""

    def list_worlds(call: Call) -> Answer:
        return Answer({"worlds": [as_json(hosted, call.base_url) for hosted in hosts]})

    def create_world(call: Call) -> Answer:
        wanted = call.body
        opening = _opening(hosts.opening, wanted)
        own_port = wanted.get("own_port", False)
        hosted = hosts.create(wanted["name"], opening, own_port=own_port)
        return Answer(as_json(hosted, call.base_url), 201)

    def get_world(call: Call) -> Answer:
        hosted = hosts.named(call.parameters["world"])
        return Answer(as_json(hosted, call.base_url))

    def reset_world(call: Call) -> Answer:
        hosted = hosts.named(call.parameters["world"])
        hosted.reset()
        return Answer(as_json(hosted, call.base_url))

    def delete_world(call: Call) -> Answer:
        name = call.parameters["world"]
        if name == DEFAULT:
            raise Problem(409, "the default world stays; reset it")
        hosts.delete(name)
        return Answer(None, 204)

    return {
        "listWorlds": list_worlds,
        "createWorld": create_world,
        "getWorld": get_world,
        "resetWorld": reset_world,
        "deleteWorld": delete_world,
    }


def _opening(usual: Opening, wanted: Document) -> Opening:
    """The server's own opening, but for what is asked for."""
    if "now" in wanted:
        now = instant_of(wanted["now"])
        usual = replace(usual, now=now, origin=now)
    chosen = {name: wanted[name] for name in ("seed", "speed") if name in wanted}
    return replace(usual, **chosen)


def as_json(hosted: Hosted, base_url: str) -> Document:
    """A world as the control API shows it."""
    world = hosted.world
    url = f"{base_url}/~{hosted.name}"
    if hosted.port is not None:
        url = f"{base_url.rpartition(':')[0]}:{hosted.port}"
    return {
        "name": hosted.name,
        "seed": world.opening.seed,
        "now": rfc3339(world.clock.now()),
        "speed": world.clock.speed,
        "origin": rfc3339(world.origin),
        "commands": len(world.log),
        "url": base_url if hosted.name == DEFAULT else url,
        "port": hosted.port,
    }
