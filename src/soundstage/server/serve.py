"""The server as a process: a socket, uvicorn, and the lines it prints."""

import socket
import sys

import orjson
import uvicorn

from soundstage.apis.service import Service
from soundstage.server.dispatch import build_app
from soundstage.server.lines import AccessLines, as_text, greeting
from soundstage.world.world import World


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens already. Raises ``OSError``, for a port in use too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def serve(
    services: dict[str, Service], world: World, listener: socket.socket, *, json: bool
) -> None:
    """Serve until interrupted."""
    app = build_app(services, world, AccessLines(sys.stdout, json=json))
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        # Equal worlds answer byte for byte the same, headers too.
        server_header=False,
        date_header=False,
    )
    hello = greeting(services, world, url_of(listener))
    print(orjson.dumps(hello).decode() if json else as_text(hello), flush=True)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        return


def url_of(listener: socket.socket) -> str:
    """``http://127.0.0.1:4010`` of a socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
