"""Worlds: list, create, reset, delete."""

from dataclasses import replace

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.hosts import DEFAULT_WORLD, WorldHost, Worlds
from soundstage.server.problems import Problem
from soundstage.types import Document
from soundstage.world.clock import instant_of, rfc3339
from soundstage.world.world import Opening


def handlers(worlds: Worlds) -> dict[str, Handler]:
    """What is done to worlds."""

    def list_worlds(call: RequestContext) -> Response:
        return Response(
            {"worlds": [serialize_world(hosted, call.base_url) for hosted in worlds]}
        )

    def create_world(call: RequestContext) -> Response:
        wanted = call.body
        opening = _build_options(worlds.options, wanted)
        own_port = wanted.get("own_port", False)
        hosted = worlds.create(wanted["name"], opening, own_port=own_port)
        return Response(serialize_world(hosted, call.base_url), 201)

    def get_world(call: RequestContext) -> Response:
        hosted = worlds.get_existing(call.parameters["world"])
        return Response(serialize_world(hosted, call.base_url))

    def reset_world(call: RequestContext) -> Response:
        hosted = worlds.get_existing(call.parameters["world"])
        hosted.reset()
        return Response(serialize_world(hosted, call.base_url))

    def delete_world(call: RequestContext) -> Response:
        name = call.parameters["world"]
        if name == DEFAULT_WORLD:
            raise Problem(409, "the default world stays; reset it")
        worlds.delete(name)
        return Response(None, 204)

    return {
        "listWorlds": list_worlds,
        "createWorld": create_world,
        "getWorld": get_world,
        "resetWorld": reset_world,
        "deleteWorld": delete_world,
    }


def _build_options(defaults: Opening, requested: Document) -> Opening:
    """The server's own opening, but for what is asked for."""
    if "now" in requested:
        now = instant_of(requested["now"])
        defaults = replace(defaults, now=now, origin=now)
    chosen = {name: requested[name] for name in ("seed", "speed") if name in requested}
    return replace(defaults, **chosen)


def serialize_world(host: WorldHost, base_url: str) -> Document:
    """A world as the control API shows it."""
    world = host.world
    url = f"{base_url}/~{host.name}"
    if host.port is not None:
        url = f"{base_url.rpartition(':')[0]}:{host.port}"
    return {
        "name": host.name,
        "seed": world.opening.seed,
        "now": rfc3339(world.clock.now()),
        "speed": world.clock.speed,
        "origin": rfc3339(world.origin),
        "commands": len(world.log),
        "url": base_url if host.name == DEFAULT_WORLD else url,
        "port": host.port,
    }
