"""httpx without a socket: requests are carried into the server's thread.

A fault that says nothing is a ``ReadTimeout`` at once, an answer that comes too late
for the client is one too, and a fault that cuts the connection is a ``ReadError``.
"""

import asyncio

import httpx

from soundstage.server.background import BackgroundServer
from soundstage.server.faults.connection import ConnectionCut


class InProcessTransport(httpx.BaseTransport):
    """For ``httpx.Client``."""

    def __init__(self, server: BackgroundServer) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The server's answer."""
        request.read()
        return self._server.submit(_handle(self._server, request)).result()


class AsyncInProcessTransport(httpx.AsyncBaseTransport):
    """For ``httpx.AsyncClient`` on asyncio."""

    def __init__(self, server: BackgroundServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The server's answer."""
        await request.aread()
        answer = self._server.submit(_handle(self._server, request))
        return await asyncio.wrap_future(answer)


async def _handle(server: BackgroundServer, request: httpx.Request) -> httpx.Response:
    """In the server's thread. Both streams have been read, so they can cross over."""
    headers, content = request.headers.raw, request.content
    inner = httpx.Request(request.method, request.url, headers=headers, content=content)
    handled = httpx.ASGITransport(server.app).handle_async_request(inner)
    patience = request.extensions.get("timeout", {}).get("read")
    try:
        answer = await asyncio.wait_for(handled, patience)
    except TimeoutError as error:  # Silent is one
        raise httpx.ReadTimeout(str(error), request=request) from error
    except ConnectionCut as error:
        raise httpx.ReadError(str(error), request=request) from error
    body = await answer.aread()
    return httpx.Response(answer.status_code, headers=answer.headers.raw, content=body)
