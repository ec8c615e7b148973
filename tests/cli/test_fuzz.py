"""``soundstage fuzz`` as a user gives it, against mocks of its own."""

import json
import os
import re
import subprocess
import sys
import time

import pytest

from soundstage.cli import main
from support.server import SOUNDSTAGE, run_process

pytestmark = pytest.mark.slow

EVENTS = ("--api", "trigger-dev", "--only", "get_run_events_v1")


def test_a_mock_is_clean_and_the_summary_counts_what_was_done():
    done = run_process("fuzz", *EVENTS, "--max-examples", "5")
    assert done.returncode == 0, done.stdout + done.stderr
    head, _, row, checks = done.stdout.splitlines()
    assert re.fullmatch(r"trigger-dev: \d+ cases, clean", head)
    name, cases, good, refused, failures = row.split()
    assert name == "get_run_events_v1"
    assert int(cases) > int(good) > 0
    assert (refused, failures) == ("0", "0")
    assert re.fullmatch(r"  \d+ checks, made \d+ times", checks)
    assert done.stderr == ""


def test_the_control_api_is_fuzzed_too_and_the_run_is_bounded(tmp_path):
    words = ["--api", "soundstage", "--max-examples", "1000000", "--json"]
    words += ["--phases", "fuzzing", "--only", "advanceClock", "--max-time", "6"]
    words += ["--report", "junit", "--report-dir", str(tmp_path)]
    # A shell lets what runs in its background ignore Ctrl-C.
    background = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
    done = subprocess.run(
        [*background, *SOUNDSTAGE, "fuzz", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    (found,) = json.loads(done.stdout)["targets"]
    assert (done.returncode, found["ok"]) == (0, True), found
    assert (found["complete"], found["reason"]) == (False, "interrupted")
    assert (tmp_path / "soundstage" / "junit.xml").exists()


WRONG = [
    (["--api", "nope"], "there is no API 'nope'; there are: algolia-ingestion"),
    (["--spec", "x.yaml"], "--spec needs --url"),
    (["--spec", "x", "--url", "http://127.0.0.1:9", "--api", "a"], "exclude each other"),
    (["--api", "trieve", "--url", "ftp://x"], "ftp://x is not an http or https URL"),
    (["--api", "trieve", "--url", "http://127.0.0.1:9"], "cannot connect to"),
    (["--phases", "all"], "--phases: all: not one of examples, coverage"),
    (["--report", "pdf"], "--report: pdf: not one of junit, har"),
    (["--report", "junit"], "--report needs --report-dir"),
    (["--api", "trieve", "--only", "nothing"], "there is no operation 'nothing'"),
    (["--api", "trieve", "--credential", "x"], "'x' is not of the form NAME=VALUE"),
    (["--api", "trieve", "--credential", "x=$NONE"], "variable NONE is not set"),
    (["--api", "trieve", "--skip-check", "nothing"], "'--skip-check': invalid choice(s): nothing"),
    (["--api", "trieve", "--speed", "-1"], "a clock's speed is a number from 0"),
    (["--api", "trieve", "--fixture", "/no.yaml"], "/no.yaml: cannot be read"),
    (["--replay", "x"], "--replay needs one --api"),
    (["--api", "trieve", "--replay", "/none"], "/none does not exist"),
    (["--max-examples", "0"], "expected an integer of at least 1, not '0'"),
    (["--max-time", "soon"], "expected an integer of at least 1, not 'soon'"),
]


@pytest.mark.parametrize(("words", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_what_cannot_run_ends_with_a_message(words, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["fuzz", *words])
    out, err = capsys.readouterr()
    assert stopped.value.code == 2
    assert message in err
    assert out == ""


@pytest.mark.parametrize("words", [["fuzz"], ["verify", "http://127.0.0.1:9", "--api", "trieve"]])
def test_without_schemathesis_the_message_is_how_to_install_it(words):
    code = "import sys; sys.modules['schemathesis'] = None\n"
    code += f"from soundstage.cli import main; main({words})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert "pip install 'soundstage[fuzz]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_neither_command_imports_what_is_heavy_before_it_is_needed():
    code = "import sys; from soundstage.cli import build_parser; build_parser()\n"
    code += "print(*{'schemathesis', 'hypothesis', 'pytest', 'httpx', 'openapi_core'}"
    code += " & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_run_that_is_ended_leaves_nothing_behind(tmp_path):
    """Its folder is removed after the process that works in it has ended."""
    process = subprocess.Popen(
        [*SOUNDSTAGE, "fuzz", *EVENTS, "--max-examples", "1000000"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
    )
    while not list(tmp_path.glob("soundstage-*/output.txt")):
        time.sleep(0.01)
        assert process.poll() is None
    process.terminate()
    assert process.wait(30) == 143
    assert list(tmp_path.iterdir()) == []
