"""Control of worlds: list, create, reset and delete them."""

from dataclasses import replace

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.hosts import DEFAULT_WORLD, WorldHost, Worlds
from soundstage.server.problems import Problem
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339, parse_rfc3339
from soundstage.world.world import WorldOptions


def build_handlers(worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of worlds."""

    def list_worlds(context: RequestContext) -> Response:
        base_url = context.base_url
        return Response({"worlds": [serialize_world(h, base_url) for h in worlds]})

    def create_world(context: RequestContext) -> Response:
        body = context.body
        options = _build_options(worlds.options, body)
        own_port = body.get("own_port", False)
        host = worlds.create(body["name"], options, own_port=own_port)
        return Response(serialize_world(host, context.base_url), 201)

    def get_world(context: RequestContext) -> Response:
        host = worlds.get_existing(context.parameters["world"])
        return Response(serialize_world(host, context.base_url))

    def reset_world(context: RequestContext) -> Response:
        host = worlds.get_existing(context.parameters["world"])
        host.reset()
        return Response(serialize_world(host, context.base_url))

    def delete_world(context: RequestContext) -> Response:
        name = context.parameters["world"]
        if name == DEFAULT_WORLD:
            raise Problem(409, "the default world cannot be deleted; reset it")
        worlds.delete(name)
        return Response(None, 204)

    return {
        "listWorlds": list_worlds,
        "createWorld": create_world,
        "getWorld": get_world,
        "resetWorld": reset_world,
        "deleteWorld": delete_world,
    }


def _build_options(defaults: WorldOptions, requested: JsonObject) -> WorldOptions:
    """Return the server's options with those of a request."""
    if "now" in requested:
        now = parse_rfc3339(requested["now"])
        defaults = replace(defaults, start_at=now, history_end=now)
    options = {name: requested[name] for name in ("seed", "speed") if name in requested}
    return replace(defaults, **options)


def serialize_world(host: WorldHost, base_url: str) -> JsonObject:
    """Serialize a world for the control API."""
    world = host.world
    url = f"{base_url}/~{host.name}"
    if host.port is not None:
        url = f"{base_url.rpartition(':')[0]}:{host.port}"
    return {
        "name": host.name,
        "seed": world.options.seed,
        "now": format_rfc3339(world.clock.now()),
        "speed": world.clock.speed,
        "origin": format_rfc3339(world.history_end),
        "commands": len(world.log),
        "url": base_url if host.name == DEFAULT_WORLD else url,
        "port": host.port,
    }
