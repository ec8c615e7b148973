"""The journal: read, exported, asked, forgotten; and what it says of the contracts."""

from soundstage.apis.api import Answer, Call, Handler
from soundstage.server.control import shown
from soundstage.server.journal.difference import Wanted, wanted
from soundstage.server.journal.entry import Entry
from soundstage.server.journal.journal import Journal
from soundstage.server.journal.verification import Verdict, called, in_order, never
from soundstage.server.problems import Problem
from soundstage.server.worlds import Worlds
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of


def handlers(hosts: Worlds) -> dict[str, Handler]:
    """What is asked of the journal of the world that is addressed."""

    def journal(call: Call) -> Journal:
        return hosts.hosting(call.world).journal

    def clear_journal(call: Call) -> Answer:
        journal(call).clear()
        return Answer(None, 204)

    def export_har(call: Call) -> Answer:
        from soundstage.server.journal.har import har_of

        return Answer(har_of(_chosen(call, journal(call))))

    def verify_journal(call: Call) -> Answer:
        verdict = _verdict(hosts, journal(call).entries(), call.body)
        return Answer({"ok": verdict.ok, "text": verdict.text})

    def get_coverage(call: Call) -> Answer:
        contracts = [service.contract for service in hosts.services.values()]
        everywhere = call.parameters["worlds"] == "all"
        coverage = hosts.coverage() if everywhere else journal(call).coverage
        return Answer(shown.coverage(coverage.of(contracts)))

    return {
        "listJournal": lambda call: _listed(call, journal(call)),
        "clearJournal": clear_journal,
        "exportHar": export_har,
        "verifyJournal": verify_journal,
        "listViolations": lambda call: _violations(call, journal(call)),
        "getCoverage": get_coverage,
    }


def _listed(call: Call, journal: Journal) -> Answer:
    found = _chosen(call, journal)
    last = found[-call.parameters["limit"] :]
    return Answer({"entries": [shown.whole(e) for e in last], "total": len(found)})


def _violations(call: Call, journal: Journal) -> Answer:
    found = _chosen(call, journal, violating=True)
    last = found[-call.parameters["limit"] :]
    return Answer({"entries": [shown.violating(e) for e in last], "total": len(found)})


def _chosen(call: Call, journal: Journal, *, violating: bool = False) -> list[Entry]:
    given = call.parameters
    since, until = given.get("since"), given.get("until")
    return journal.entries(
        api=given.get("api"),
        operation=given.get("operation"),
        status=given.get("status"),
        since=None if since is None else instant_of(since),
        until=None if until is None else instant_of(until),
        violating=violating,
    )


def _verdict(hosts: Worlds, entries: list[Entry], question: Document) -> Verdict:
    match question:
        case {"called": node}:
            times, at_least = node.get("times"), node.get("at_least", 1)
            one = wanted_call(hosts, node)
            return called(entries, one, times=times, at_least=at_least)
        case {"never": node}:
            return never(entries, wanted_call(hosts, node))
        case {"in_order": nodes}:
            return in_order(entries, [wanted_call(hosts, node) for node in nodes])
    raise Problem(400, 'ask for "called", "never" or "in_order"')


def wanted_call(hosts: Worlds, node: Json) -> Wanted:
    """A call as the question has it. Raises ``Problem`` if nobody can make it."""
    if isinstance(node, str):
        node = {"operation": node}
    operation, api = node["operation"], node.get("api")
    there = {
        (name, known)
        for name, service in hosts.services.items()
        for known in service.contract.operations
        if api in {None, name}
    }
    if operation not in {known for _, known in there}:
        names = ", ".join(sorted(known for _, known in there)) or "none"
        of = f" of {api}" if api else ""
        raise Problem(404, f"{operation!r} is no operation{of}; there is {names}")
    return wanted(operation, node.get("with"), api)
