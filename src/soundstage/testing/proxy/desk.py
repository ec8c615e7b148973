"""``/_soundstage/`` at the proxy: its journal, for programs of this machine."""

from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from soundstage.apis.api import Answer
from soundstage.contract.contract import Contract
from soundstage.server.control import PREFIX, shown
from soundstage.server.exchange import by_name
from soundstage.server.guard import Guard
from soundstage.server.journal.entry import Entry
from soundstage.server.journal.har import har_of
from soundstage.server.journal.journal import Journal
from soundstage.server.message import message_of, send_message
from soundstage.server.problems import problem_answer
from soundstage.types import Document

ROOT = f"/{PREFIX}/".encode()

LIMIT = 50
"""Exchanges in an answer, unless more are asked for."""


class Desk:
    """Answers questions about the traffic, in the forms of the control API."""

    def __init__(self, journal: Journal, contract: Contract) -> None:
        self._journal = journal
        self._contract = contract
        self._guard = Guard()
        self._answers: dict[str, Callable[[dict[str, str]], Document]] = {
            "journal": lambda asked: self._listed(asked, shown.whole),
            "violations": lambda asked: self._listed(
                asked, shown.violating, violating=True
            ),
            "coverage": self._coverage,
            "journal.har": lambda asked: har_of(self._chosen(asked)),
        }

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """One question."""
        await send_message(message_of(self._answer(scope)), send)

    def _answer(self, scope: Scope) -> Answer:
        if refusal := self._guard.refusal(by_name(scope["headers"])):
            return problem_answer(*refusal)
        name = scope["raw_path"].removeprefix(ROOT).decode("latin-1")
        if name not in self._answers:
            there = ", ".join(self._answers)
            return problem_answer(404, f"there is no {name!r} here, only {there}")
        if scope["method"] != "GET":
            return problem_answer(405, f"{name} takes GET only")
        query = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            return Answer(self._answers[name]({n: v[-1] for n, v in query.items()}))
        except ValueError as error:
            return problem_answer(400, str(error))

    def _chosen(self, asked: dict[str, str], *, violating: bool = False) -> list[Entry]:
        return self._journal.entries(
            operation=asked.get("operation"),
            status=asked.get("status"),
            violating=violating,
        )

    def _listed(
        self,
        asked: dict[str, str],
        form: Callable[[Entry], Document],
        *,
        violating: bool = False,
    ) -> Document:
        found = self._chosen(asked, violating=violating)
        limit = int(asked.get("limit", LIMIT))
        last = found[-limit:] if limit > 0 else []
        return {"entries": [form(entry) for entry in last], "total": len(found)}

    def _coverage(self, _asked: dict[str, str]) -> Document:
        return shown.coverage(self._journal.coverage.of([self._contract]))
