"""httpx transports that call the server without a socket.

A fault without a response raises ``ReadTimeout`` immediately, a response that is later
than the client's timeout raises it too, and a fault that cuts the connection raises
``ReadError``.
"""

import asyncio

import httpx

from soundstage.server.background import BackgroundServer
from soundstage.server.faults.connection import ConnectionCut


class InProcessTransport(httpx.BaseTransport):
    """Transport for ``httpx.Client``."""

    def __init__(self, server: BackgroundServer) -> None:
        self._server = server

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the server's response."""
        request.read()
        return self._server.submit(_handle(self._server, request)).result()


class AsyncInProcessTransport(httpx.AsyncBaseTransport):
    """Transport for ``httpx.AsyncClient`` on asyncio."""

    def __init__(self, server: BackgroundServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the server's response."""
        await request.aread()
        future = self._server.submit(_handle(self._server, request))
        return await asyncio.wrap_future(future)


async def _handle(server: BackgroundServer, request: httpx.Request) -> httpx.Response:
    """Handle a request in the server's thread.

    Both bodies are read completely, as streams cannot be passed between threads.
    """
    headers, content = request.headers.raw, request.content
    inner = httpx.Request(request.method, request.url, headers=headers, content=content)
    handled = httpx.ASGITransport(server.app).handle_async_request(inner)
    timeout = request.extensions.get("timeout", {}).get("read")
    try:
        response = await asyncio.wait_for(handled, timeout)
    except TimeoutError as error:  # NoResponse is a TimeoutError
        raise httpx.ReadTimeout(str(error), request=request) from error
    except ConnectionCut as error:
        raise httpx.ReadError(str(error), request=request) from error
    body = await response.aread()
    return httpx.Response(response.status_code, headers=response.headers.raw, content=body)
