"""Send requests through the whole server in the caller's thread, without a socket."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from benchmarks.cases import Case
from soundstage.server.app import Dispatcher
from soundstage.server.hosts import Worlds


class Client:
    """A client of the worlds of one server."""

    def __init__(self, worlds: Worlds) -> None:
        self._app = Dispatcher(worlds)
        self._runner = asyncio.Runner()

    def get(self, case: Case) -> Any:
        """Return the parsed body of the response."""
        return json.loads(self.send([case])[-1])

    def send(self, cases: Iterable[Case]) -> list[bytes]:
        """Send requests one after another and return the bodies.

        Raises ``RuntimeError`` if a status differs from that of the case.
        """
        return self._runner.run(self._send_all(cases))

    async def _send_all(self, cases: Iterable[Case]) -> list[bytes]:
        return [await self._send_one(case) for case in cases]

    async def _send_one(self, case: Case) -> bytes:
        sent: list[Any] = []

        async def receive() -> Any:
            body = case.body.encode()
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(_scope(case), receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        if sent[0]["status"] != case.status:
            raise RuntimeError(f"{case.target}: {sent[0]['status']} {body!r}")
        return body


def _scope(case: Case) -> dict[str, Any]:
    path, _, query = case.target.partition("?")
    headers = {"host": "127.0.0.1", **case.headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": case.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 4010),
    }
