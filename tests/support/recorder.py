"""Archives made by hand or recorded in process, and what is told of them."""

import json

import orjson

from soundstage.openapi.document import load
from soundstage.tools.recorder.archive import read_archive
from soundstage.tools.recorder.retell import Wish, retell
from soundstage.vendored_files import fixtures
from soundstage.world.clock import rfc3339


def entry(at, url, body, *, status=200, method="GET", kind="application/json"):
    """An exchange of an archive."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "startedDateTime": rfc3339(at),
        "time": 1,
        "request": {"method": method, "url": url},
        "response": {"status": status, "content": {"mimeType": kind, "text": text}},
    }


def written(folder, *entries):
    """An archive's file."""
    path = folder / "made.har"
    path.write_bytes(orjson.dumps({"log": {"version": "1.2", "entries": entries}}))
    return path


def told(path, service, **wish):
    """What is told of an archive, for the vendored fixture."""
    node = load(fixtures() / f"{service.name}.yaml").document
    return retell(read_archive(path), service, node, Wish(**wish))
