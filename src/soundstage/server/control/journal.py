"""Access to the journal: exchanges, violations, coverage, HAR export, verification."""

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
from soundstage.server.control.serializers import (
    serialize_coverage,
    serialize_entry,
    serialize_violations,
)
from soundstage.server.hosts import Worlds
from soundstage.server.journal import Journal
from soundstage.server.problems import Problem
from soundstage.types import Json, JsonObject
from soundstage.world.clock import parse_rfc3339


def build_handlers(worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of the journal."""

    def get_journal(context: RequestContext) -> Journal:
        return worlds.host_of(context.world).journal

    def list_journal(context: RequestContext) -> Response:
        entries = _filter_entries(context, get_journal(context))
        last = entries[-context.parameters["limit"] :]
        body = {"entries": list(map(serialize_entry, last)), "total": len(entries)}
        return Response(body)

    def list_violations(context: RequestContext) -> Response:
        journal = get_journal(context)
        entries = _filter_entries(context, journal, only_violations=True)
        last = entries[-context.parameters["limit"] :]
        body = {"entries": list(map(serialize_violations, last)), "total": len(entries)}
        return Response(body)

    def clear_journal(context: RequestContext) -> Response:
        get_journal(context).clear()
        return Response(None, 204)

    def export_har(context: RequestContext) -> Response:
        # Imported late: few worlds export HAR, and it slows the start.
        from soundstage.exchange.har import build_har

        return Response(build_har(_filter_entries(context, get_journal(context))))

    def verify_journal(context: RequestContext) -> Response:
        result = _verify(worlds, get_journal(context).entries(), context.body)
        return Response({"ok": result.ok, "text": result.text})

    def get_coverage(context: RequestContext) -> Response:
        contracts = [service.contract for service in worlds.services.values()]
        if context.parameters["worlds"] == "all":
            coverage = worlds.coverage()
        else:
            coverage = get_journal(context).coverage
        return Response(serialize_coverage(coverage.summarize(contracts)))

    return {
        "listJournal": list_journal,
        "clearJournal": clear_journal,
        "exportHar": export_har,
        "verifyJournal": verify_journal,
        "listViolations": list_violations,
        "getCoverage": get_coverage,
    }


def _filter_entries(
    context: RequestContext, journal: Journal, *, only_violations: bool = False
) -> list[JournalEntry]:
    parameters = context.parameters
    since, until = parameters.get("since"), parameters.get("until")
    return journal.entries(
        api=parameters.get("api"),
        operation=parameters.get("operation"),
        status=parameters.get("status"),
        since=None if since is None else parse_rfc3339(since),
        until=None if until is None else parse_rfc3339(until),
        only_violations=only_violations,
    )


def _verify(
    worlds: Worlds, entries: list[JournalEntry], assertion: JsonObject
) -> VerificationResult:
    """Verify an assertion about the exchanges. Raises ``Problem``."""
    match assertion:
        case {"called": node}:
            times, at_least = node.get("times"), node.get("at_least", 1)
            call = resolve_expected_call(worlds, node)
            return verify_called(entries, call, times=times, at_least=at_least)
        case {"never": node}:
            return verify_never_called(entries, resolve_expected_call(worlds, node))
        case {"in_order": nodes}:
            calls = [resolve_expected_call(worlds, node) for node in nodes]
            return verify_in_order(entries, calls)
    raise Problem(400, 'pass "called", "never" or "in_order"')


def resolve_expected_call(worlds: Worlds, node: Json) -> ExpectedCall:
    """Build the expected call of an assertion: an operationId or an object.

    Raises ``Problem`` for an operation that no API of the server has.
    """
    if isinstance(node, str):
        node = {"operation": node}
    operation, api = node["operation"], node.get("api")
    known = sorted(
        operation_id
        for name, service in worlds.services.items()
        if api in {None, name}
        for operation_id in service.contract.operations
    )
    if operation not in known:
        names = ", ".join(known) or "none"
        where = f" of {api}" if api else ""
        raise Problem(404, f"unknown operation {operation!r}{where}; known: {names}")
    return build_expected_call(operation, node.get("with"), api)
