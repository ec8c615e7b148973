"""``soundstage coverage``, as a user runs it; and the examples of docs/coverage.md."""

import json
import re
import shlex
import subprocess

import httpx
import pytest

from support.cli import run_command
from support.docs import DOCS
from support.in_process import ALGOLIA, RUN
from support.pytest_session import run_pytest
from support.server import SOUNDSTAGE, run_process, running_server

pytestmark = pytest.mark.slow

PAGE = (DOCS / "coverage.md").read_text()


@pytest.fixture(scope="module")
def server():
    with running_server("--now", "2026-01-01T00:00:00Z", "--speed", "0") as s:
        httpx.get(f"{s.url}/1/runs/{RUN}", headers=ALGOLIA)
        httpx.get(f"{s.url}/~other/1/runs/{RUN}")
        yield s


def test_all_worlds_of_a_running_server_are_counted(server):
    done = run_process("coverage", "--url", server.url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("algolia-ingestion: ")
    assert "not called and not selected: runwisp, trieve, trigger" in done.stdout
    assert "no status: 400, 404" in done.stdout


def test_one_world_may_be_selected(server):
    done = run_command("coverage", "--url", server.url, "--world", "other")
    assert "no status: 200, 400, 404" in done.stdout
    done = run_command("coverage", "--url", server.url, "--world", "missing")
    assert done.returncode == 2
    assert "worlds/missing: 404: there is no world 'missing'" in done.stderr


def test_the_threshold_decides_on_the_exit_code_and_the_reports_are_written(server, tmp_path):
    options = ("--report", "json,junit,html", "--report-dir", str(tmp_path / "new"))
    done = run_command("coverage", "--url", server.url, "--fail-under", "90", *options)
    assert done.returncode == 1
    assert "% is less than the 90 % required" in done.stderr
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["coverage.html", "coverage.json", "coverage.xml"]
    assert all(f"written: {tmp_path}/new/{name}" in done.stdout for name in written)
    again = run_process("coverage", str(tmp_path / "new" / "coverage.json"), "--fail-under", "0.1")
    assert again.returncode == 0
    assert again.stdout.splitlines()[0] in done.stdout


def test_figures_are_json_for_machines(server):
    done = run_command("coverage", "--url", server.url, "--api", "trieve", "--json")
    figures = json.loads(done.stdout)
    assert (figures["percent"], [*figures["apis"]]) == (0.0, ["trieve"])


def test_an_archive_is_counted_and_adds_to_others(server, tmp_path):
    har = tmp_path / "s.har"
    har.write_bytes(httpx.get(f"{server.url}/_soundstage/journal.har").content)
    alone = json.loads(run_command("coverage", str(har), "--json").stdout)
    both = json.loads(run_command("coverage", str(har), "--url", server.url, "--json").stdout)
    calls = [sum(one["calls"] for one in figures["operations"]) for figures in (alone, both)]
    assert calls == [1, 3]


def test_an_archive_may_be_counted_by_a_document_of_ones_own(tmp_path):
    spec = tmp_path / "mine.yaml"
    spec.write_text(
        "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n"
        "paths: {/a: {get: {responses: {'200': {description: It.}}}}}\n"
    )
    entries = [
        {
            "request": {"method": "GET", "url": f"http://x{path}", "headers": []},
            "response": {"status": 200, "headers": [], "content": {}},
        }
        for path in ("/a", "/b", "/b", "/c")
    ]
    har = tmp_path / "s.har"
    har.write_text(json.dumps({"log": {"entries": entries}}))
    done = run_command("coverage", str(har), "--spec", str(spec))
    assert done.returncode == 0, done.stderr
    assert "mine: 100.0 % (2 of 2)\n" in done.stdout
    assert "no operation matches GET http://x/b and 2 more" in done.stderr


UNUSABLE = [
    (["--url", "http://127.0.0.1:1"], "cannot reach soundstage at http://127.0.0.1:1"),
    (["--url", "nonsense"], "cannot reach soundstage at nonsense"),
    (["--url", "http://[x"], "http://[x"),
    (["nothing.har"], "cannot read nothing.har: No such file"),
    (["text"], "text is not JSON"),
    (["list"], "list: is neither an HTTP Archive nor coverage"),
    (["object"], "object: holds no coverage"),
    (["har"], "har: is no HTTP Archive"),
    (["data", "--api", "x"], "there is no coverage of 'x'"),
    (["data", "--except", "nothing.yaml"], "nothing.yaml: cannot be read"),
    (["data", "--fail-under", "101"], "expected a number from 0 to 100, not '101'"),
    (["data", "--fail-under", "nan"], "expected a number from 0 to 100, not 'nan'"),
    (["data", "--report", "pdf"], "'pdf' is not one of json, junit, html"),
    (["data", "--report", "json", "--report-dir", "text/x"], "cannot write to text/x"),
    (["har", "--spec", "text"], "text"),
    ([], ".soundstage-coverage.json does not exist"),
]


@pytest.mark.parametrize(("options", "message"), UNUSABLE, ids=lambda v: str(v)[:40])
def test_what_cannot_be_done_ends_with_a_message_and_exit_code_2(
    tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "text": "x",
        "list": "[]",
        "object": "{}",
        "har": '{"log": {}}',
        "data": '{"operations": []}',
    }.items():
        (tmp_path / name).write_text(text)
    done = run_command("coverage", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


# In tests.

TESTS = """
import pytest
from soundstage import Soundstage

DATASET = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"

@pytest.mark.parametrize("order", ["asc", "desc"])
def test_fixture(soundstage, order):
    run = soundstage.start("algolia-ingestion", "clean_reindex")
    with soundstage.httpx_client("algolia-ingestion") as client:
        client.get(f"/1/runs/{run.id}/events", params={"order": order})

@pytest.mark.soundstage(apis="trieve")
def test_another_server(soundstage):
    with soundstage.httpx_client("trieve") as client:
        client.post("/api/dataset/events", headers={"TR-Dataset": DATASET}, json={})

def test_without_fixture():
    with Soundstage() as soundstage:
        with soundstage.httpx_client("algolia-ingestion") as client:
            client.get("/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f")
"""
DATA = ".soundstage-coverage.json"


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tested")
    (folder / "test_it.py").write_text(TESTS)
    return folder


def seen_in(path):
    found = json.loads(path.read_text())["operations"]
    return {
        one["operation"]: (one["calls"], len(one["values"]["seen"]))
        for one in found
        if one["calls"]
    }


@pytest.fixture(scope="module")
def measured(tested):
    return run_pytest(tested, "--soundstage-coverage"), seen_in(tested / DATA)


def test_tests_are_measured(measured, tested):
    done, seen = measured
    assert done.returncode == 0, done.stdout
    assert {name: calls for name, (calls, _) in seen.items()} == {
        "getRun": 1,
        "listEvents": 2,
        "get_events": 1,
    }
    assert "= soundstage coverage =" in done.stdout
    assert "not called and not selected: runwisp, trigger" in done.stdout
    assert f"written: {DATA}; what is missing: soundstage coverage" in done.stdout
    assert re.search("listEvents +2 ", run_command("coverage", str(tested / DATA)).stdout)


def test_workers_of_xdist_are_measured_together(measured, tested):
    data = ("--soundstage-coverage-data", "two.json")
    done = run_pytest(tested, "-p", "xdist", "-n", "2", *data)
    assert done.returncode == 0, done.stdout
    assert seen_in(tested / "two.json") == measured[1]


def test_a_threshold_fails_the_session(tested):
    done = run_pytest(tested, "--soundstage-coverage-fail-under", "99", "-k", "fixture")
    assert done.returncode == 1
    assert "soundstage: " in done.stdout
    assert "% is less than the 99 % required" in done.stdout
    least = ("--soundstage-coverage-fail-under", "0.1")
    assert run_pytest(tested, *least).returncode == 0


def test_exceptions_and_apis_can_be_options(tested):
    (tested / "except.yaml").write_text(
        "exceptions:\n"
        "- {api: runwisp, operation: '*', reason: no client of ours calls it}\n"
        "- {api: runwisp, operation: other, reason: it was there once}\n"
    )
    options = ("--soundstage-coverage-except", "except.yaml")
    done = run_pytest(tested, *options, "--soundstage-coverage-api", "runwisp")
    assert re.search(r"covered: 100\.0 % \(0 of 0, [0-9]+ excused\)", done.stdout)
    assert "except.yaml:3: runwisp other: this exception matches nothing" in done.stdout
    assert done.returncode == 1


def test_what_is_wrong_with_the_options_is_a_line_not_a_traceback(tested):
    done = run_pytest(tested, "--soundstage-coverage-except", "nothing.yaml")
    assert done.returncode == 1
    assert "soundstage: nothing.yaml: cannot be read: No such file" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout


def test_a_session_that_needs_no_world_has_covered_nothing(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it():\n    pass\n")
    done = run_pytest(tmp_path, "--soundstage-coverage")
    assert done.returncode == 0
    assert "covered: 0.0 % (0 of 0)" in done.stdout
    least = ("--soundstage-coverage-fail-under", "1")
    assert run_pytest(tmp_path, *least).returncode == 1


def test_nothing_is_measured_without_an_option(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS)
    done = run_pytest(tmp_path)
    assert "soundstage coverage" not in done.stdout
    assert not (tmp_path / DATA).exists()


def test_a_worker_that_crashes_is_reported(tmp_path):
    (tmp_path / "test_it.py").write_text("import os\n\ndef test_it(soundstage):\n    os._exit(1)\n")
    options = ("-p", "xdist", "-n", "1", "--max-worker-restart", "0")
    done = run_pytest(tmp_path, "--soundstage-coverage", *options)
    assert "a worker crashed: what it covered is not counted" in done.stdout


# The page.


def test_every_option_is_on_the_page():
    text = run_command("coverage", "--help").stdout
    for option in {*re.findall(r"--[a-z-]+", text)} - {"--help"}:
        assert f"`{option}" in PAGE, option


def test_the_exceptions_of_the_page_can_be_used(tmp_path, server):
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "e.yaml").write_text(shown)
    options = ("--api", "algolia-ingestion", "--api", "runwisp")
    done = run_command(
        "coverage", "--url", server.url, "--except", str(tmp_path / "e.yaml"), *options
    )
    assert done.returncode == 0, done.stdout
    assert "exception" not in done.stdout


BLOCKS = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_page_shows_the_output():
    (block,) = [one for one in BLOCKS if "curl" in one]
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    command = shlex.join(SOUNDSTAGE)
    with running_server("--now", "2026-01-01T00:00:00Z", "--speed", "0") as server:
        script = block.replace("http://127.0.0.1:4010", server.url)
        script = script.replace("soundstage coverage", f"{command} coverage")
        done = subprocess.run(
            script, shell=True, capture_output=True, text=True, timeout=60, check=True
        )
    lines = [line.split() for line in done.stdout.splitlines()]
    for line in shown.splitlines():  # however many operations there are meanwhile
        assert line == "…" or line.split() in lines, line


def test_the_pages_other_commands_are_there():
    lines = [line.partition("#")[0].split() for block in BLOCKS for line in block.splitlines()]
    commands = [words[1:] for words in lines if words[:1] == ["soundstage"]]
    assert len(commands) == 6
    for words in commands:
        assert run_command(*words, "--help").returncode == 0
