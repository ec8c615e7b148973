"""The proxy before services that do what they like."""

import gzip
import json
import socket
import threading
import time
import zlib

import httpx
import pytest

from soundstage.tools.proxy.bodies import MAX_BUFFERED_BYTES, BodyBuffer
from soundstage.tools.proxy.contract_router import build_api_router, build_document_router
from support.proxy import proxy_thread
from support.things_api import SPEC, json_bytes, sse_event, things_service
from support.upstream import free_port, respond, upstream_service


@pytest.fixture(scope="module")
def terms(tmp_path_factory):
    path = tmp_path_factory.mktemp("spec") / "things.yaml"
    path.write_text(SPEC)
    return build_document_router(str(path))


def test_both_directions_are_validated_and_a_header_lists_violations(terms):
    with things_service(json_bytes({"id": "x"})) as real, proxy_thread(real.url, terms) as proxy:
        response = httpx.get(f"{proxy.url}/things/1?size=10")
        listed = json.loads(response.headers["soundstage-violations"])
        line = proxy.line()
    assert response.json() == {"id": "x"}
    assert [(v["in"], v["rule"]) for v in listed] == [("query", "maximum"), ("answer", "type")]
    assert line["violations"] == listed
    summary = proxy.notes.summarize()
    assert summary["requests"] == summary["answers"] == 1
    assert summary["violations"][0]["operation"] == "getThing"
    assert [e.violations[0].rule for e in proxy.notes.journal.entries()] == ["maximum"]


@pytest.mark.parametrize("coding", ["identity", "odd"])
def test_an_invalid_response_header_is_listed_for_any_body(terms, coding):
    body, headers = json_bytes({"id": 1}), {"X_Left": "few", "Content_Encoding": coding}
    with things_service(body, **headers) as real, proxy_thread(real.url, terms) as proxy:
        with httpx.stream("GET", f"{proxy.url}/things/1") as response:
            (listed,) = json.loads(response.headers["soundstage-violations"])
        assert proxy.line()["violations"] == [listed]
    assert (listed["in"], listed["name"], listed["rule"]) == ("answer", "X-Left", "type")


def test_a_silent_proxy_adds_no_header(terms):
    with (
        things_service(json_bytes({})) as real,
        proxy_thread(real.url, terms, adds_violations_header=False) as proxy,
    ):
        response = httpx.get(f"{proxy.url}/things/1")
        assert len(proxy.line()["violations"]) == 1
    assert "soundstage-violations" not in response.headers


def test_a_violating_request_can_be_refused_before_it_is_passed_on(terms):
    with things_service(json_bytes({"id": 1})) as real:
        with proxy_thread(real.url, terms, rejects_requests=True) as proxy:
            response = httpx.get(f"{proxy.url}/things/1?size=10")
            wrong_method = httpx.delete(f"{proxy.url}/things/1")
            note = proxy.line()["note"]
        assert real.requests == []
    assert response.status_code == 400
    assert response.json()["detail"] == "query.size: 10 is greater than the maximum of 9"
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET")
    assert note == "rejected, not forwarded"


def test_an_api_refuses_in_its_own_words():
    with things_service(json_bytes({})) as real:
        algolia = build_api_router("algolia-ingestion")
        with proxy_thread(real.url, algolia, rejects_requests=True) as proxy:
            response = httpx.get(f"{proxy.url}/1/runs/a")
    assert response.status_code == 403
    assert response.json() == {"message": "Invalid Application-Id or API-Key"}


@pytest.mark.parametrize(
    ("sent", "wrong"), [({"X-Key": "any"}, []), ({}, ["security"])], ids=["with a key", "without"]
)
def test_secrets_need_to_be_there_whatever_they_are(terms, sent, wrong):
    with things_service(b"", kind="", status=201) as real:
        with proxy_thread(real.url, terms) as proxy:
            httpx.post(f"{proxy.url}/things", json={"id": 1}, headers=sent)
            line = proxy.line()
        assert json.loads(real.requests[0][3]) == {"id": 1}
    assert [v["rule"] for v in line["violations"]] == wrong


def test_an_undocumented_status_and_a_path_that_nothing_has_are_violations(terms):
    with things_service(json_bytes({}), status=418) as real, proxy_thread(real.url, terms) as proxy:
        assert httpx.get(f"{proxy.url}/things/1").status_code == 418
        httpx.get(f"{proxy.url}/nowhere")
        rules = [[v["rule"] for v in proxy.line()["violations"]] for _ in range(2)]
    assert rules == [["status"], ["route"]]


PACKED = {
    "gzip": gzip.compress(json_bytes({"id": 7})),
    "deflate": zlib.compress(json_bytes({"id": 7})),
}


@pytest.mark.parametrize("coding", PACKED)
def test_the_decoded_body_is_validated(terms, tmp_path, coding):
    har = tmp_path / "a.har"
    with things_service(PACKED[coding], Content_Encoding=coding) as real:
        with proxy_thread(real.url, terms, tape=har) as proxy:
            accepted = {"Accept-Encoding": "odd, gzip;q=0.9, deflate"}
            with httpx.stream("GET", f"{proxy.url}/things/7", headers=accepted) as got:
                raw = b"".join(got.iter_raw())
            assert proxy.line()["violations"] == []
        assert real.requests[0][2]["accept-encoding"] == "gzip;q=0.9, deflate"
    assert raw == PACKED[coding], "it is passed on as it came"
    (entry,) = json.loads(har.read_text())["log"]["entries"]
    assert entry["response"]["content"]["text"] == '{"id": 7}'


@pytest.mark.parametrize(
    ("coding", "note"),
    [
        ("odd", "a body with the content coding 'odd' cannot be validated"),
        ("gzip", "a body is not in its content coding 'gzip'"),
    ],
)
def test_what_cannot_be_unpacked_is_passed_on_with_a_note(terms, coding, note):
    with (
        things_service(b"\0\1", Content_Encoding=coding) as real,
        proxy_thread(real.url, terms) as proxy,
    ):
        with httpx.stream("GET", f"{proxy.url}/things/7") as got:
            assert b"".join(got.iter_raw()) == b"\0\1"
        line = proxy.line()
    assert line["note"].startswith(note)
    assert line["violations"] == []


def test_an_encoded_request_is_validated_decoded(terms):
    headers = {"X-Key": "k", "Content-Type": "application/json"}
    packed = gzip.compress(json_bytes({"id": "no"}))
    with things_service(b"", kind="", status=201) as real:
        with proxy_thread(real.url, terms) as proxy:
            httpx.post(
                f"{proxy.url}/things",
                content=packed,
                headers={**headers, "Content-Encoding": "gzip"},
            )
            (found,) = proxy.line()["violations"]
        assert real.requests[0][3] == packed
    assert (found["in"], found["pointer"]) == ("body", "/id")


def chunked(handler, *parts, kind, pause=0.0):
    handler.send_response(200)
    handler.send_header("Content-Type", kind)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for part in parts:
        handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        handler.wfile.flush()
        time.sleep(pause)
    handler.wfile.write(b"0\r\n\r\n")


def test_events_are_forwarded_at_once_and_validated_at_the_end(terms):
    go_on = threading.Event()

    def response(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.wfile.write(sse_event({"id": 1}))
        go_on.wait(20)
        handler.wfile.write(sse_event({"id": "two"}))
        handler.close_connection = True

    # A silence that is longer than the patience is part of a stream.
    with upstream_service(response) as real, proxy_thread(real.url, terms, timeout=0.3) as proxy:
        with httpx.stream("GET", f"{proxy.url}/news", timeout=20) as got:
            parts = got.iter_raw()
            assert next(parts) == sse_event({"id": 1})
            time.sleep(0.8)
            go_on.set()
            assert b"".join(parts) == sse_event({"id": "two"})
        (found,) = proxy.line()["violations"]
    assert found["pointer"] == "/1/data/id"


def test_a_disconnect_closes_the_upstream_and_its_events_are_validated(terms):
    left = threading.Event()

    def response(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        try:
            for _ in range(2_000):
                handler.wfile.write(sse_event({"id": "no"}))
                time.sleep(0.01)
        except OSError:
            left.set()
        handler.close_connection = True

    with upstream_service(response) as real, proxy_thread(real.url, terms) as proxy:
        with httpx.stream("GET", f"{proxy.url}/news", timeout=20) as got:
            next(got.iter_raw())
        line = proxy.line()
        assert left.wait(10)
    assert line["note"] == "the client disconnected before the end"
    assert line["violations"][0]["pointer"] == "/0/data/id"


def test_a_body_that_comes_in_pieces_is_passed_on(terms):
    with things_service(b"", kind="", status=201) as real:
        with proxy_thread(real.url, terms) as proxy:
            headers = {"X-Key": "k", "Content-Type": "application/json"}
            pieces = iter([b'{"id"', b": 5}"])
            httpx.post(f"{proxy.url}/things", content=pieces, headers=headers)
            assert proxy.line()["violations"] == []
        assert real.requests[0][3] == b'{"id": 5}'
        assert real.requests[0][2]["transfer-encoding"] == "chunked"


def test_chunked_json_is_buffered_and_validated(terms):
    def response(handler):
        chunked(handler, b'{"id"', b": null}", kind="application/json")

    with upstream_service(response) as real, proxy_thread(real.url, terms) as proxy:
        response = httpx.get(f"{proxy.url}/things/1")
    assert response.json() == {"id": None}
    assert "soundstage-violations" in response.headers


def test_headers_of_one_connection_are_not_passed_on(terms):
    def response(handler):
        respond(handler, json_bytes({"id": 1}), Connection="X-Hop", X_Hop="1", Keep_Alive="9")

    with upstream_service(response) as real:
        with proxy_thread(real.url, terms) as proxy:
            hop = {"Connection": "close, X-Away", "X-Away": "1", "TE": "trailers"}
            response = httpx.get(f"{proxy.url}/things/1", headers=hop)
        asked = real.requests[0][2]
    assert not {"x-away", "te"} & asked.keys()
    assert not {"x-hop", "keep-alive"} & response.headers.keys()


def test_a_redirect_is_passed_on_and_leads_back_through_the_proxy(terms):
    places = {}

    def response(handler):
        respond(handler, status=302, Location=places[handler.path])

    with upstream_service(response) as real:
        places["/things/1"] = f"{real.url}/things/2?size=1"
        places["/things/3"] = "https://elsewhere.example/things/3"
        with proxy_thread(real.url, terms) as proxy:
            here = httpx.get(f"{proxy.url}/things/1")
            away = httpx.get(f"{proxy.url}/things/3")
        assert len(real.requests) == 2
    assert (here.status_code, here.headers["location"]) == (302, "/things/2?size=1")
    assert away.headers["location"] == places["/things/3"]


def test_an_unreachable_service_is_a_502(terms):
    with proxy_thread(f"http://127.0.0.1:{free_port()}", terms) as proxy:
        response = httpx.get(f"{proxy.url}/things/1")
        line = proxy.line()
    assert response.status_code == 502
    assert "cannot be reached" in response.json()["detail"]
    assert line["note"] == response.json()["detail"]
    assert line["violations"] == []


def test_a_silent_service_is_a_504(terms):
    with (
        upstream_service(lambda _: time.sleep(3)) as real,
        proxy_thread(real.url, terms, timeout=0.2) as proxy,
    ):
        response = httpx.get(f"{proxy.url}/things/1")
    assert response.status_code == 504
    assert response.json()["detail"].endswith("did not respond within 0.2 s")


def test_an_interrupted_response_is_a_502(terms):
    def response(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"id"')
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)

    with upstream_service(response) as real, proxy_thread(real.url, terms) as proxy:
        response = httpx.get(f"{proxy.url}/things/1")
    assert response.status_code == 502


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304), ("GET", 404)])
def test_responses_without_a_body_are_forwarded(terms, method, status):
    with (
        things_service(b"", kind="application/json", status=status, ETag='"1"') as real,
        proxy_thread(real.url, terms) as proxy,
    ):
        condition = {"If-None-Match": '"1"'}
        response = httpx.request(method, f"{proxy.url}/things/1", headers=condition, timeout=5)
        rules = [v["rule"] for v in proxy.line()["violations"]]
    assert (response.status_code, response.content) == (status, b"")
    assert rules == (["method"] if method == "HEAD" else [])


def test_a_browsers_preflight_breaks_nothing(terms):
    with (
        things_service(b"", kind="", status=204) as real,
        proxy_thread(real.url, terms, rejects_requests=True) as proxy,
    ):
        asks = {"Origin": "http://x", "Access-Control-Request-Method": "GET"}
        response = httpx.options(f"{proxy.url}/things/1", headers=asks)
    assert response.status_code == 204
    assert proxy.line()["violations"] == []


@pytest.mark.parametrize("kept", [False, True])
def test_secrets_stay_out_of_lines_and_of_the_archive_unless_they_are_kept(terms, tmp_path, kept):
    har = tmp_path / "run.har"
    repeated = json_bytes({"id": "a-secret-key"})  # which a violation quotes
    headers = {"X-Key": "a-secret-key", "Cookie": "session=other-secret"}
    with things_service(repeated) as real:
        with proxy_thread(real.url, terms, tape=har, keep_secrets=kept) as proxy:
            httpx.get(f"{proxy.url}/things/1", headers=headers)
            line = proxy.line()
        assert real.requests[0][2]["x-key"] == "a-secret-key"
    assert line["violations"]
    assert "secret" not in json.dumps(line)
    assert ("a-secret-key" in har.read_text()) == kept
    assert ("other-secret" in har.read_text()) == kept


def test_the_journal_can_be_asked_while_the_proxy_runs(terms):
    with things_service(json_bytes({"id": "x"})) as real, proxy_thread(real.url, terms) as proxy:
        httpx.get(f"{proxy.url}/things/1?size=10", headers={"X-Key": "secret-key"})
        httpx.get(f"{proxy.url}/things/2?size=1")
        asked = httpx.Client(base_url=f"{proxy.url}/_soundstage")
        with asked as desk:
            journal = desk.get("/journal?limit=1").json()
            violations = desk.get("/violations?operation=getThing&status=2XX").json()
            coverage = desk.get("/coverage").json()["operations"]
            har = desk.get("/journal.har").json()
            assert desk.get("/nothing").status_code == 404
            assert desk.post("/journal").status_code == 405
            assert desk.get("/journal?limit=x").status_code == 400
            assert desk.get("/journal", headers={"Host": "evil.test"}).is_client_error
        assert len(real.requests) == 2
    assert journal["total"] == 2
    assert [e["path"] for e in journal["entries"]] == ["/things/2?size=1"]
    assert [v["in"] for v in violations["entries"][0]["violations"]] == ["query", "answer"]
    assert violations["total"] == 2
    seen = {one["operation"]: one["parameters"]["seen"] for one in coverage}
    assert seen["getThing"] == ["path.id", "query.size"]
    assert len(har["log"]["entries"]) == 2
    assert "secret-key" not in json.dumps(journal)


def test_what_is_wrong_from_the_start_is_kept_back_before_it_streams(terms):
    def response(handler):
        chunked(handler, b"<p>", b"</p>", kind="text/html")

    with (
        upstream_service(response) as real,
        proxy_thread(real.url, terms, withholds_responses=True) as proxy,
    ):
        response = httpx.get(f"{proxy.url}/things/1")
        assert proxy.line()["violations"][0]["rule"] == "media type"
    assert response.status_code == 502
    assert "text/html" in response.json()["violations"][0]["message"]


def test_a_response_that_is_too_long_is_forwarded_without_validation(terms):
    long = b'{"id": "' + b"x" * (17 * 2**20) + b'"}'
    with things_service(long) as real, proxy_thread(real.url, terms) as proxy:
        got = httpx.get(f"{proxy.url}/things/1", timeout=60)
        line = proxy.line()
        (entry,) = proxy.notes.journal.entries()
    assert got.content == long
    assert line["violations"] == []
    assert line["note"] == "the response body is too long to be validated"
    assert entry.response_body.size == len(long)
    assert entry.response_body.is_truncated


def test_a_request_that_is_too_long_passes_unjudged(terms):
    long = b'{"id": "' + b"x" * (17 * 2**20) + b'"}'
    headers = {"X-Key": "k", "Content-Type": "application/json"}
    with things_service(b"", kind="", status=201) as real:
        with proxy_thread(real.url, terms, rejects_requests=True) as proxy:
            httpx.post(f"{proxy.url}/things", content=long, headers=headers, timeout=60)
            line = proxy.line()
        assert real.requests[0][3] == long
    assert line["note"] == "the request body is too long to be validated"
    assert line["violations"] == []


def test_the_violations_header_replaces_that_of_the_service(terms):
    own = {"Soundstage_Violations": "theirs"}
    with (
        things_service(json_bytes({"id": 1}), **own) as real,
        proxy_thread(real.url, terms) as proxy,
    ):
        fine = httpx.get(f"{proxy.url}/things/1")
        wrong = httpx.get(f"{proxy.url}/things/1?size=10")
    assert fine.headers.get_list("soundstage-violations") == ["theirs"]
    (listed,) = wrong.headers.get_list("soundstage-violations")
    assert json.loads(listed)[0]["rule"] == "maximum"


def test_no_more_of_a_body_is_buffered_than_can_be_validated():
    kept = BodyBuffer()
    for _ in range(40):
        kept.append(bytes(2**20))
    assert kept.is_truncated
    assert kept.size == 40 * 2**20
    assert len(kept.data) == MAX_BUFFERED_BYTES
    assert sum(map(len, kept.chunks)) <= MAX_BUFFERED_BYTES + 2**20


class FullDisk:
    def append(self, _entry):
        raise OSError(28, "No space left on device")


def test_traffic_goes_on_when_nothing_can_be_recorded_any_more(terms):
    with things_service(json_bytes({"id": 1})) as real, proxy_thread(real.url, terms) as proxy:
        proxy.notes._har_file = FullDisk()
        assert httpx.get(f"{proxy.url}/things/1").is_success
        assert proxy.line() == {"said": "recording stopped: No space left on device"}
        assert proxy.line()["status"] == 200
        assert httpx.get(f"{proxy.url}/things/2").is_success
        assert proxy.line()["path"] == "/things/2"
