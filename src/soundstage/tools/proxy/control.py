"""The control API of the proxy at ``/_soundstage/``: its journal and coverage."""

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from soundstage.apis.api import Response
from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.har import build_har
from soundstage.openapi.contract import Contract
from soundstage.server.control import CONTROL_PREFIX, serializers
from soundstage.server.exchange import group_headers
from soundstage.server.guard import Guard
from soundstage.server.journal import Journal
from soundstage.server.message import encode_response, send_response
from soundstage.server.problems import render_problem
from soundstage.types import JsonObject

CONTROL_PATH = f"/{CONTROL_PREFIX}/".encode()

DEFAULT_LIMIT = 50
"""Exchanges in a response, unless another limit is requested."""


class ProxyControlApp:
    """Serves the journal of the proxy, like the control API of the mock server."""

    def __init__(self, journal: Journal, contract: Contract) -> None:
        self._journal = journal
        self._contract = contract
        # Rejects requests of web pages, which a browser sends from this machine too.
        self._guard = Guard()
        self._handlers: dict[str, Callable[[dict[str, str]], JsonObject]] = {
            "journal": lambda query: self._list_entries(query, serializers.serialize_entry),
            "violations": lambda query: self._list_entries(
                query, serializers.serialize_violations, only_violations=True
            ),
            "coverage": self._summarize_coverage,
            "journal.har": lambda query: build_har(self._filter_entries(query)),
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Handle one request."""
        await send_response(encode_response(self._handle(scope)), send)

    def _handle(self, scope: Scope) -> Response:
        if problem := self._guard.check(group_headers(scope["headers"])):
            return render_problem(*problem)
        name = scope["raw_path"].removeprefix(CONTROL_PATH).decode("latin-1")
        if name not in self._handlers:
            names = ", ".join(self._handlers)
            return render_problem(404, f"no resource {name!r}; the resources are: {names}")
        if scope["method"] != "GET":
            return render_problem(405, f"{name} supports GET only")
        query = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            return Response(self._handlers[name]({n: v[-1] for n, v in query.items()}))
        except ValueError as error:
            return render_problem(400, str(error))

    def _filter_entries(
        self, query: dict[str, str], *, only_violations: bool = False
    ) -> list[JournalEntry]:
        return self._journal.entries(
            operation=query.get("operation"),
            status=query.get("status"),
            only_violations=only_violations,
        )

    def _list_entries(
        self,
        query: dict[str, str],
        serialize: Callable[[JournalEntry], JsonObject],
        *,
        only_violations: bool = False,
    ) -> JsonObject:
        entries = self._filter_entries(query, only_violations=only_violations)
        limit = int(query.get("limit", DEFAULT_LIMIT))
        last = entries[-limit:] if limit > 0 else []
        return {"entries": [serialize(entry) for entry in last], "total": len(entries)}

    def _summarize_coverage(self, _query: dict[str, str]) -> JsonObject:
        return serializers.serialize_coverage(self._journal.coverage.summarize([self._contract]))
