"""Export and import of a world's command log: takes a world to another server."""

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.control.worlds import serialize_world
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.world.errors import WorldError


def build_handlers(worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of the command log."""

    def export_log(context: RequestContext) -> Response:
        return Response(context.world.to_json())

    def import_log(context: RequestContext) -> Response:
        host = worlds.host_of(context.world)
        try:
            worlds.import_world(host, context.body)
        except (WorldError, ValueError, KeyError, TypeError) as error:
            raise Problem(409, f"this log cannot be replayed: {error}") from error
        return Response(serialize_world(host, context.base_url))

    return {"exportLog": export_log, "importLog": import_log}
