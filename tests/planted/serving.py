"""An ASGI application behind a socket, in a thread of the test's process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from soundstage.server.serve import bound, url_of


@contextmanager
def serving(app) -> Iterator[str]:
    """The address of an application, until the end of the block."""
    listener = bound("127.0.0.1", 0)
    config = uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield url_of(listener)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
