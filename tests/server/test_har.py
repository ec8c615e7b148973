"""The archive is HAR 1.2, with additional properties."""

import json

import pytest
from jsonschema_rs import Draft202012Validator

from support.in_process import ALGOLIA, RUN, TRIEVE, new_worlds_client

EVENTS = f"/1/runs/{RUN}/events"


def with_all(properties, optional=None):
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties | (optional or {}),
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


# http://www.softwareishard.com/blog/har-12-spec/: what is required, and all there is.
TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
COMMENT = {"comment": TEXT}
PAIRS = {"type": "array", "items": with_all({"name": TEXT, "value": TEXT}, COMMENT)}
COOKIES = {"type": "array", "items": {"type": "object", "required": ["name", "value"]}}
PRODUCT = with_all({"name": TEXT, "version": TEXT}, COMMENT)
MESSAGE = {
    "httpVersion": TEXT,
    "cookies": COOKIES,
    "headers": PAIRS,
    "headersSize": WHOLE,
    "bodySize": WHOLE,
}
POST_DATA = with_all({"mimeType": TEXT, "text": TEXT}, COMMENT)
REQUEST = with_all(
    {"method": TEXT, "url": TEXT, "queryString": PAIRS, **MESSAGE},
    {"postData": POST_DATA, **COMMENT},
)
CONTENT = with_all(
    {"size": WHOLE, "mimeType": TEXT},
    {"compression": NUMBER, "text": TEXT, "encoding": TEXT, **COMMENT},
)
RESPONSE = with_all(
    {"status": WHOLE, "statusText": TEXT, "content": CONTENT, "redirectURL": TEXT} | MESSAGE,
    COMMENT,
)
TIMES = {"blocked": NUMBER, "dns": NUMBER, "connect": NUMBER, "ssl": NUMBER, **COMMENT}
ENTRY = with_all(
    {
        "startedDateTime": {"type": "string", "format": "date-time"},
        "time": {"type": "number", "minimum": 0},
        "request": REQUEST,
        "response": RESPONSE,
        "cache": with_all({}),
        "timings": with_all({"send": NUMBER, "wait": NUMBER, "receive": NUMBER}, TIMES),
    },
    COMMENT,
)
LOG = with_all(
    {"version": {"const": "1.2"}, "creator": PRODUCT}
    | {"entries": {"type": "array", "items": ENTRY}},
    {"browser": PRODUCT, **COMMENT},
)
HAR = Draft202012Validator(with_all({"log": LOG}), validate_formats=True)


@pytest.fixture
def control_client():
    with new_worlds_client() as client:
        yield client


def exported(client, **chosen):
    response = client.get("/_soundstage/journal.har", params=chosen)
    assert response.status_code == 200, response.text
    document = json.loads(response.content)
    HAR.validate(document)
    return document["log"]["entries"]


def test_an_empty_journal_is_an_archive(control_client):
    assert exported(control_client) == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("GET", f"/1/runs/{RUN}", ALGOLIA, b""),
        ("GET", f"{EVENTS}?page=2&status=failed,null", ALGOLIA, b""),
        ("GET", f"{EVENTS}?page=0&%ff=1", ALGOLIA, b""),
        ("GET", EVENTS, {}, b""),
        ("DELETE", EVENTS, ALGOLIA, b""),
        ("GET", "/nowhere?a", {}, b""),
        ("POST", "/api/dataset/events", TRIEVE, b'{"page": 1}'),
        ("POST", "/api/dataset/events", TRIEVE, b"\xff\xfe\x00"),
        ("POST", "/api/dataset/events", TRIEVE, b'"' + b"x" * 100_000),
    ],
)
def test_every_exchange_makes_a_valid_entry(control_client, method, path, headers, body):
    types = {"content-type": "application/json"} if body else {}
    sent = {"headers": {**headers, **types}, "content": body}
    response = control_client.request(method, path, **sent)
    (entry,) = exported(control_client)
    assert entry["request"]["method"] == method
    assert entry["request"]["url"] == f"http://127.0.0.1:4010{path}"
    assert entry["request"]["bodySize"] == len(body)
    assert entry["response"]["status"] == response.status_code
    assert entry["response"]["content"]["text"] == response.text


@pytest.mark.parametrize("kind", ["status", "reset", "malformed"])
def test_a_fault_makes_a_valid_entry(control_client, kind):
    fault = {"kind": kind, "options": {"status": 503} if kind == "status" else {}}
    control_client.post("/_soundstage/faults", json=fault)
    try:
        control_client.get(EVENTS, headers=ALGOLIA)
    except ConnectionError:
        assert kind == "reset"
    (entry,) = exported(control_client)
    assert entry["_fault"] == kind
    assert entry["comment"] == f"listEvents; fault {kind}"
    assert (entry["response"]["status"] == 0) == (kind == "reset")


def test_an_exchange_starts_at_its_virtual_time(control_client):
    control_client.post("/_soundstage/clock/advance", json={"by": "90s"})
    control_client.get(EVENTS, headers=ALGOLIA)
    (entry,) = exported(control_client)
    assert entry["startedDateTime"] == "2026-01-01T00:01:30.000Z"
    assert entry["_wall"] > "2026-01-02"
    assert entry["timings"]["wait"] == entry["time"]


def test_what_har_does_not_define_is_in_additional_properties(control_client):
    control_client.get(f"{EVENTS}?page=2", headers=ALGOLIA)
    control_client.get(f"{EVENTS}?page=0", headers=ALGOLIA)
    good, bad = exported(control_client)
    assert (good["_number"], bad["_number"]) == (1, 2)
    assert good["_api"] == "algolia-ingestion"
    assert good["_operation"] == bad["_operation"] == "listEvents"
    assert good["_parameters"]["page"] == 2
    assert bad["_violations"][0]["name"] == "page"
    assert bad["comment"].startswith("listEvents; query.page: ")


def test_a_query_is_listed(control_client):
    control_client.get(f"{EVENTS}?page=2&type=a%20b", headers=ALGOLIA)
    (entry,) = exported(control_client)
    assert entry["request"]["queryString"] == [
        {"name": "page", "value": "2"},
        {"name": "type", "value": "a b"},
    ]


def test_binary_and_truncated_bodies_are_marked(control_client):
    headers = {**TRIEVE, "content-type": "application/json"}
    for body in (b"\xff\x00", b"x" * 100_000):
        control_client.post("/api/dataset/events", headers=headers, content=body)
    binary, long = (e["request"]["postData"] for e in exported(control_client))
    assert (binary["text"], binary["comment"]) == ("/wA=", "base64")
    assert long["comment"] == "cut: 65536 of 100000 bytes"


def test_an_archive_may_have_some_of_the_exchanges_only(control_client):
    control_client.get(EVENTS, headers=ALGOLIA)
    control_client.get(EVENTS)
    (entry,) = exported(control_client, operation="listEvents", status="4XX")
    assert entry["_number"] == 2


def test_no_secret_is_in_an_archive(control_client):
    secret = "hunter2-and-more"  # noqa: S105 - not a real one
    headers = {"authorization": f"Bearer {secret}", "cookie": f"runwisp_jwt={secret}"}
    query = f"runwisp_jwt={secret}"
    control_client.get(f"/api/tasks/example/runs?{query}", headers=headers)
    (entry,) = exported(control_client)
    assert secret not in json.dumps(entry)
    assert entry["request"]["queryString"] == [{"name": "runwisp_jwt", "value": "***"}]
