"""Every enum value of a contract can be sent."""

import json
from copy import deepcopy
from urllib.parse import quote

import pytest
from table.trieve import DATASET
from test_operations import GOOD, NAMES, ROWS, WRITES, rules_of, send

from soundstage.exchange.coverage import OperationCounter
from soundstage.openapi.body import JSON_LINES, essence
from soundstage.world.world import World, WorldOptions
from support.client import in_process_client


def list_enum_values(operation, place):
    """Yield the enum values of a part of the request, with the path to each."""
    for value in OperationCounter(operation).values:
        head, dot, rest = value.path.partition(".")
        if head == place:
            yield dot + rest, value.value


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def with_parameter(operation, good, place, steps, value):
    """Return the request with a query parameter or header; None for others."""
    for parameter in operation.parameters:
        rest = steps.removeprefix(f".{parameter.name}")
        if parameter.location != place or rest == steps:
            continue
        if place == "header" and rest in {"", "[]"}:
            return good.changed(headers={parameter.name: text(value)})
        if place == "query" and (rest in {"", "[]"} or parameter.matches_key):
            key = parameter.name
            if parameter.matches_key:
                key += "".join(f"[{step}]" for step in rest.split(".")[1:])
            path, _, query = good.path.partition("?")
            kept = [p for p in query.split("&") if p and p.partition("=")[0] != key]
            pairs = [*kept, f"{key}={quote(text(value), safe='')}"]
            return good.changed(path=path, query="?" + "&".join(pairs))
    return None


def with_value(body, steps, value):
    """Return the body with a value at ``.a.b[].c``; missing parents are created."""
    holder = {"": deepcopy(body)}
    node, key = holder, ""
    for step in steps.replace("[]", ".[]").split(".")[1:]:
        if step == "[]":
            inner = node[key] if isinstance(node[key], list) and node[key] else [None]
            node[key] = inner[:1]
            node, key = node[key], 0
        else:
            if not isinstance(node[key], dict):
                node[key] = {}
            node, key = node[key], "other" if step == "*" else step
            node.setdefault(key, None)
    node[key] = value
    return holder[""]


def variants(operation, good, bodies):
    """Yield the request with each enum value that fits into it or into ``bodies``.

    ``bodies`` are requests with valid bodies.
    """
    for place in ("query", "header"):
        for steps, value in list_enum_values(operation, place):
            yield steps, with_parameter(operation, good, place, steps, value)
    if operation.body is None:
        return
    for place, way in (("body", ""), ("body[]", "[]")):
        for steps, value in list_enum_values(operation, place):
            tried = (fill(operation, r, way + steps, value) for r in bodies)
            yield steps, next(filter(None, tried), None)


def fill(operation, request, steps, value):
    """Return the request with a value in its body; None if that would be invalid."""
    types = [v for k, v in request.headers.items() if k.lower() == "content-type"]
    content = operation.body.content_for(types[-1] if types else None)
    if content.is_text or not request.content:
        return None
    body = with_value(content.parse(request.content), steps, value)
    if not content.schema.is_valid(body):
        return None
    return request.changed(content=serialize(body, content))


def serialize(body, content):
    if essence(content.media_type) in JSON_LINES:
        return b"\n".join(json.dumps(line).encode() for line in body)
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def writer(services, judges):
    """A client of a world in which only these tests have changed anything."""
    fixtures = {name: service.fixture for name, service in services.items()}
    world = World(fixtures, WorldOptions(seed=7, start_at=1_767_225_600_000, speed=0))
    with in_process_client(services, world, judges) as client:
        yield client


@pytest.mark.parametrize("name", NAMES)
def test_every_enum_value_can_be_sent(client, writer, operations, name):
    _, operation = operations[name]
    for at, request in variants(operation, GOOD[name], list_valid_requests(name)):
        assert request, f"no request has a place for a value of {at}; add a row to the table"
        response = send(writer if name in WRITES else client, request)
        is_gone = response.status_code == 404  # a request before this one took it away
        assert is_gone or response.status_code < 300, (at, response.text)
        assert rules_of(response) == [], (at, request)


def list_valid_requests(name):
    """Return the successful request, and those of its rows without violations."""
    changes = (row.change for row in ROWS[name] if not row.rules)
    return [GOOD[name], *(GOOD[name].changed(**change) for change in changes)]


@pytest.mark.parametrize("kind", ["Authentication", "Destination", "Source", "Task"])
def test_an_enum_value_is_retrieved_as_it_was_created(writer, operations, kind):
    api, made, read = "algolia-ingestion", f"create{kind}", f"get{kind}"
    _, operation = operations[api, made]
    for at, request in variants(operation, GOOD[api, made], list_valid_requests((api, made))):
        own_id = send(writer, request).json()[f"{kind.lower()}ID"]
        folder, _, _ = GOOD[api, read].path.rpartition("/")
        path = f"{folder}/{own_id}"
        record = send(writer, GOOD[api, read].changed(path=path)).json()
        sent = json.loads(request.content)
        if kind == "Authentication":
            assert sent.pop("input").keys() == record["input"].keys()
        assert sent.items() <= record.items(), at


TRIEVE_OPERATIONS = [name for name in GOOD if name[0] == "trieve"]


@pytest.mark.parametrize("name", TRIEVE_OPERATIONS, ids=":".join)
def test_every_operation_of_trieve_accepts_the_organization(client, writer, operations, name):
    _, operation = operations[name]
    request = GOOD[name].changed(headers={"TR-Organization": DATASET})
    if "header.TR-Organization" in OperationCounter(operation).parameters:
        response = send(writer if name in WRITES else client, request)
        assert response.status_code < 500
        assert rules_of(response) == []
