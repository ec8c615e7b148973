"""``/_soundstage/`` at the proxy: its journal, for programs of this machine."""

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
from soundstage.types import Document

CONTROL_PATH = f"/{CONTROL_PREFIX}/".encode()

DEFAULT_LIMIT = 50
"""Exchanges in an answer, unless more are asked for."""


class ProxyControlApp:
    """Answers questions about the traffic, in the forms of the control API."""

    def __init__(self, journal: Journal, contract: Contract) -> None:
        self._journal = journal
        self._contract = contract
        self._guard = Guard()
        self._handlers: dict[str, Callable[[dict[str, str]], Document]] = {
            "journal": lambda asked: self._list_entries(
                asked, serializers.serialize_entry
            ),
            "violations": lambda asked: self._list_entries(
                asked, serializers.serialize_violations, only_violations=True
            ),
            "coverage": self._summarize_coverage,
            "journal.har": lambda asked: build_har(self._filter_entries(asked)),
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """One question."""
        await send_response(encode_response(self._handle(scope)), send)

    def _handle(self, scope: Scope) -> Response:
        if refusal := self._guard.check(group_headers(scope["headers"])):
            return render_problem(*refusal)
        name = scope["raw_path"].removeprefix(CONTROL_PATH).decode("latin-1")
        if name not in self._handlers:
            there = ", ".join(self._handlers)
            return render_problem(404, f"there is no {name!r} here, only {there}")
        if scope["method"] != "GET":
            return render_problem(405, f"{name} takes GET only")
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
        serialize: Callable[[JournalEntry], Document],
        *,
        only_violations: bool = False,
    ) -> Document:
        found = self._filter_entries(query, only_violations=only_violations)
        limit = int(query.get("limit", DEFAULT_LIMIT))
        last = found[-limit:] if limit > 0 else []
        return {"entries": [serialize(entry) for entry in last], "total": len(found)}

    def _summarize_coverage(self, _query: dict[str, str]) -> Document:
        return serializers.serialize_coverage(
            self._journal.coverage.summarize([self._contract])
        )
