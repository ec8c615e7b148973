"""Faults: list them, add some, take them away."""

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.faults import FAULT_KINDS, options_schema
from soundstage.server.faults.rules import FaultRules
from soundstage.server.hosts import Worlds
from soundstage.types import Document


def handlers(worlds: Worlds) -> dict[str, Handler]:
    """What is done to the faults of the world that is addressed."""

    def rules(call: RequestContext) -> FaultRules:
        return worlds.host_of(call.world).faults

    def list_faults(call: RequestContext) -> Response:
        there = [rule.as_json() for rule in rules(call)]
        return Response({"faults": there, "kinds": _list_kinds()})

    def add_fault(call: RequestContext) -> Response:
        rule = rules(call).add(worlds.services, call.body)
        return Response(rule.as_json(), 201)

    def remove_fault(call: RequestContext) -> Response:
        rules(call).remove(call.parameters["id"])
        return Response(None, 204)

    def remove_faults(call: RequestContext) -> Response:
        rules(call).clear()
        return Response(None, 204)

    return {
        "listFaults": list_faults,
        "addFault": add_fault,
        "removeFault": remove_fault,
        "removeFaults": remove_faults,
    }


def _list_kinds() -> list[Document]:
    return [
        {"name": kind.NAME, "about": kind.DESCRIPTION, "options": options_schema(kind)}
        for kind in FAULT_KINDS.values()
    ]
