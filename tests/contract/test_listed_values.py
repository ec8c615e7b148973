"""Every value that a contract lists can be sent, and the records' own be answered."""

import json
from copy import deepcopy
from urllib.parse import quote

import pytest
from table.trieve import DATASET
from test_operations import GOOD, NAMES, WRITES, rules_of, send

from judged import client_of
from soundstage.contract.body import LINES, essence
from soundstage.server.journal.tally import Tally
from soundstage.world.errors import FixtureError
from soundstage.world.log import Patch


def listed(operation, place):
    """The values that stand at a place of requests, with the way to each."""
    for value in Tally(operation).values:
        head, dot, rest = value.at.partition(".")
        if head == place:
            yield dot + rest, value.json


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def with_parameter(operation, good, place, steps, value):
    """The good request with a parameter of the query or a header; None for others."""
    for parameter in operation.parameters:
        rest = steps.removeprefix(f".{parameter.name}")
        if parameter.place != place or rest == steps:
            continue
        if place == "header" and rest in {"", "[]"}:
            return good.changed(headers={parameter.name: text(value)})
        if place == "query" and (rest in {"", "[]"} or parameter.deep):
            key = parameter.name
            if parameter.deep:
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


def variants(operation, good):
    """The good request, once with each listed value that fits into it."""
    for place in ("query", "header"):
        for steps, value in listed(operation, place):
            yield steps, with_parameter(operation, good, place, steps, value)
    if operation.body is None or not good.content:
        return
    types = [v for name, v in good.headers.items() if name.lower() == "content-type"]
    content = operation.body.content(types[-1] if types else None)
    if content.text:
        return
    for place, way in (("body", ""), ("body[]", "[]")):
        for steps, value in listed(operation, place):
            body = with_value(content.read(good.content), f"{way}{steps}", value)
            if content.schema.is_valid(body):
                yield steps, good.changed(content=written(body, content))


def written(body, content):
    if essence(content.media_type) in LINES:
        return b"\n".join(json.dumps(line).encode() for line in body)
    return json.dumps(body).encode()


@pytest.mark.parametrize("name", NAMES)
def test_every_value_that_is_listed_can_be_sent(client, writer, operations, name):
    _, operation = operations[name]
    for at, request in variants(operation, GOOD[name]):
        if request is not None:
            response = send(writer if name in WRITES else client, request)
            assert response.status_code < 500, (at, response.text)
            assert rules_of(response) == [], (at, request)


TRIEVES = [name for name in GOOD if name[0] == "trieve"]


@pytest.mark.parametrize("name", TRIEVES, ids=":".join)
def test_every_operation_of_trieve_takes_the_organization(
    client, writer, operations, name
):
    _, operation = operations[name]
    request = GOOD[name].changed(headers={"TR-Organization": DATASET})
    if "header.TR-Organization" in Tally(operation).parameters:
        response = send(writer if name in WRITES else client, request)
        assert response.status_code < 500
        assert rules_of(response) == []


# Where records are answered as they are: the operation, the way to one of them in its
# answer, the collection, and what is the record's identifier.
RECORDS = [
    ("algolia-ingestion", "getRun", "", "runs", "runID"),
    ("algolia-ingestion", "listEvents", ".events[]", "events", "eventID"),
    ("runwisp", "getTaskRuns", ".runs[]", "runs", "id"),
    ("trigger-dev", "get_run_events_v1", ".events[]", "spans", "spanId"),
]


@pytest.mark.parametrize(("api", "name", "at", "collection", "key"), RECORDS)
def test_every_value_that_is_listed_for_a_record_can_be_answered(
    services, world, judges, operations, api, name, at, collection, key
):
    _, operation = operations[api, name]
    content = operation.answers["200"]["application/json"]
    with client_of(services, world, judges) as client:
        shown = send(client, GOOD[api, name]).json()
        record = shown[at[1:-2]][0] if at else shown
        for value in content.schema.listed.values:
            steps = value.at.removeprefix(at)
            if (steps == value.at and at) or "[]" in steps:
                continue
            patch = with_value({}, steps, value.json)
            try:
                world.apply(Patch(api, collection, record[key], patch))
            except FixtureError:
                continue  # not a state that it may be in; scenarios come to it
            answer = send(client, GOOD[api, name]).json()
            assert value in content.schema.listed.of(answer), value
