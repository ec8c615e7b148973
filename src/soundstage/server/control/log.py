"""The log: a world taken from one server to another."""

from soundstage.apis.api import Answer, Call, Handler
from soundstage.server.control.worlds import as_json
from soundstage.server.problems import Problem
from soundstage.server.worlds import Worlds
from soundstage.world.errors import WorldError


def handlers(hosts: Worlds) -> dict[str, Handler]:
    """Export and import of the world that is addressed."""

    def export_log(call: Call) -> Answer:
        return Answer(call.world.exported())

    def import_log(call: Call) -> Answer:
        hosted = hosts.hosting(call.world)
        try:
            hosts.restore(hosted, call.body)
        except (WorldError, ValueError, KeyError, TypeError) as error:
            raise Problem(409, f"this log cannot be replayed: {error}") from error
        return Answer(as_json(hosted, call.base_url))

    return {"exportLog": export_log, "importLog": import_log}
