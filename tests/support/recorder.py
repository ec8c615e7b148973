"""Archives for the tests of the recorder, and the scenarios built from them."""

import json

import orjson

from soundstage.openapi.document import load_document
from soundstage.tools.recorder.recorder import RecordOptions, build_scenario
from soundstage.vendored_files import fixtures
from soundstage.world.clock import format_rfc3339


def entry(at, url, body, *, status=200, method="GET", kind="application/json"):
    """Return an entry of an archive."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "startedDateTime": format_rfc3339(at),
        "time": 1,
        "request": {"method": method, "url": url},
        "response": {"status": status, "content": {"mimeType": kind, "text": text}},
    }


def write_archive(folder, *entries):
    """Write an archive; return its path."""
    path = folder / "made.har"
    path.write_bytes(orjson.dumps({"log": {"version": "1.2", "entries": entries}}))
    return path


def recorded_scenario(path, service, **selection):
    """Build the scenario of an archive for the vendored fixture."""
    node = load_document(fixtures() / f"{service.name}.yaml").document
    options = RecordOptions(path, service.name, "recorded", **selection)
    return build_scenario(service, node, options)
