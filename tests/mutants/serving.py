"""An ASGI application behind a socket, in a thread of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from soundstage.server.uvicorn_server import format_url, open_listener


@contextmanager
def serving(app) -> Iterator[str]:
    """The address of an application, until the end of the block."""
    listener = open_listener("127.0.0.1", 0)
    config = uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield format_url(listener)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
