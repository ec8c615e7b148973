"""The line that is printed for every exchange."""

import io
import json

import pytest

from soundstage.server.console import AccessLog, write_and_flush
from support.client import in_process_client

EVENTS = "/trigger-dev/api/v1/runs/run_1234/events"
TRIGGER = {"Authorization": "Bearer tr_dev_1234"}
AT = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def printed(services, still):
    """What is printed for one request."""

    def ask(path, *, json=False, **request):
        out = io.StringIO()
        lines = AccessLog(out, json=json)
        with in_process_client(services, still, watch=lines) as client:
            extensions = {"target": path.encode()}
            client.request("GET", "/", extensions=extensions, **request)
        return out.getvalue()

    return ask


def test_a_line_names_api_operation_status_and_path(printed):
    assert printed(EVENTS, headers=TRIGGER) == (
        f"{AT}  200  trigger-dev get_run_events_v1  GET {EVENTS}\n"
    )


def test_a_rejection_is_followed_by_its_violations(printed):
    assert printed(f"{EVENTS}?page=1&x", headers=TRIGGER) == (
        f"{AT}  400  trigger-dev get_run_events_v1  GET {EVENTS}?page=1&x\n"
        "    query.page: get_run_events_v1 has no query parameter 'page'\n"
        "    query.x: get_run_events_v1 has no query parameter 'x'\n"
    )


def test_a_path_of_no_operation_has_none(printed):
    assert printed("/trieve/nope").splitlines()[0] == (f"{AT}  404  trieve -  GET /trieve/nope")


def test_a_missing_credential_is_reported(printed):
    _, wrong = printed(EVENTS).splitlines()
    assert wrong == "    security: credentials are missing: secretKey"


@pytest.mark.parametrize("text", ["\x1b[2J", "\r", "\n", "\x00", "\x9b", "\u202e"])
def test_nothing_in_a_request_steers_the_terminal(printed, text):
    lines = printed(f"{EVENTS}{text}?{text}={text}", headers=TRIGGER)
    assert lines.endswith("\n")
    assert lines.count("\n") == 2
    assert all(c.isprintable() for c in lines.replace("\n", ""))


def test_an_encoded_control_character_is_not_printed_as_one(printed):
    lines = printed(f"{EVENTS}?%1b[2J=%0d%0a", headers=TRIGGER)
    assert lines.count("\n") == 2
    assert all(c.isprintable() for c in lines.replace("\n", ""))


def test_the_json_line_has_the_same_data(printed):
    line = printed(f"{EVENTS}?page=1", json=True, headers=TRIGGER)
    assert line.count("\n") == 1
    assert json.loads(line) == {
        "at": AT,
        "api": "trigger-dev",
        "operation": "get_run_events_v1",
        "status": 400,
        "method": "GET",
        "path": f"{EVENTS}?page=1",
        "fault": None,
        "violations": [
            {
                "in": "query",
                "name": "page",
                "rule": "unknown",
                "message": "get_run_events_v1 has no query parameter 'page'",
            }
        ],
    }


def test_a_request_of_no_api_has_a_line_too(printed):
    assert "404" in printed("/nope")


def test_what_a_terminal_does_not_know_keeps_no_line_from_it():
    written = io.BytesIO()
    out = io.TextIOWrapper(written, encoding="ascii")
    write_and_flush(out, "one\n")
    write_and_flush(out, "caf\xe9\nthree\n")
    assert written.getvalue() == b"one\ncaf\\xe9\nthree\n"
