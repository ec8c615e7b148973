"""Every operation of every API: successful, rejected and documented responses."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from table import algolia_ingestion, runwisp, soundstage, trieve, trigger_dev
from table.rows import MAX_BODY_BYTES

from soundstage.apis.api import BadRequest, Conflict, Forbidden, NotFound
from soundstage.openapi.errors import BodyTooLarge, Violation
from support.effort import examples

METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE", "BREW")

TABLE = {
    "algolia-ingestion": algolia_ingestion,
    "runwisp": runwisp,
    "soundstage": soundstage,
    "trieve": trieve,
    "trigger-dev": trigger_dev,
}


def merge(part):
    """Return a part of the tables of all APIs, by API and operation."""
    return {
        (api, name): value
        for api, module in TABLE.items()
        for name, value in getattr(module, part).items()
    }


GOOD, ROWS = merge("GOOD"), merge("ROWS")
WRITES = {(api, name) for api, module in TABLE.items() for name in module.WRITES}
NEVER = {
    ((api, name), status): reason
    for api, module in TABLE.items()
    for (name, status), reason in module.NEVER.items()
}

NAMES = [pytest.param(name, id=":".join(name)) for name in GOOD]
ALL = [
    pytest.param(name, row, id=f"{':'.join(name)}: {row.about}"[:80])
    for name, rows in ROWS.items()
    for row in rows
]


def send(client, request, **extensions):
    path, mark, query = request.path.partition("?")
    return client.request(
        request.method,
        "/",
        headers=[(k, v.encode("latin-1")) for k, v in request.headers.items()],
        content=request.content,
        extensions={"target": f"{path}{mark}{query}".encode(), **extensions},
    )


def rules_of(response):
    """Return the violations in the header, as the table has them."""
    violations = json.loads(response.headers.get("Soundstage-Violations", "[]"))
    return [
        ".".join(filter(None, (v["in"], v.get("name")))) + f"{v.get('pointer', '')} {v['rule']}"
        for v in violations
    ]


def at(body, path):
    for step in path.split("."):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body


SHAPES = {
    "algolia-ingestion": {"message"},
    "runwisp": {"title", "status", "detail"},
    "soundstage": {"type", "title", "status", "detail"},
    "trieve": {"message"},
    "trigger-dev": {"error"},
}


RUNWISP_PLAIN = {
    400: {"Invalid request"},
    401: {
        "no token found",
        "token is unauthorized",
        "Invalid or expired challenge",
        "Invalid password",
    },
}
"""Messages of its session check and its log-in, which precede its API."""


def assert_error_body(api, response):
    """Check that the body has the form of the API's errors."""
    if api == "runwisp" and response.headers["content-type"].startswith("text/plain"):
        assert response.text in RUNWISP_PLAIN[response.status_code]
        return
    is_problem = api in {"runwisp", "soundstage"}
    kind = "application/problem+json" if is_problem else "application/json"
    body = response.json()
    assert response.headers["content-type"] == kind
    assert set(body) - {"errors", "details"} == SHAPES[api]
    assert body.get("status", response.status_code) == response.status_code


@pytest.mark.parametrize(("name", "row"), ALL)
def test_a_request_gets_the_response_of_the_table(client, writer, operations, name, row):
    response = send(writer if name in WRITES else client, GOOD[name].changed(**row.change))
    assert response.status_code == row.status, response.text
    assert sorted(rules_of(response)) == sorted(row.rules)
    if row.status < 300:
        body = response.json() if row.shows else None
        assert {path: at(body, path) for path in row.shows} == row.shows
    else:
        assert_error_body(operations[name][0].name, response)


@pytest.fixture(scope="session")
def methods(operations):
    """The methods of each path, by API and path."""
    found = defaultdict(set)
    for (api, _), (_, operation) in operations.items():
        found[api, operation.path].add(operation.method)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_path_accepts_its_own_methods_only(client, operations, methods, name):
    service, operation = operations[name]
    own_methods = methods[service.name, operation.path]
    for method in METHODS:
        if method not in own_methods:
            response = send(client, GOOD[name].changed(method=method))
            assert response.status_code == 405
            assert response.headers["Allow"] == ", ".join(sorted(own_methods))
            assert rules_of(response) == ["path method"]
            assert_error_body(service.name, response)


@pytest.mark.parametrize(
    "tail", ["/", "/no/such/path/there", "%FF", "%00/x/y/z/a", ";x//", "/a/b/c/d/.."]
)
@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_path_is_not_found(client, operations, name, tail):
    service, _ = operations[name]
    good = GOOD[name]
    path = good.path.partition("?")[0]
    response = send(client, good.changed(path=path + tail))
    assert response.status_code == 404
    assert rules_of(response) == ["path route"]
    assert_error_body(service.name, response)


def test_the_path_is_checked_before_credentials_and_these_before_parameters(client):
    events = GOOD["algolia-ingestion", "listEvents"]
    nothing = dict.fromkeys(events.headers)
    path = events.path + "/no/such"
    assert send(client, events.changed(path=path, headers=nothing)).status_code == 404
    bad = events.changed(query="?page=0", headers=nothing)
    assert send(client, bad).status_code == 403


def test_a_header_sent_twice_is_refused(client):
    good = GOOD["trieve", "get_events"]
    headers = [*good.headers.items(), ("TR-Dataset", good.headers["TR-Dataset"])]
    response = client.post(good.path, headers=headers, content=b"{}")
    assert response.status_code == 400
    assert rules_of(response) == ["header.TR-Dataset repeated"]


def test_a_large_body_in_chunks_is_refused_without_a_length(client):
    good = GOOD["trieve", "get_events"]
    chunks = (b" " * 2**20 for _ in range(MAX_BODY_BYTES // 2**20 + 1))
    response = client.post(good.path, headers=good.headers, content=chunks)
    assert "content-length" not in response.request.headers
    assert response.status_code == 413


def test_a_body_in_chunks_is_read_whole(client):
    good = GOOD["trieve", "get_events"]
    chunks = iter([b'{"page', b'_size"', b":1}"])
    response = client.post(good.path, headers=good.headers, content=chunks)
    assert len(response.json()["events"]) == 1


def test_every_operation_is_in_the_table(operations):
    """The other operations of the control API are in tests/server/test_control.py."""
    vendors = {name for name in operations if name[0] != "soundstage"}
    assert vendors <= set(GOOD) == set(ROWS)


def test_every_documented_response_is_in_the_table(operations):
    documented = {
        (name, status)
        for name, (_, operation) in operations.items()
        for status in operation.responses
        if name in ROWS
    }
    shown = {
        (name, status if (name, status) in documented else "default")
        for name, rows in ROWS.items()
        for status in {str(row.status) for row in rows}
    }
    assert shown == documented - NEVER.keys()


@pytest.mark.parametrize(
    "error",
    [
        NotFound("lorem", "ipsum"),
        Forbidden(),
        Conflict("it is over"),
        BadRequest("it cannot be"),
        BodyTooLarge(Violation("body", "size", "too large")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_api_renders_every_error(services, error):
    for service in services.values():
        response = service.api.render_error(error)
        assert response.status >= 400
        assert response.body


TEXTS = st.text(max_size=40) | st.sampled_from(
    ["null", "NaN", "[", "%00", "../..", "{}", "' OR 1=1", "9" * 30, "-1", "\u0000"]
)
ESCAPED = st.binary(max_size=12).map(lambda raw: "".join(f"%{b:02X}" for b in raw))
PIECES = TEXTS | ESCAPED
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)
# HTTP has no way to send these three in a header.
HEADERS = st.binary(max_size=30).map(lambda raw: raw.translate(None, b"\r\n\0"))
BODIES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())


@st.composite
def noise(draw):
    """Generates a successful request with one or two parts replaced by noise."""
    good = GOOD[draw(st.sampled_from(sorted(GOOD)))]
    segments = good.path.encode().split(b"/")
    if draw(st.booleans()):
        index = draw(st.integers(1, len(segments) - 1))
        segments[index] = draw(PIECES).encode("utf-8", "surrogatepass")
    names = st.sampled_from(
        ["page", "itemsPerPage", "status", "startDate", "limit", "search", "sort"]
    )
    pairs = draw(st.lists(st.tuples(names | PIECES, PIECES), max_size=3))
    query = "&".join(f"{n}={v}" for n, v in pairs).encode("utf-8", "surrogatepass")
    headers = {name.lower(): value.encode() for name, value in good.headers.items()}
    known = [*headers, "content-type", "cookie", "host", "origin", "accept"]
    headers |= draw(st.dictionaries(st.sampled_from(known), HEADERS, max_size=2))
    method = draw(st.sampled_from([good.method, *METHODS]))
    body = draw(st.just(good.content) | BODIES)
    return method, b"/".join(segments) + b"?" + query, headers, body


@given(noise())
@examples(400)
def test_no_request_makes_the_server_fail(writer, noise):
    method, target, headers, body = noise
    response = writer.request(
        method, "/", headers=headers, content=body, extensions={"target": target}
    )
    assert response.status_code < 500
    if "json" in response.headers.get("content-type", ""):
        assert isinstance(response.json(), dict | list)
    elif response.content:
        assert response.headers["content-type"].startswith("text/")
