"""The table of operations: what is asked of each, and what must come of it.

A new API adds its operations here; test_operations.py does the rest. The table is long
because it is the whole of what the operations promise about requests.
"""

from dataclasses import dataclass, field

MOST = 10 * 2**20  # bytes of a body that is still read
ZERO = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Request:
    """A request that is answered with 200; rows change it."""

    method: str
    path: str
    headers: dict
    content: bytes = b""

    def changed(self, path=None, query="", headers=None, **change):
        """``None`` takes a header away; ``query`` is added to the path."""
        named = {**self.headers, **(headers or {})}
        kept = {name: value for name, value in named.items() if value is not None}
        content = change.get("content", self.content)
        target = (path or self.path) + query
        return Request(change.get("method", self.method), target, kept, content)


@dataclass(frozen=True)
class Row:
    """``rules`` are the violations, as "place.name rule", in their order.

    ``shows`` are values in the answer, by their dotted path.
    """

    about: str
    change: dict
    status: int = 200
    rules: tuple = ()
    shows: dict = field(default_factory=dict)


def ok(about, shows, **change):
    return Row(about, change, shows=shows)


def refused(status, about, *rules, **change):
    return Row(about, change, status, rules)


RUN = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
ALGOLIA = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
OTHER_ALGOLIA = {
    "x-algolia-application-id": "OTHER_APPLICATION_ID",
    "x-algolia-api-key": "OTHER_API_KEY",
}
DATASET = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
OTHER_DATASET = "c8e2a6b4-d05f-4173-9a3c-f1b7e4d29068"
TRIEVE = {
    "TR-Dataset": DATASET,
    "Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "content-type": "application/json",
}
JSON = {"content-type": "application/json"}
TRIGGER = {"Authorization": "Bearer tr_dev_1234"}

GOOD = {
    "getRun": Request("GET", f"/algolia-ingestion/1/runs/{RUN}", ALGOLIA),
    "listEvents": Request("GET", f"/algolia-ingestion/1/runs/{RUN}/events", ALGOLIA),
    "getTaskRuns": Request("GET", "/runwisp/api/tasks/example/runs", {}),
    "get_events": Request("POST", "/trieve/api/dataset/events", TRIEVE, b"{}"),
    "get_run_events_v1": Request(
        "GET", "/trigger-dev/api/v1/runs/run_1234/events", TRIGGER
    ),
    "getHealth": Request("GET", "/_soundstage/health", {}),
    "getSpec": Request("GET", "/_soundstage/specs/trieve.json", {}),
    "startRun": Request("POST", "/_soundstage/runs", JSON, b'{"api":"runwisp"}'),
}

WRITES = {"startRun"}
"""Operations that change the world."""

BIG_64 = 2**63  # one more than int64 holds
NINES_400, NINES_5000 = "9" * 400, "9" * 5000


def without_credentials(status, *names):
    """Rows that hold for every operation that asks for credentials."""
    rows = []
    for name in names:
        rows += [
            refused(status, f"no {name}", "security security", headers={name: None}),
            refused(status, f"empty {name}", "security security", headers={name: ""}),
            refused(status, f"wrong {name}", "security security", headers={name: "x"}),
        ]
    return rows


def whole_numbers(status, name, least, *, most):
    """Rows of an integer in the query; ``most`` is its own bound, or a format's."""
    place, above = f"query.{name}", f"query.{name} maximum"
    return [
        refused(status, f"{name} below", f"{place} minimum", query=f"?{name}={least}"),
        refused(status, f"{name} above", above, query=f"?{name}={most + 1}"),
        refused(status, f"{name} of 64 bits", above, query=f"?{name}={BIG_64}"),
        refused(status, f"{name} of 400 digits", above, query=f"?{name}={NINES_400}"),
        refused(
            status, f"{name} of 5000", f"{place} type", query=f"?{name}={NINES_5000}"
        ),
        *(
            refused(
                status, f"{name} {text!r}", f"{place} type", query=f"?{name}={text}"
            )
            for text in ("x", "1.0", "1e0", "%2B1", "%201", "1_0", "", "null", "%00")
        ),
        refused(
            status, f"{name} twice", f"{place} repeated", query=f"?{name}=1&{name}=2"
        ),
    ]


def any_query(status):
    """Rows of every operation's query."""
    return [
        refused(status, "unknown parameter", "query.bogus unknown", query="?bogus=1"),
        refused(status, "unknown, empty", "query.bogus unknown", query="?bogus"),
        refused(status, "no name", "query unknown", query="?=1"),
        refused(status, "value not UTF-8", "query encoding", query="?bogus=%FF"),
        refused(status, "name not UTF-8", "query encoding", query="?%FF=1"),
    ]


def dates(name):
    """Rows of a moment of RFC 3339 in the query."""
    return [
        refused(400, f"{name} {text}", f"query.{name} format", query=f"?{name}={text}")
        for text in (
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "lorem",
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+02:00",  # a plus that nobody encoded is a blank
            "2026-01-01T24:00:00Z",
            "2016-12-31T12:00:60Z",  # no leap second at noon
            "20260101T000000Z",
            "1767225600000",
        )
    ]


MALFORMED = {
    "half a body": b"{",
    "two bodies": b"{}{}",
    "not UTF-8": b'{"type":"\xff"}',
    "UTF-16": b"\xff\xfe{\x00}\x00",
    "byte order mark": b"\xef\xbb\xbf{}",
    "NaN": b'{"page":NaN}',
    "Infinity": b'{"page":-Infinity}',
    "deep": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "400 digits": b'{"page":%s}' % NINES_400.encode(),
    "5000 digits": b'{"page":%s}' % NINES_5000.encode(),
    "half a surrogate": b'{"type":"\\ud800"}',
}


def bodies(status):
    """Rows of an object in JSON as body."""
    return [
        refused(status, "no body", "body required", content=b""),
        *(
            refused(status, about, "body json", content=content)
            for about, content in MALFORMED.items()
        ),
        *(
            refused(status, f"body {content}", "body type", content=content)
            for content in (b"null", b"[]", b'"{}"', b"1")
        ),
        *(
            refused(
                status,
                f"in {kind!r}",
                "body media type",
                headers={"content-type": kind},
            )
            for kind in ("text/plain", "application/xml", "json", "*/*", "")
        ),
        refused(413, "large body", "body size", content=b" " * (MOST + 1)),
    ]


ROWS = {
    "getRun": [
        ok("documented", {"runID": RUN, "status": "finished", "outcome": "success"}),
        ok("encoded", {"runID": RUN}, path=f"/algolia-ingestion/1/runs/%36{RUN[1:]}"),
        ok("agent", {"runID": RUN}, query="?x-algolia-agent=Algolia%20for%20JS%20(1)"),
        ok("body nobody asked for", {"runID": RUN}, content=b"\xff" * 100),
        *without_credentials(403, *ALGOLIA),
        refused(403, "another's key", "security security",
                headers={"x-algolia-api-key": "OTHER_API_KEY"}),
        *any_query(400),
        refused(404, "unknown run", path=f"/algolia-ingestion/1/runs/{ZERO}"),
        refused(404, "no UUID", path="/algolia-ingestion/1/runs/lorem"),
        refused(404, "slash in the id", path="/algolia-ingestion/1/runs/a%2Fb"),
        refused(404, "NUL in the id", path="/algolia-ingestion/1/runs/%00"),
        refused(404, "another application's run", headers=OTHER_ALGOLIA),
    ],
    "listEvents": [
        ok("defaults", {
            "pagination.page": 1, "pagination.itemsPerPage": 10,
            "window.startDate": "2025-12-31T21:00:00.000Z",
            "window.endDate": "2026-01-01T00:00:00.000Z",
        }),
        ok("agent", {}, query="?x-algolia-agent="),
        ok("largest page", {"pagination.itemsPerPage": 100}, query="?itemsPerPage=100"),
        ok("any offset", {"window.startDate": "2025-12-31T22:00:00.000Z"},
           query="?startDate=2026-01-01T00:00:00%2B02:00"),
        ok("small letters", {"window.startDate": "2026-01-01T00:00:00.000Z"},
           query="?startDate=2026-01-01t00:00:00z"),
        ok("finer than a millisecond", {"window.endDate": "2026-01-01T00:00:00.123Z"},
           query="?endDate=2026-01-01T00:00:00.123999999Z"),
        ok("leap second", {"window.startDate": "2017-01-01T00:00:00.000Z"},
           query="?startDate=2016-12-31T23:59:60Z"),
        ok("year 0", {"window.startDate": "0001-01-01T00:00:00.000Z"},
           query="?startDate=0000-01-01T00:00:00Z"),
        ok("the last year", {"window.endDate": "9999-12-31T23:59:59.999Z"},
           query="?endDate=9999-12-31T23:59:59.9999-23:59"),
        ok("past the end", {"pagination.page": 2**63 - 1, "events": []},
           query=f"?page={2**63 - 1}"),
        ok("far past the end", {"events": []}, query=f"?page={2**64}"),
        ok("as far as numbers are read", {"events": []}, query=f"?page={NINES_400}"),
        *without_credentials(403, *ALGOLIA),
        *any_query(400),
        *whole_numbers(400, "itemsPerPage", 0, most=100),
        refused(400, "page 0", "query.page minimum", query="?page=0"),
        refused(400, "page -1", "query.page minimum", query="?page=-1"),
        refused(400, "page of 5000", "query.page type", query=f"?page={NINES_5000}"),
        refused(400, "page twice", "query.page repeated", query="?page=1&page=1"),
        refused(400, "sort", "query.sort enum", query="?sort=runID"),
        refused(400, "no sort", "query.sort enum", query="?sort="),
        refused(400, "order", "query.order enum", query="?order=ASC"),
        refused(400, "status", "query.status/0 enum", query="?status=lorem"),
        refused(400, "one of the statuses", "query.status/1 enum",
                query="?status=created,lorem"),
        refused(400, "one of repeated statuses", "query.status/1 enum",
                query="?status=created&status=Created"),
        refused(400, "type", "query.type/0 enum", query="?type=lorem"),
        refused(400, "type null", "query.type/0 enum", query="?type=null"),
        *dates("startDate"),
        *dates("endDate"),
        refused(400, "all that is wrong",
                "query.bogus unknown", "query.endDate format",
                "query.itemsPerPage maximum", "query.order enum", "query.page type",
                "query.sort repeated", "query.status/0 enum", "query.status/2 enum",
                query="?status=a,failed,b&sort=type&sort=type&page=x&order=up"
                "&itemsPerPage=101&endDate=now&bogus="),
        refused(404, "unknown run", path=f"/algolia-ingestion/1/runs/{ZERO}/events"),
        refused(404, "another application's run", headers=OTHER_ALGOLIA),
    ],
    "getTaskRuns": [
        ok("defaults", {"total": 176}),
        ok("bearer", {}, headers={"Authorization": "Bearer runwisp-token"}),
        ok("cookie", {}, headers={"Cookie": "a=b; runwisp_jwt=runwisp-token"}),
        ok("web UI", {"total": 176}, query="?sort_field=&sort_direction=&search="),
        ok("bounds", {}, query=f"?limit=1000&offset={2**63 - 1}"),
        ok("unknown word as status", {"runs": [], "total": 0}, query="?status=lorem"),
        ok("unknown task", {"runs": [], "total": 0},
           path="/runwisp/api/tasks/nobody/runs"),
        ok("task_name means nothing", {"total": 176}, query="?task_name=backup"),
        refused(401, "wrong bearer", "security security",
                headers={"Authorization": "Bearer x"}),
        refused(401, "wrong cookie", "security security",
                headers={"Cookie": "runwisp_jwt=x"}),
        refused(401, "basic", "security security",
                headers={"Authorization": "Basic eDp5"}),
        *any_query(422),
        *whole_numbers(422, "limit", 0, most=1000),
        *whole_numbers(422, "offset", -1, most=2**63 - 1),
        refused(422, "sort_field", "query.sort_field enum", query="?sort_field=id"),
        refused(422, "direction", "query.sort_direction enum",
                query="?sort_direction=DESC"),
        refused(422, "search twice", "query.search repeated",
                query="?search=a&search=b"),
        refused(422, "blank in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/a%20b/runs"),
        refused(422, "slash in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/a%2Fb/runs"),
        refused(422, "NUL in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/%00/runs"),
        refused(422, "line end in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/example%0A/runs"),
        refused(422, "long task", "path.taskName maxLength",
                path=f"/runwisp/api/tasks/{'x' * 101}/runs"),
        refused(422, "all that is wrong", "path.taskName maxLength",
                "path.taskName pattern", "query.bogus unknown", "query.limit minimum",
                "query.offset type", "query.sort_field enum",
                path=f"/runwisp/api/tasks/{'%20' * 101}/runs",
                query="?sort_field=x&offset=x&limit=0&bogus=1"),
    ],
    "get_events": [
        ok("smallest", {}),
        ok("nulls", {}, content=b'{"page":null,"page_size":null,"event_types":null}'),
        ok("no media type", {}, headers={"content-type": None}),
        ok("charset", {}, headers={"content-type": "Application/JSON; charset=utf-8"}),
        ok("bearer", {},
           headers={"Authorization": "Bearer " + TRIEVE["Authorization"]}),
        ok("organization", {}, headers={"TR-Organization": DATASET}),
        ok("capitals", {}, headers={"TR-Dataset": DATASET.upper()}),
        ok("key of the real server", {}, content=b'{"type":["chunk_action_failed"]}'),
        ok("far past the end", {"events": []},
           content=b'{"page":%d,"page_size":%d}' % (BIG_64 - 1, BIG_64 - 1)),
        ok("1.0 is an integer", {}, content=b'{"page":1.0,"page_size":2e0}'),
        ok("a body as large as may be", {}, content=b"{}" + b" " * (MOST - 2)),
        *without_credentials(401, "Authorization"),
        *any_query(400),
        refused(400, "no dataset", "header.TR-Dataset required",
                headers={"TR-Dataset": None}),
        *(
            refused(400, f"dataset {text!r}", "header.TR-Dataset format",
                    headers={"TR-Dataset": text})
            for text in ("", "lorem", DATASET[:-1], f"{{{DATASET}}}", "\xe9")
        ),
        *bodies(400),
        refused(400, "page 0", "body/page minimum", content=b'{"page":0}'),
        refused(400, "negative size", "body/page_size minimum",
                content=b'{"page_size":-1}'),
        refused(400, "page of 64 bits", "body/page maximum",
                content=b'{"page":%d}' % BIG_64),
        refused(400, "page 1e30", "body/page maximum", content=b'{"page":1e30}'),
        refused(400, "page 1.5", "body/page type", content=b'{"page":1.5}'),
        refused(400, "page true", "body/page type", content=b'{"page":true}'),
        refused(400, "page as text", "body/page type", content=b'{"page":"1"}'),
        refused(400, "stored type", "body/event_types/1 enum",
                content=b'{"event_types":["etl_failed","qdrant_index_failed"]}'),
        refused(400, "types as text", "body/event_types type",
                content=b'{"event_types":"etl_failed"}'),
        refused(400, "all that is wrong",
                "query.bogus unknown", "header.TR-Dataset required",
                "body/page minimum", "body/page_size type",
                query="?bogus=1", headers={"TR-Dataset": None},
                content=b'{"page":0,"page_size":"x"}'),
        refused(403, "another organization's dataset",
                headers={"TR-Dataset": OTHER_DATASET}),
        refused(404, "unknown dataset", headers={"TR-Dataset": ZERO}),
    ],
    "get_run_events_v1": [
        ok("documented", {"events.0.runId": "run_1234", "events.0.parentId": None}),
        ok("no Bearer", {}, headers={"Authorization": "tr_dev_1234"}),
        ok("small bearer", {}, headers={"Authorization": "bearer  tr_dev_1234"}),
        *without_credentials(401, "Authorization"),
        refused(401, "basic", "security security",
                headers={"Authorization": "Basic dHJfZGV2XzEyMzQ="}),
        *any_query(400),
        refused(404, "unknown run", path="/trigger-dev/api/v1/runs/run_0/events"),
        refused(404, "slash in the id", path="/trigger-dev/api/v1/runs/a%2Fb/events"),
        refused(404, "NUL in the id", path="/trigger-dev/api/v1/runs/%00/events"),
        refused(404, "another environment's run",
                headers={"Authorization": "Bearer tr_prod_1234"}),
    ],
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

NEVER = {
    ("getTaskRuns", "default"): "each of its refusals has a status of its own",
}
"""Documented answers that no request can bring about."""
