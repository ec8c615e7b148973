"""The log: a world taken from one server to another."""

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.control.worlds import serialize_world
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.world.errors import WorldError


def handlers(worlds: Worlds) -> dict[str, Handler]:
    """Export and import of the world that is addressed."""

    def export_log(call: RequestContext) -> Response:
        return Response(call.world.exported())

    def import_log(call: RequestContext) -> Response:
        hosted = worlds.host_of(call.world)
        try:
            worlds.import_world(hosted, call.body)
        except (WorldError, ValueError, KeyError, TypeError) as error:
            raise Problem(409, f"this log cannot be replayed: {error}") from error
        return Response(serialize_world(hosted, call.base_url))

    return {"exportLog": export_log, "importLog": import_log}
