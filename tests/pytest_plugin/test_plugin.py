"""The pytest plugin, in sessions of its own."""

import json
import re
import shlex
import subprocess
import sys

import httpx
import pytest

from support.pytest_session import run_pytest
from support.server import running_server

pytestmark = pytest.mark.slow

HEAVY = {"connexion", "httpx", "jsonschema_rs", "starlette", "uvicorn", "yaml"}


def outcome(done):
    return done.stdout.strip().splitlines()[-1].partition(" in ")[0]


def test_the_plugin_takes_less_than_30_ms_of_an_interpreters_start():
    command = [sys.executable, "-X", "importtime", "-c"]
    code = "import pytest; import soundstage.pytest_plugin.plugin"
    took = []
    for _ in range(3):
        done = subprocess.run([*command, code], capture_output=True, text=True, check=True)
        line = re.compile(r"(\d+) \| *soundstage.pytest_plugin.plugin$", re.MULTILINE)
        took += map(int, line.findall(done.stderr))
    assert len(took) == 3
    assert min(took) < 30_000  # microseconds


def test_nothing_heavy_is_imported_before_a_fixture_is_used(tmp_path):
    (tmp_path / "test_light.py").write_text(
        f"import sys\n\nHEAVY = {HEAVY}\n\n"
        "@__import__('pytest').mark.soundstage(seed=1)\n"
        "def test_before():\n    assert not HEAVY & {*sys.modules}\n\n"
        "def test_then(soundstage):\n    assert HEAVY <= {*sys.modules}\n"
    )
    assert outcome(run_pytest(tmp_path)) == "2 passed"


BREAKS = """
import httpx
import pytest

def broken(soundstage):
    with soundstage.httpx_client("algolia-ingestion") as client:
        client.get("/1/runs/any/events?itemsPerPage=0")
        client.get("/1/runs/any/events?order=up")

def test_unexpected(soundstage):
    broken(soundstage)

def test_fails_anyway(soundstage):
    broken(soundstage)
    assert False, "for a reason of its own"

@pytest.mark.soundstage(violations="allow")
def test_allowed(soundstage):
    broken(soundstage)
    assert len(soundstage.violations) == 2

def test_expected(soundstage):
    with soundstage.expect_violation("listEvents"):
        broken(soundstage)

@pytest.fixture
def late(soundstage):
    yield
    broken(soundstage)

def test_late(late):
    pass

@pytest.mark.xfail(strict=True)
def test_known(soundstage):
    broken(soundstage)
"""


def test_a_violation_fails_the_test_unless_it_is_allowed_or_expected(tmp_path):
    (tmp_path / "test_breaks.py").write_text(BREAKS)
    done = run_pytest(tmp_path)
    assert outcome(done) == "2 failed, 3 passed, 1 xfailed, 1 error"
    assert "FAILED test_breaks.py::test_unexpected" in done.stdout
    assert "FAILED test_breaks.py::test_fails_anyway" in done.stdout
    assert "ERROR test_breaks.py::test_late" in done.stdout
    first, _, rest = done.stdout.partition("_ test_fails_anyway _")
    assert "the contract was broken 2 times:\n" in first
    assert "\n  listEvents (GET /1/runs/any/events?itemsPerPage=0): query.it" in first
    assert ": query.itemsPerPage: 0 is less than the minimum of 1 [minimum]\n" in first
    assert "\n  listEvents (GET /1/runs/any/events?order=up): query.order: " in first
    assert "for a reason of its own" in rest
    assert "\nviolation: listEvents (GET /1/runs/any/events?order=up): " in rest


MARKED = """
import datetime
import pytest

pytestmark = pytest.mark.soundstage(seed=3, now="2030-01-01T00:00:00Z")

def test_module(soundstage):
    assert soundstage.export()["seed"] == 3

@pytest.mark.soundstage(seed=5, speed=60, apis=["trieve", "runwisp"])
class TestClass:
    @pytest.mark.soundstage(apis="trieve")
    def test_nearest_wins(self, soundstage):
        assert soundstage.export()["seed"] == 5
        assert soundstage.clock.speed == 60
        assert soundstage.apis == ("trieve",)
        assert soundstage.clock.now.year == 2030

    def test_sorted(self, soundstage):
        assert soundstage.apis == ("runwisp", "trieve")
"""


def test_the_marker_sets_the_initial_state(tmp_path):
    (tmp_path / "test_marked.py").write_text(MARKED)
    assert outcome(run_pytest(tmp_path, "--strict-markers")) == "3 passed"


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("sed=1", "takes apis, fixtures, now, seed, speed, violations, not: sed"),
        ("7", "takes apis, fixtures, now, seed, speed, violations, not: 7"),
        ("now='today'", "'today' is not a date and time of RFC 3339"),
        ("speed=-1", "a clock's speed is a number from 0 to 1000000, not -1"),
        ("apis='odd'", "there is no API 'odd'; there are: algolia-ingestion"),
        ("violations='no'", "violations is 'fail' or 'allow', not 'no'"),
    ],
)
def test_a_wrong_marker_is_an_error(tmp_path, marker, message):
    (tmp_path / "test_wrong.py").write_text(
        f"import pytest\n\n@pytest.mark.soundstage({marker})\ndef test(soundstage): pass\n"
    )
    done = run_pytest(tmp_path)
    assert outcome(done) == "1 error"
    assert message in done.stdout


FAILS = """
import json, pathlib

PATH = "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f/events?itemsPerPage=100"

def test_fails(soundstage):
    run = soundstage.start("algolia-ingestion", "too_many_errors", bad=5)
    soundstage.clock.advance(seconds=20)
    soundstage.patch_record("algolia-ingestion", "runs", run.id, {"reason": "so"})
    soundstage.clock.advance(seconds=1)
    soundstage.clock.advance(seconds=2)
    seen = {}
    with soundstage.httpx_client("algolia-ingestion") as client:
        for path in (f"/1/runs/{run.id}", f"/1/runs/{run.id}/events", PATH):
            seen[path] = client.get(path).text
    text = json.dumps([soundstage.headers("algolia-ingestion"), seen])
    pathlib.Path("seen.json").write_text(text)
    assert False
"""


def test_a_failing_test_reports_how_to_replay_its_world(tmp_path):
    (tmp_path / "test_fails.py").write_text(
        "import pytest\npytestmark = pytest.mark.soundstage("
        f"seed=11, apis='algolia-ingestion')\n{FAILS}"
    )
    done = run_pytest(tmp_path)
    assert outcome(done) == "1 failed"
    section = done.stdout.partition("- soundstage world -")[2].splitlines()[1:]
    assert section[0] == "seed 11, now 2026-01-01T00:00:23.000Z, frozen"
    commands = [json.loads(line) for line in section if line.startswith("{")]
    assert [(c["at"][14:19], c["command"]) for c in commands] == [
        ("00:00", "start"),
        ("00:00", "advance"),
        ("00:20", "patch"),
        ("00:20", "advance"),
    ]
    assert commands[0]["names"] == {"bad": 5}
    assert commands[-1]["span"] == 3_000
    assert any(re.match(r"#3 \S+ listEvents .* -> 200", line) for line in section)
    (replay,) = [line for line in section if line.startswith("replay: ")]
    program, command, *options = shlex.split(replay.removeprefix("replay: "))
    assert (program, command) == ("soundstage", "serve")
    options[1] = str(tmp_path / options[1])
    headers, seen = json.loads((tmp_path / "seen.json").read_text())
    with running_server(*options) as server, httpx.Client(base_url=server.url) as client:
        for path, body in seen.items():
            assert client.get(path, headers=headers).text == body


def test_a_failing_test_needs_no_cache(tmp_path):
    (tmp_path / "test_fails.py").write_text(FAILS)
    done = run_pytest(tmp_path, "-p", "no:cacheprovider")
    assert re.search(r"replay: soundstage serve --log \S+test_fails.json", done.stdout)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read log.json: No such file"),
        ("{", "cannot replay"),
        ('{"seed": 1}', "'began' is missing"),
    ],
)
def test_a_log_that_cannot_be_replayed_is_refused(tmp_path, content, message):
    if content:
        (tmp_path / "log.json").write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "soundstage.cli", "serve", "--log", "log.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


STORY = """
def test_{n}(soundstage):
    assert soundstage.clock.now.isoformat() == "2026-01-01T00:00:00+00:00"
    run = soundstage.start("{api}")
    soundstage.clock.advance(minutes={n})
    assert soundstage.clock.now.timestamp() == 1767225600 + {n} * 60
    with soundstage.httpx_client("{api}") as client:
        client.get("/nowhere/{n}")
    assert soundstage.record("{api}", "runs", run.id) == run.record
    (entry,) = soundstage.journal
    assert entry.path == "/nowhere/{n}"
    assert len(soundstage.export()["log"]) == 2
"""


def test_two_hundred_tests_on_four_workers_do_not_interfere(tmp_path):
    apis = ["algolia-ingestion", "runwisp"]
    (tmp_path / "test_many.py").write_text(
        "import pytest\n"
        "pytestmark = pytest.mark.soundstage("
        "violations='allow', apis=['algolia-ingestion', 'runwisp'])\n"
        + "".join(STORY.format(n=n, api=apis[n % 2]) for n in range(200))
    )
    done = run_pytest(tmp_path, "-p", "xdist", "-n", "4")
    assert outcome(done) == "200 passed", done.stdout
