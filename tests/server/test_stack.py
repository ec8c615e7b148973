"""The stack of one API: order, bugs of our own, and that nothing is built late."""

import itertools
from dataclasses import replace

import pytest

from soundstage.apis.api import Response
from soundstage.openapi.contract import compile_contract
from soundstage.server.app import Dispatcher
from soundstage.server.hosts import Worlds
from soundstage.server.message import encode_response
from soundstage.world.clock import Clock
from soundstage.world.world import World
from support.client import in_process_client

EVENTS = "/trigger-dev/api/v1/runs/run_1234/events"
TRIGGER = {"Authorization": "Bearer tr_dev_1234"}
SECRET = "somewhere in a handler"  # noqa: S105 - a text that must not get out
SPANS = Response({"events": []})


def with_handler(services, handler):
    """All services; this handler serves the events of a run of Trigger.dev."""
    service = services["trigger-dev"]
    handlers = {**service.api.handlers, "get_run_events_v1": handler}
    api = replace(service.api, handlers=handlers)
    return {**services, "trigger-dev": replace(service, api=api)}


def span(**fields):
    return {"events": [{"spanId": "a"}, {"spanId": "b", **fields}]}


@pytest.mark.parametrize(
    ("result", "rule", "pointer"),
    [
        (Response(span(duration="1")), "type", "/events/1/duration"),
        (Response(span(level="LOUD")), "enum", "/events/1/level"),
        (Response(span(runId=1)), "type", "/events/1/runId"),
        (Response({"events": [{"events": [{"time": "now"}]}]}), "format",
         "/events/0/events/0/time"),
        (Response({}), "required", None),
        (Response([]), "type", None),
        (Response(None), "media type", None),
        (Response({"events": []}, media_type="text/html"), "media type", None),
        (Response({"events": []}, 418), "status", None),
        (Response({"events": []}, 201), "status", None),
        (Response({"error": "No"}, 404), "enum", "/error"),
    ],
)  # fmt: skip
def test_an_invalid_response_names_the_location(services, still, result, rule, pointer):
    with in_process_client(with_handler(services, lambda _: result), still) as client:
        response = client.get(EVENTS, headers=TRIGGER)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    (violation,) = response.json()["violations"]
    assert (violation["rule"], violation.get("pointer")) == (rule, pointer)
    assert violation["in"] == "answer"
    assert "violates the contract" in response.json()["detail"]


def test_all_violations_of_a_response_are_listed(services, still):
    result = Response(span(duration="1", level="LOUD", message=1))
    with in_process_client(with_handler(services, lambda _: result), still) as client:
        problem = client.get(EVENTS, headers=TRIGGER).json()
    assert len(problem["violations"]) == 3


def test_an_invalid_error_response_is_a_500_too(services, still):
    service = services["trigger-dev"]
    api = replace(service.api, render_error=lambda _: Response({"error": "Sorry"}, 400))
    broken = {**services, "trigger-dev": replace(service, api=api)}
    with in_process_client(broken, still) as client:
        response = client.get(f"{EVENTS}?bogus=1", headers=TRIGGER)
    assert response.status_code == 500
    assert response.json()["violations"]


@pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, TypeError])
def test_a_handler_that_fails_is_a_500_without_a_traceback(services, still, error):
    def fail(_):
        raise error(SECRET)

    with in_process_client(with_handler(services, fail), still) as client:
        response = client.get(EVENTS, headers=TRIGGER)
        after = client.get("/_soundstage/health")
    assert response.status_code == 500
    assert error.__name__ in response.json()["detail"]
    assert "Traceback" not in response.text
    assert ".py" not in response.text
    assert after.status_code == 200


@pytest.mark.parametrize("value", [{1, 2}, b"", "\ud800", {1: 2}], ids=ascii)
def test_a_response_that_is_not_json_is_a_500(services, still, value):
    result = Response({"events": [], "more": value})
    with in_process_client(with_handler(services, lambda _: result), still) as client:
        response = client.get(EVENTS, headers=TRIGGER)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"


def test_a_handler_that_returns_nothing_is_a_500(services, still):
    with in_process_client(with_handler(services, lambda _: None), still) as client:
        assert client.get(EVENTS, headers=TRIGGER).status_code == 500


def test_allow_names_every_method_of_a_path(services, still):
    """Connexion knows one method for each of its routes."""
    path = "/a/{x}"
    node = {"responses": {"200": {"description": ""}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "", "version": ""},
        "paths": {
            path: {method: {**node, "operationId": method} for method in ("put", "get", "patch")}
        },
    }
    handlers = dict.fromkeys(("put", "get", "patch"), lambda _: Response(None))
    api = replace(services["trigger-dev"].api, name="many", handlers=handlers)
    contract = compile_contract("many", document)
    many = replace(services["trigger-dev"], api=api, contract=contract)
    with in_process_client({"many": many}, still) as client:
        result = client.delete("/a/1")
        assert client.patch("/a/1").status_code == 200
    assert (result.status_code, result.headers["Allow"]) == (405, "GET, PATCH, PUT")


@pytest.mark.parametrize(
    ("path", "headers"),
    [(f"{EVENTS}/nope", TRIGGER), (EVENTS, {}), (f"{EVENTS}?bogus=1", TRIGGER)],
)
def test_a_rejected_request_reaches_no_handler(services, still, path, headers):
    calls = []
    with in_process_client(with_handler(services, calls.append), still) as client:
        assert 400 <= client.get(path, headers=headers).status_code < 500
    assert calls == []


def test_the_stack_is_complete_before_the_first_request(services, still):
    """A missing handler is reported at start."""
    service = services["trigger-dev"]
    handlers = {**service.api.handlers}
    del handlers["get_run_events_v1"]
    handlerless = replace(service, api=replace(service.api, handlers=handlers))
    with pytest.raises(KeyError, match="get_run_events_v1"):
        Dispatcher(Worlds({"trigger-dev": handlerless}, still.options))


def test_now_is_read_once_for_a_request(services, still):
    """The clock here goes on by a second whenever it is read."""
    ticks = itertools.count(step=1_000)
    clock = Clock(0, monotonic_ms=lambda: next(ticks))
    world = World(still.fixtures, clock=clock)
    handled, observed = [], []

    def handle(context):
        context.collection("runs").all(context.now)
        handled.append(context.now)
        return SPANS

    def observe(_scope, exchange):
        observed.append(exchange.now)

    handlers = with_handler(services, handle)
    with in_process_client(handlers, world, watch=observe) as client:
        client.get(EVENTS, headers=TRIGGER)
        client.get(EVENTS, headers=TRIGGER)
    assert handled == observed
    assert handled[1] - handled[0] == 1_000


@pytest.mark.parametrize("raw", [True, False])
def test_the_raw_path_is_optional(services, still, raw):
    result = {}

    async def send(message):
        result.update(message)

    scope = {
        "type": "http", "method": "GET", "scheme": "http", "path": EVENTS,
        "query_string": b"", "headers": [(b"authorization", b"Bearer tr_dev_1234")],
    }  # fmt: skip
    if raw:
        scope["raw_path"] = EVENTS.encode()
    coroutine = Dispatcher(Worlds(services, still.options))(scope, None, send)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert result["status"] == 200


def test_a_request_without_a_response_is_a_failure_of_ours(services, still):
    with in_process_client(with_handler(services, lambda _: None), still) as client:
        response = client.get(EVENTS, headers=TRIGGER)
    assert (response.status_code, response.json()["title"]) == (
        500,
        "Soundstage failed",
    )


def test_a_response_without_content_has_no_length():
    assert dict(encode_response(Response(None, 204)).headers).keys() == {b"vary"}
    assert dict(encode_response(Response(None, 200)).headers)[b"content-length"] == b"0"
