"""Access to the control API: rebinding, cross-site calls and guesses are rejected."""

import socket

import pytest

from soundstage.server.guard import Guard, generate_token, is_loopback
from support.in_process import RUN, new_worlds_client
from support.server import run_process, running_server

HEALTH = "/_soundstage/health"
TOKEN = "correct-horse-battery-staple"  # noqa: S105 - that of these tests


@pytest.fixture(scope="module")
def open_client():
    with new_worlds_client() as client:
        yield client


@pytest.fixture(scope="module")
def guarded():
    with new_worlds_client(Guard(TOKEN)) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4010", "localhost", "LOCALHOST:1", "[::1]:4010", "a.localhost"]
)
def test_local_host_names_are_accepted(open_client, host):
    assert open_client.get(HEALTH, headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4010",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "xlocalhost",
        "10.0.0.1",
        "127.0.0.1@evil.example",
        "",
    ],
)
def test_a_foreign_host_name_is_rejected(open_client, host):
    response = open_client.get(HEALTH, headers={"Host": host})
    assert response.status_code == 403
    assert "local host names" in response.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://127.0.0.1:1@evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_page_of_another_site_is_rejected(open_client, headers, method):
    response = open_client.request(method, "/_soundstage/worlds", headers=headers)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://[::1]:3000"])
def test_a_page_of_this_machine_is_welcome(open_client, origin):
    response = open_client.get(HEALTH, headers={"Origin": origin})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin


@pytest.mark.parametrize(
    "headers",
    [
        {"Soundstage-Token": TOKEN},
        {"Authorization": f"Bearer {TOKEN}"},
        {"Soundstage-Token": TOKEN, "Host": "soundstage:4010"},
    ],
)
def test_the_token_opens_the_control_api(guarded, headers):
    assert guarded.get(HEALTH, headers=headers).status_code == 200


GUESSES = ["", "x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "Bearer", "é", "*"]


@pytest.mark.parametrize("guess", GUESSES)
@pytest.mark.parametrize("header", ["Soundstage-Token", "Authorization"])
def test_a_guess_does_not(guarded, guess, header):
    value = f"Bearer {guess}" if header == "Authorization" else guess
    response = guarded.get(HEALTH, headers={header: value.encode()})
    assert response.status_code == 401
    assert TOKEN not in response.text


@pytest.mark.parametrize("path", ["/~other" + HEALTH, "//_soundstage/health"])
def test_no_other_path_leads_around_the_guard(guarded, path):
    response = guarded.get("http://127.0.0.1:4010" + path)
    assert response.status_code in {401, 404}


def test_the_apis_need_no_token_of_ours(guarded):
    response = guarded.get(f"/1/runs/{RUN}", headers={"Host": "soundstage:4010"})
    assert response.status_code == 403
    assert response.json() == {"message": "Invalid Application-Id or API-Key"}


def test_tokens_are_long_and_never_the_same():
    tokens = {generate_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 32


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound here
        ("::", False),
        ("192.168.1.2", False),
    ],
)
def test_only_loopback_is_loopback(address, local):
    assert is_loopback(address) is local


@pytest.mark.slow
def test_a_server_that_others_reach_prints_a_token_and_asks_for_it():
    with running_server("--host", "0.0.0.0") as server:  # noqa: S104
        port, token = server.port, server.greeting["token"]
        request = f"GET {HEALTH} HTTP/1.1\r\nHost: soundstage\r\nConnection: close\r\n"
        refused = raw(port, f"{request}\r\n")
        welcome = raw(port, f"{request}Soundstage-Token: {token}\r\n\r\n")
    assert len(token) >= 32
    assert refused.startswith("HTTP/1.1 401")
    assert welcome.startswith("HTTP/1.1 200")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a\r\nSet-Cookie: x=1", "a\nb", "a\x00b", "../default", "~"])
def test_a_header_that_carries_another_makes_no_world(name):
    with running_server() as server:
        request = (
            f"GET {HEALTH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Soundstage-World: {name}\r\n\r\n"
        )
        response = raw(server.port, request)
    head = response.partition("\r\n\r\n")[0].lower()
    assert "set-cookie" not in head
    assert response.startswith(("HTTP/1.1 400", "HTTP/1.1 200"))
    if response.startswith("HTTP/1.1 200"):  # the line ended: the rest is a header
        assert '"world":"a"' in response


@pytest.mark.slow
def test_a_token_of_ones_own_is_taken():
    with running_server("--control-token", TOKEN) as server:
        response = raw(
            server.port, f"GET {HEALTH} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
    assert response.startswith("HTTP/1.1 401")


@pytest.mark.slow
def test_the_token_is_explained():
    assert "--control-token" in run_process("serve", "--help").stdout


def raw(port: int, request: str) -> str:
    """What comes back for these very bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")
