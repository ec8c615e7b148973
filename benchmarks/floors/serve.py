"""uvicorn with the settings of Soundstage."""

import json
import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from soundstage.server.uvicorn_server import format_url, open_listener


def read_recorded_responses() -> list[dict]:
    """Read the recorded responses."""
    found: list[dict] = json.loads(Path(sys.argv[1]).read_text())
    return found


def serve(app: ASGIApp) -> None:
    """Print the URL and serve until the process ends."""
    listener = open_listener("127.0.0.1", 0)
    print(format_url(listener), flush=True)
    config = uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])
