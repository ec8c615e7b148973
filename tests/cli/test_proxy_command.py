"""``soundstage proxy``, as a user runs it."""

import json
import signal
import subprocess
import time

import httpx
import pytest

from soundstage.cli import main
from support.proxy import proxy_process
from support.server import SOUNDSTAGE, next_line, run_process
from support.things_api import SPEC, json_bytes, sse_event, things_service
from support.upstream import upstream_service

pytestmark = pytest.mark.slow


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "things.yaml"
    path.write_text(SPEC)
    return str(path)


def test_what_keeps_the_contract_passes_as_it_is(spec):
    with things_service(json_bytes({"id": 1}), X_Own="a") as real:
        with proxy_process(real.url + "/v1", "--spec", spec) as proxy:
            url = f"{proxy.url}/things/a%2Fb?size=3&size="
            response = httpx.get(url.removesuffix("&size="), headers={"X-Mine": "b"})
            line = proxy.line()
        ((method, target, headers, _),) = real.requests
    assert response.json() == {"id": 1}
    assert response.headers["x-own"] == "a"
    assert "soundstage-violations" not in response.headers
    assert (method, target) == ("GET", "/v1/things/a%2Fb?size=3")
    assert headers["x-mine"] == "b"
    assert headers["host"] == real.url.removeprefix("http://")
    assert (line["operation"], line["status"]) == ("getThing", 200)
    assert line["violations"] == []
    assert proxy.code == 0
    assert proxy.errors == ""
    assert proxy.summary["exchanges"] == 1


def test_an_invalid_response_can_be_withheld(spec):
    with (
        things_service(json_bytes({"id": "x"})) as real,
        proxy_process(real.url, "--spec", spec, "--fail-on", "response") as proxy,
    ):
        response = httpx.get(f"{proxy.url}/things/1?size=10")
        line = proxy.line()
    assert response.status_code == 502
    assert response.headers["content-type"] == "application/problem+json"
    assert [v["pointer"] for v in response.json()["violations"]] == ["/id"]
    assert line["status"] == 200, "this is the status of the service"
    assert proxy.code == 1


def test_only_what_was_chosen_decides_the_exit_code(spec):
    with (
        things_service(json_bytes({"id": 1})) as real,
        proxy_process(real.url, "--spec", spec, "--fail-on", "response") as proxy,
    ):
        httpx.get(f"{proxy.url}/things/1?size=10")
    assert proxy.summary["requests"] == 1
    assert proxy.code == 0


def test_an_operation_that_cannot_be_validated_is_named_and_forwarded(spec):
    with (
        things_service(b"", kind="") as real,
        proxy_process(real.url, "--spec", spec, "--fail-on", "request") as proxy,
    ):
        assert httpx.request("PUT", f"{proxy.url}/files").status_code == 501
    assert proxy.greeting["operations"] == 3
    ((name, reason),) = proxy.greeting["unjudged"].items()
    assert name == "PUT /files"
    assert "application/octet-stream" in reason
    assert proxy.code == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_archive_is_complete_however_the_proxy_ends(spec, tmp_path, how):
    har = tmp_path / "run.har"
    with (
        things_service(json_bytes({"id": "x"})) as real,
        proxy_process(real.url, "--spec", spec, "--record", str(har)) as proxy,
    ):
        assert json.loads(har.read_text())["log"]["entries"] == []
        for number in range(3):
            httpx.get(f"{proxy.url}/things/{number}", headers={"X-Key": "hidden"})
        for _ in range(3):
            proxy.line()
        proxy.end(how)
    log = json.loads(har.read_text())["log"]
    assert log["version"] == "1.2"
    assert [e["_operation"] for e in log["entries"]] == ["getThing"] * 3
    assert log["entries"][2]["request"]["url"] == f"{real.url}/things/2"
    assert log["entries"][0]["_violations"][0]["rule"] == "type"
    assert log["entries"][0]["response"]["status"] == 200
    assert proxy.code == (-signal.SIGKILL if how == signal.SIGKILL else 0)


def test_an_exchange_that_is_interrupted_is_in_the_archive(spec, tmp_path):
    har = tmp_path / "run.har"

    def response(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()
        handler.wfile.write(sse_event({"id": 1}))
        time.sleep(30)  # longer than anybody waits for the proxy to end

    with (
        upstream_service(response) as real,
        proxy_process(real.url, "--spec", spec, "--record", str(har)) as proxy,
        httpx.stream("GET", f"{proxy.url}/news", timeout=20) as got,
    ):
        parts = got.iter_raw()  # a stream without a reference is closed
        next(parts)
        proxy.end()
    (entry,) = json.loads(har.read_text())["log"]["entries"]
    assert entry["response"]["content"]["text"] == sse_event({"id": 1}).decode()
    assert proxy.summary["exchanges"] == 1


def test_people_get_text(spec):
    with things_service(json_bytes({"id": "x"})) as real:
        command = [*SOUNDSTAGE, "proxy", real.url, "--spec", spec, "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            first = next_line(process.stdout)
            httpx.get(f"{first.split()[3]}/things/1%1b")
            process.send_signal(signal.SIGINT)
            output = process.stdout.read()
        finally:
            process.kill()
            process.communicate(timeout=10)
    assert first.startswith("Soundstage proxy on http://127.0.0.1:")
    assert f"-> {real.url}" in first
    assert "contract: things, 3 operations" in output
    assert "not validated: PUT /files" in output
    assert "  200  getThing  GET /things/1%1b  " in output
    assert '    answer.id: "x" is not of type "integer"' in output
    assert "1 exchange; invalid: 0 requests and 1 response" in output
    assert "    1x getThing: answer.id [type]" in output


def test_traffic_continues_when_the_output_is_not_read(spec):
    with things_service(json_bytes({"id": 1})) as real:
        command = [*SOUNDSTAGE, "proxy", real.url, "--spec", spec, "--port", "0"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            url = next_line(process.stdout).split()[3]
            process.stdout.close()
            for _ in range(2):
                assert httpx.get(f"{url}/things/1").json() == {"id": 1}
            process.send_signal(signal.SIGINT)
            code, output = process.wait(10), process.stderr.read()
        finally:
            process.kill()
            process.wait(10)
            process.stderr.close()
    assert (code, output) == (0, "")


BAD_STARTS = [
    (["ftp://x", "--api", "trieve"], "'ftp://x' is not the http:// or https:// URL"),
    (["http://x?a=1", "--api", "trieve"], "has more than a scheme, a host and a path"),
    (["http://x", "--api", "nope"], "there is no API 'nope'; there are:"),
    (["http://x", "--spec", "/nowhere"], "/nowhere: cannot be read: No such file"),
    (["http://x"], "one of the arguments --api --spec is required"),
    (["http://x", "--api", "trieve", "--fail-on", "all"], "'all' is neither request"),
    (["http://x", "--api", "trieve", "--timeout", "0"], "--timeout takes a number"),
    (["http://x", "--api", "trieve", "--port", "70000"], "cannot listen on 127.0.0.1"),
    (
        ["http://x", "--api", "trieve", "--port", "0", "--record", "/no/a.har"],
        "cannot write /no/a.har: No such file or directory",
    ),
]


@pytest.mark.parametrize(("options", "output"), BAD_STARTS, ids=lambda v: str(v)[:50])
def test_a_proxy_that_cannot_be_is_one_message_and_exit_code_2(options, output, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["proxy", *options])
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert output in printed.err
    assert printed.out == ""


def test_a_document_without_valid_operations_is_rejected(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n")
    done = run_process("proxy", "http://x", "--spec", str(path))
    assert done.returncode == 2
    assert done.stderr.endswith("no operation can be validated: it has none\n")
