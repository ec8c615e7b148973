"""The journal: read, exported, asked, forgotten; and what it says of the contracts."""

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.expectations import (
    ExpectedCall,
    VerificationResult,
    build_expected_call,
    verify_called,
    verify_in_order,
    verify_never_called,
)
from soundstage.server.control import serializers
from soundstage.server.hosts import Worlds
from soundstage.server.journal import Journal
from soundstage.server.problems import Problem
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of


def handlers(worlds: Worlds) -> dict[str, Handler]:
    """What is asked of the journal of the world that is addressed."""

    def journal(call: RequestContext) -> Journal:
        return worlds.host_of(call.world).journal

    def clear_journal(call: RequestContext) -> Response:
        journal(call).clear()
        return Response(None, 204)

    def export_har(call: RequestContext) -> Response:
        from soundstage.exchange.har import build_har

        return Response(build_har(_filter_entries(call, journal(call))))

    def verify_journal(call: RequestContext) -> Response:
        verdict = _verify(worlds, journal(call).entries(), call.body)
        return Response({"ok": verdict.ok, "text": verdict.text})

    def get_coverage(call: RequestContext) -> Response:
        contracts = [service.contract for service in worlds.services.values()]
        everywhere = call.parameters["worlds"] == "all"
        coverage = worlds.coverage() if everywhere else journal(call).coverage
        return Response(serializers.serialize_coverage(coverage.summarize(contracts)))

    return {
        "listJournal": lambda call: _list_exchanges(call, journal(call)),
        "clearJournal": clear_journal,
        "exportHar": export_har,
        "verifyJournal": verify_journal,
        "listViolations": lambda call: _list_violations(call, journal(call)),
        "getCoverage": get_coverage,
    }


def _list_exchanges(call: RequestContext, journal: Journal) -> Response:
    found = _filter_entries(call, journal)
    last = found[-call.parameters["limit"] :]
    return Response(
        {"entries": [serializers.serialize_entry(e) for e in last], "total": len(found)}
    )


def _list_violations(call: RequestContext, journal: Journal) -> Response:
    found = _filter_entries(call, journal, only_violations=True)
    last = found[-call.parameters["limit"] :]
    return Response(
        {
            "entries": [serializers.serialize_violations(e) for e in last],
            "total": len(found),
        }
    )


def _filter_entries(
    call: RequestContext, journal: Journal, *, only_violations: bool = False
) -> list[JournalEntry]:
    given = call.parameters
    since, until = given.get("since"), given.get("until")
    return journal.entries(
        api=given.get("api"),
        operation=given.get("operation"),
        status=given.get("status"),
        since=None if since is None else instant_of(since),
        until=None if until is None else instant_of(until),
        only_violations=only_violations,
    )


def _verify(
    worlds: Worlds, entries: list[JournalEntry], assertion: Document
) -> VerificationResult:
    match assertion:
        case {"called": node}:
            times, at_least = node.get("times"), node.get("at_least", 1)
            one = resolve_expected_call(worlds, node)
            return verify_called(entries, one, times=times, at_least=at_least)
        case {"never": node}:
            return verify_never_called(entries, resolve_expected_call(worlds, node))
        case {"in_order": nodes}:
            return verify_in_order(
                entries, [resolve_expected_call(worlds, node) for node in nodes]
            )
    raise Problem(400, 'ask for "called", "never" or "in_order"')


def resolve_expected_call(worlds: Worlds, node: Json) -> ExpectedCall:
    """A call as the question has it. Raises ``Problem`` if nobody can make it."""
    if isinstance(node, str):
        node = {"operation": node}
    operation, api = node["operation"], node.get("api")
    there = {
        (name, known)
        for name, service in worlds.services.items()
        for known in service.contract.operations
        if api in {None, name}
    }
    if operation not in {known for _, known in there}:
        names = ", ".join(sorted(known for _, known in there)) or "none"
        of = f" of {api}" if api else ""
        raise Problem(404, f"{operation!r} is no operation{of}; there is {names}")
    return build_expected_call(operation, node.get("with"), api)
