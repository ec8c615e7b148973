"""Control of fault rules: list, add and remove them."""

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.faults import FAULT_KINDS, options_schema
from soundstage.server.faults.rules import FaultRules
from soundstage.server.hosts import Worlds
from soundstage.types import JsonObject


def build_handlers(worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of fault rules."""

    def get_rules(context: RequestContext) -> FaultRules:
        return worlds.host_of(context.world).faults

    def list_faults(context: RequestContext) -> Response:
        rules = [rule.as_json() for rule in get_rules(context)]
        return Response({"faults": rules, "kinds": _list_kinds()})

    def add_fault(context: RequestContext) -> Response:
        rule = get_rules(context).add(worlds.services, context.body)
        return Response(rule.as_json(), 201)

    def remove_fault(context: RequestContext) -> Response:
        get_rules(context).remove(context.parameters["id"])
        return Response(None, 204)

    def remove_faults(context: RequestContext) -> Response:
        get_rules(context).clear()
        return Response(None, 204)

    return {
        "listFaults": list_faults,
        "addFault": add_fault,
        "removeFault": remove_fault,
        "removeFaults": remove_faults,
    }


def _list_kinds() -> list[JsonObject]:
    return [
        {"name": kind.NAME, "about": kind.DESCRIPTION, "options": options_schema(kind)}
        for kind in FAULT_KINDS.values()
    ]
