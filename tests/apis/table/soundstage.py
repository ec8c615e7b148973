"""The table of operations: the control API."""

from table.rows import Request, Row, any_query, bodies, ok, refused

JSON = {"content-type": "application/json"}

GOOD = {
    "getHealth": Request("GET", "/_soundstage/health", {}),
    "getSpec": Request("GET", "/_soundstage/specs/trieve.json", {}),
    "startRun": Request("POST", "/_soundstage/runs", JSON, b'{"api":"runwisp"}'),
}

WRITES = {"startRun"}

ROWS = {
    "getHealth": [
        ok("frozen", {
            "status": "ok", "now": "2026-01-01T00:00:00.000Z", "speed": 0, "seed": 7,
            "apis": ["algolia-ingestion", "runwisp", "trieve", "trigger-dev"],
        }),
        *any_query(400),
    ],
    "getSpec": [
        ok("vendor's", {"openapi": "3.0.3", "info.title": "Trieve API"}),
        ok("our own", {"info.title": "Soundstage control"},
           path="/_soundstage/specs/soundstage.json"),
        *any_query(400),
        refused(404, "unknown API", path="/_soundstage/specs/lorem.json"),
        refused(404, "slash in the name", path="/_soundstage/specs/a%2Fb.json"),
        refused(404, "NUL in the name", path="/_soundstage/specs/%00.json"),
    ],
    "startRun": [
        Row("any", {}, 201),
        Row("named", {"content": b'{"api":"algolia-ingestion","task":"stock",'
                      b'"scenario":"idle"}'}, 201,
            shows={"task": "stock", "scenario": "idle", "record.status": "created"}),
        *any_query(400),
        *bodies(400),
        refused(400, "no api", "body required", content=b"{}"),
        refused(400, "more than there is", "body/api minLength", "body/task type",
                "body additionalProperties", content=b'{"api":"","task":1,"now":1}'),
        *(
            refused(404, f"unknown {content}", content=content)
            for content in (
                b'{"api":"lorem"}', b'{"api":"soundstage"}',
                b'{"api":"trieve","task":"lorem"}',
                b'{"api":"trieve","scenario":"lorem"}',
            )
        ),
    ],
}  # fmt: skip

NEVER = {}
