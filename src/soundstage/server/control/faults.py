"""Faults: list them, add some, take them away."""

from soundstage.apis.api import Answer, Call, Handler
from soundstage.server.faults import KINDS, options_schema
from soundstage.server.faults.rules import Rules
from soundstage.server.worlds import Worlds
from soundstage.types import Document


def handlers(hosts: Worlds) -> dict[str, Handler]:
    """What is done to the faults of the world that is addressed."""

    def rules(call: Call) -> Rules:
        return hosts.hosting(call.world).faults

    def list_faults(call: Call) -> Answer:
        there = [rule.as_json() for rule in rules(call)]
        return Answer({"faults": there, "kinds": _kinds()})

    def add_fault(call: Call) -> Answer:
        rule = rules(call).add(hosts.services, call.body)
        return Answer(rule.as_json(), 201)

    def remove_fault(call: Call) -> Answer:
        rules(call).remove(call.parameters["id"])
        return Answer(None, 204)

    def remove_faults(call: Call) -> Answer:
        rules(call).clear()
        return Answer(None, 204)

    return {
        "listFaults": list_faults,
        "addFault": add_fault,
        "removeFault": remove_fault,
        "removeFaults": remove_faults,
    }


def _kinds() -> list[Document]:
    return [
        {"name": kind.NAME, "about": kind.ABOUT, "options": options_schema(kind)}
        for kind in KINDS.values()
    ]
