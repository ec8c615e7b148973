"""Every value that a contract lists can be sent."""

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


def listed(operation, place):
    """The values that stand at a place of requests, with the way to each."""
    for value in OperationCounter(operation).values:
        head, dot, rest = value.path.partition(".")
        if head == place:
            yield dot + rest, value.value


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def with_parameter(operation, good, place, steps, value):
    """The good request with a parameter of the query or a header; None for others."""
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
    """The body with a value at ``.a.b[].c``; what is on the way is made."""
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
    """The good request, once with each listed value that fits into it, or into these.

    ``bodies`` are requests whose bodies keep the contract.
    """
    for place in ("query", "header"):
        for steps, value in listed(operation, place):
            yield steps, with_parameter(operation, good, place, steps, value)
    if operation.body is None:
        return
    for place, way in (("body", ""), ("body[]", "[]")):
        for steps, value in listed(operation, place):
            tried = (filled(operation, r, way + steps, value) for r in bodies)
            yield steps, next(filter(None, tried), None)


def filled(operation, request, steps, value):
    """The request with a value in its body; None if it would break the contract."""
    types = [v for k, v in request.headers.items() if k.lower() == "content-type"]
    content = operation.body.content_for(types[-1] if types else None)
    if content.is_text or not request.content:
        return None
    body = with_value(content.parse(request.content), steps, value)
    if not content.schema.is_valid(body):
        return None
    return request.changed(content=written(body, content))


def written(body, content):
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
def test_every_value_that_is_listed_can_be_sent(client, writer, operations, name):
    _, operation = operations[name]
    for at, request in variants(operation, GOOD[name], lawful(name)):
        assert request, f"nothing fits a value of {at}; let a row of the table have it"
        response = send(writer if name in WRITES else client, request)
        gone = response.status_code == 404  # a request before this one took it away
        assert gone or response.status_code < 300, (at, response.text)
        assert rules_of(response) == [], (at, request)


def lawful(name):
    """The good request, and those of its rows that keep the contract."""
    changes = (row.change for row in ROWS[name] if not row.rules)
    return [GOOD[name], *(GOOD[name].changed(**change) for change in changes)]


@pytest.mark.parametrize("kind", ["Authentication", "Destination", "Source", "Task"])
def test_what_is_made_of_a_listed_value_is_read_as_it_was_said(
    writer, operations, kind
):
    api, made, read = "algolia-ingestion", f"create{kind}", f"get{kind}"
    _, operation = operations[api, made]
    for at, request in variants(operation, GOOD[api, made], lawful((api, made))):
        own_id = send(writer, request).json()[f"{kind.lower()}ID"]
        folder, _, _ = GOOD[api, read].path.rpartition("/")
        path = f"{folder}/{own_id}"
        told = send(writer, GOOD[api, read].changed(path=path)).json()
        said = json.loads(request.content)
        if kind == "Authentication":
            assert said.pop("input").keys() == told["input"].keys()
        assert said.items() <= told.items(), at


TRIEVES = [name for name in GOOD if name[0] == "trieve"]


@pytest.mark.parametrize("name", TRIEVES, ids=":".join)
def test_every_operation_of_trieve_takes_the_organization(
    client, writer, operations, name
):
    _, operation = operations[name]
    request = GOOD[name].changed(headers={"TR-Organization": DATASET})
    if "header.TR-Organization" in OperationCounter(operation).parameters:
        response = send(writer if name in WRITES else client, request)
        assert response.status_code < 500
        assert rules_of(response) == []
