"""The semantic checks, each with responses that pass and that fail."""

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks import CHECKS, REQUIRES_STATIC_DATA
from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.operation_spec import OperationIndex

STATUS = {"type": "string", "enum": ["open", "done", "dropped"]}
INTEGER = {"type": "integer", "minimum": 1}
FILTER = {"properties": {"status": {"pattern": "open"}, "archived": {"type": "boolean"}}}


def query(name, schema, **more):
    return {"name": name, "in": "query", "schema": schema, **more}


DOCUMENT = {
    "openapi": "3.1.0",
    "components": {"parameters": {"status": query("status", STATUS)}},
    "paths": {
        "/notes": {
            "get": {
                "parameters": [
                    {"$ref": "#/components/parameters/status"},
                    query("kinds", {"type": "array", "items": STATUS}, explode=False),
                    query("sort", {"type": "string", "enum": ["at", "size", "title"]}),
                    query("order", {"type": "string", "enum": ["asc", "desc"]}),
                    query("page", {**INTEGER, "default": 1}),
                    query("perPage", {**INTEGER, "maximum": 20, "default": 3}),
                    query("boxID", {"type": "string"}),
                    query("archived", {"type": "boolean"}),
                    query("title", {"type": "string"}),
                    query("filter", FILTER, style="deepObject"),
                ]
            },
            "post": {},
        },
        "/notes/{noteID}": {"get": {}, "put": {}, "delete": {}},
        "/boxes/{boxID}/notes": {
            "parameters": [{"name": "boxID", "in": "path", "schema": {}}],
            "get": {"parameters": [query("boxID", {})]},
        },
        "/search": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "properties": {
                                    "statuses": {"type": "array", "items": STATUS},
                                    "offset": {"type": "integer"},
                                    "limit": {"type": "integer", "maximum": 9},
                                }
                            }
                        }
                    }
                }
            }
        },
    },
}
OPERATIONS = OperationIndex(DOCUMENT)


def exchange(method, url, response=None, *, sent=None, status=200, headers=()):
    return RecordedExchange(
        method=method,
        url=url,
        request_headers=(("x-key", "k"), ("content-type", "application/json")),
        request_body=b"" if sent is None else json.dumps(sent).encode(),
        status=status,
        response_headers=(("content-type", "application/json"), *headers),
        response_body=b"" if response is None else json.dumps(response).encode(),
    )


def run_check(check, recorded, server=None):
    """Run a check; ``server`` responds to the requests that it sends."""

    def send(request):
        status, body = server(request)
        return replace(request, status=status, response_body=json.dumps(body).encode())

    operation = OPERATIONS.match(recorded.method, recorded.url.partition("?")[0])
    return CHECKS[check](CheckContext(recorded, operation, OPERATIONS, send))


def notes(*items):
    return {"notes": list(items)}


OPEN, DONE = {"status": "open"}, {"status": "done"}

FILTERS = [
    ("/notes?status=open", [OPEN], None),
    ("/notes?status=open", [OPEN, DONE], "status = done"),
    ("/notes?status=OPEN", [OPEN], None),
    ("/notes?status=", [DONE], None),
    ("/notes", [OPEN, DONE], None),
    ("/notes?kinds=open,done", [{"kind": "open"}, {"kind": "done"}], None),
    ("/notes?kinds=open,done", [{"kind": "dropped"}], "kind = dropped"),
    ("/notes?kinds=open", [{"title": "no kind"}], None),
    ("/notes?archived=true", [{"archived": False}], "archived = false"),
    ("/notes?archived=true", [{"archived": True}], None),
    ("/notes?boxID=b1", [{"box_id": "b2"}], "box_id = b2"),
    ("/notes?title=a", [{"title": "about a"}], None),  # a search, perhaps
    ("/notes?filter[archived]=true", [{"archived": False}], "archived = false"),
    ("/notes?filter[status]=open,done", [OPEN, DONE], None),
    ("/notes?filter[status]=active", [OPEN, DONE], None),  # they may be called so
    ("/notes?filter[status]=open", [OPEN, DONE, {"status": "lost"}], "status = done"),
    ("/boxes/b1/notes", [{"boxID": "b2"}], "boxID = b2"),
    ("/boxes/b1/notes?boxID=b2", [{"boxID": "b1"}], None),  # the path wins
]


@pytest.mark.parametrize(("url", "items", "expected"), FILTERS)
def test_a_filter_applies_to_every_item(url, items, expected):
    failure = run_check("filters_apply", exchange("GET", url, notes(*items)))
    assert (expected in failure) if expected else failure is None


def test_a_filter_in_a_body_applies_too():
    sent = {"statuses": ["open"]}
    good = exchange("POST", "/search", notes(OPEN), sent=sent)
    bad = exchange("POST", "/search", notes(DONE), sent=sent)
    assert run_check("filters_apply", good) is None
    assert "status = done" in run_check("filters_apply", bad)


def test_no_check_applies_to_a_rejected_request():
    refused = exchange("GET", "/notes?status=open", notes(DONE), status=400)
    assert all(run_check(check, refused) is None for check in CHECKS)


def at(*days):
    return [{"at": f"2026-01-{day:02}T00:00:00Z"} for day in days]


ORDERS = [
    ("?sort=at&order=asc", at(1, 2, 2, 3), True),
    ("?sort=at&order=asc", at(2, 1), False),
    ("?sort=at&order=desc", at(2, 1), True),
    ("?sort=at&order=desc", at(1, 2), False),
    ("?sort=at", at(1, 2), True),
    ("?sort=at", at(2, 1), True),
    ("?sort=at", at(1, 3, 2), False),
    ("?sort=size&order=asc", [{"size": 9}, {"size": 10}], True),
    ("?sort=size&order=asc", [{"size": 10}, {"size": 9}], False),
    ("?sort=size&order=asc", [{"size": 10}, {}], True),  # not comparable
    ("?sort=title&order=asc", [{"title": "b"}, {"title": "a"}], True),
    ("?order=asc", at(2, 1), True),
]


@pytest.mark.parametrize(("asked", "items", "holds"), ORDERS)
def test_an_order_holds(asked, items, holds):
    failure = run_check("order_holds", exchange("GET", f"/notes{asked}", notes(*items)))
    assert (failure is None) == holds


ALL = [{"title": f"n{number}"} for number in range(8)]


def paged(request, items=ALL, skew=0, total=None):
    """Return a page as a correct server does; with ``skew``, it begins too early."""
    asked = parse_qs(request.url.partition("?")[2])
    page, size = (int(asked.get(name, [d])[0]) for name, d in (("page", 1), ("perPage", 3)))
    begin = (page - 1) * size - skew * (page > 1)
    return 200, {"notes": items[begin : begin + size], "total": total or len(items)}


@pytest.mark.parametrize("url", ["/notes", "/notes?page=2", "/notes?page=3&perPage=3"])
def test_correct_pages_pass(url):
    _, response = paged(exchange("GET", url))
    assert run_check("pages_tile", exchange("GET", url, response), paged) is None


def test_an_item_on_two_pages_fails():
    _, response = paged(exchange("GET", "/notes"))
    recorded = exchange("GET", "/notes", response)
    failure = run_check("pages_tile", recorded, lambda request: paged(request, skew=1))
    assert "on this page and on the next one" in failure


def test_an_item_between_two_pages_fails():
    def gapped(request):
        return paged(request, ALL if "perPage=6" in request.url else ALL[:3] + ALL[4:])

    _, response = gapped(exchange("GET", "/notes"))
    failure = run_check("pages_tile", exchange("GET", "/notes", response), gapped)
    assert failure == "two pages of 3 items differ from one of 6"


def test_another_total_on_the_next_page_fails():
    _, response = paged(exchange("GET", "/notes"))
    recorded = exchange("GET", "/notes", response)
    failure = run_check("pages_tile", recorded, lambda request: paged(request, total=9))
    assert failure == "the total is 8, but on the next page it is 9"


def test_more_items_than_the_page_size_fail():
    recorded = exchange("GET", "/notes?perPage=2", notes(*ALL[:3]))
    assert run_check("pages_tile", recorded) == "perPage is 2, but the page has 3 items"


def test_pages_by_offset_in_a_body_are_checked_too():
    def found(request, skew=0):
        asked = json.loads(request.request_body)
        begin = asked["offset"] - skew * bool(asked["offset"])
        return 200, {"notes": ALL[begin : begin + asked["limit"]]}

    sent = {"offset": 0, "limit": 2}
    recorded = exchange("POST", "/search", notes(*ALL[:2]), sent=sent)
    assert run_check("pages_tile", recorded, found) is None
    failure = run_check("pages_tile", recorded, lambda request: found(request, skew=1))
    assert "on the next one" in failure


def test_a_repeated_read_with_another_response_fails():
    recorded = exchange("GET", "/notes", notes(OPEN))
    assert run_check("reads_repeat", recorded, lambda _: (200, notes(OPEN))) is None
    assert "a different body" in run_check("reads_repeat", recorded, lambda _: (200, notes()))
    assert "404" in run_check("reads_repeat", recorded, lambda _: (404, {}))


NOTE = {"noteID": "n1", "title": "a", "status": "open", "tags": ["x"]}
WRITES = [
    ("POST", "/notes", 201, NOTE, (200, NOTE), None),
    ("POST", "/notes", 201, NOTE, (404, {}), "GET /notes/n1: status 404"),
    ("POST", "/notes", 202, NOTE, (404, {}), None),
    ("POST", "/notes", 201, {"id": "n1"}, (404, {}), "GET /notes/n1: status 404"),
    ("POST", "/notes", 201, {"note": NOTE}, (404, {}), "GET /notes/n1: status 404"),
    ("POST", "/notes", 201, NOTE, (200, {**NOTE, "title": "b"}), "title was returned"),
    ("POST", "/notes", 201, {"noteID": "n1"}, (200, {"title": "b"}), "title was sent"),
    ("POST", "/notes", 201, NOTE, (200, {**NOTE, "tags": []}), None),
    ("PUT", "/notes/n1", 200, {"at": "2026-01-01"}, (200, {"at": "1 Jan"}), None),
    ("PUT", "/notes/n1", 200, NOTE, (200, NOTE), None),
    ("PUT", "/notes/n1", 200, NOTE, (200, {**NOTE, "status": "done"}), "status was"),
    ("PUT", "/notes/n1", 204, None, (404, {}), "GET /notes/n1: status 404"),
    ("POST", "/search", 200, notes(NOTE), (404, {}), None),
]


@pytest.mark.parametrize(("method", "path", "status", "response", "stored", "expected"), WRITES)
def test_written_values_can_be_read(method, path, status, response, stored, expected):
    sent = {"title": "a"}
    recorded = exchange(method, path, response, sent=sent, status=status)
    failure = run_check("writes_are_kept", recorded, lambda _: stored)
    assert (expected in failure) if expected else failure is None


def test_a_created_record_is_read_at_its_location_header():
    asked = []

    def server(request):
        asked.append((request.method, request.url, request.request_body))
        return 404, {}

    headers = (("location", "http://host/notes/n9"),)
    recorded = exchange("POST", "/notes", {}, sent={}, status=201, headers=headers)
    assert "GET /notes/n9: status 404" in run_check("writes_are_kept", recorded, server)
    assert asked == [("GET", "/notes/n9", b"")]


def test_a_deleted_record_cannot_be_read():
    recorded = exchange("DELETE", "/notes/n1", status=204)
    assert run_check("deletes_are_kept", recorded, lambda _: (404, {})) is None
    failure = run_check("deletes_are_kept", recorded, lambda _: (200, NOTE))
    assert failure == "after the deletion, GET /notes/n1: status 200"


VIOLATIONS = [
    (400, [{"in": "query", "name": "page", "rule": "minimum"}], None),
    (200, [], "a successful response lists violations"),
    (400, [{"in": "security", "rule": "security"}], "the status is 400"),
    (401, [{"in": "security", "rule": "security"}], None),
    (400, [{"in": "query", "name": "limit", "rule": "maximum"}], "was not sent"),
    (400, [{"in": "query", "name": "page", "rule": "required"}], "was sent"),
    (400, [{"more": 3}], None),
]


@pytest.mark.parametrize(("status", "violations", "expected"), VIOLATIONS)
def test_the_violations_header_agrees_with_the_exchange(status, violations, expected):
    headers = (("soundstage-violations", json.dumps(violations)),)
    url = "/notes?page=0"
    failure = run_check(
        "violations_are_told", exchange("GET", url, {}, status=status, headers=headers)
    )
    assert (expected in failure) if expected else failure is None


def test_checks_that_require_static_data_exist():
    assert CHECKS.keys() >= REQUIRES_STATIC_DATA


def test_an_operation_without_variables_goes_before_one_with():
    paths = {"/a/{id}": {"get": {}}, "/a/b": {"get": {}}}
    operations = OperationIndex({"paths": paths})
    assert operations.match("GET", "/a/b").path == "/a/b"
    assert operations.match("GET", "/a/c%2Fd").parse_path("/a/c%2Fd") == {"id": "c/d"}
    assert operations.match("PUT", "/a/b") is None


AMBIGUOUS = [
    ({"kinds": [""]}, False),
    ({"kinds": ""}, False),
    ({"kinds": ["", "open"]}, True),
    ({"status": "", "title": [""]}, True),
    ({"page": {}}, False),
    ({"page": {"a": 1}}, True),
    ({}, True),
]


@pytest.mark.parametrize(("query", "is_unambiguous"), AMBIGUOUS)
def test_values_with_equal_query_text_are_ambiguous(query, is_unambiguous):
    operation = OPERATIONS.operations["GET /notes"]
    assert operation.is_unambiguous(query) == is_unambiguous
