"""Each planted bug is caught, by the check that docs/fuzz.md names; nothing else is."""

import json
import os
import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from mutants.broken import BUGS, SOUND, Broken, document
from mutants.notes import KEY
from mutants.serving import serving
from support.server import SOUNDSTAGE

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/fuzz.md").read_text()


def fuzz(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The command as a user gives it, in a folder of its own."""
    words = ["--spec", str(folder.parent / "openapi.json"), "--url", url, "--still"]
    words += ["--credential", "key=$NOTES_KEY", "--max-examples", "5", "--seed", "1"]
    return subprocess.run(
        [*SOUNDSTAGE, "fuzz", *words, *options],
        cwd=folder,
        env={**os.environ, "NOTES_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@dataclass(frozen=True)
class Fuzzed:
    """What one run over all bugs found."""

    done: subprocess.CompletedProcess[str]
    found: dict
    folder: Path
    reports: Path
    url: str

    def checks(self, home: str) -> set[str]:
        """The checks that failed below the name of a bug."""
        failures = self.found["failures"]
        return {f["check"] for f in failures if f["label"].split("/")[1] == home}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    top = tmp_path_factory.mktemp("planted")
    folder, reports = top / "here", top / "reports"
    folder.mkdir()
    (top / "openapi.json").write_text(json.dumps(document()))
    with serving(Broken()) as url:
        options = ["--report", "junit,har,json", "--report-dir", str(reports)]
        done = fuzz(folder, url, "--json", *options)
        (found,) = json.loads(done.stdout)["targets"]
        yield Fuzzed(done, found, folder, reports / "openapi", url)


def test_it_completes_and_reports_failures(fuzzed):
    assert fuzzed.done.returncode == 1
    assert fuzzed.found["complete"]
    assert fuzzed.found["errors"] == []
    assert fuzzed.done.stderr == ""


def test_no_failure_is_reported_for_the_correct_api(fuzzed):
    assert fuzzed.checks(SOUND) == set()


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_planted_bug_is_caught(fuzzed, bug):
    assert bug.caught_by <= fuzzed.checks(bug.name)


def test_every_operation_had_a_2xx_response(fuzzed):
    assert all(one["good"] for one in fuzzed.found["operations"].values())


def test_the_page_has_a_row_for_each_bug():
    rows = re.findall(r"^\| (.+?) \| `(\w+)` \|$", PAGE, re.MULTILINE)
    planted = [(bug.description, check) for bug in BUGS.values() for check in bug.caught_by]
    assert sorted(row for row in rows if row in planted) == sorted(planted)


def test_only_reports_are_left_behind(fuzzed):
    assert list(fuzzed.folder.iterdir()) == []
    written = {path.name for path in fuzzed.reports.iterdir()}
    assert written == {"junit.xml", "har.har", "json.json", "failures"}


def test_reports_contain_no_secret(fuzzed):
    texts = [path.read_text() for path in fuzzed.reports.rglob("*") if path.is_file()]
    assert all(KEY not in text for text in [fuzzed.done.stdout, *texts])


def test_a_failure_is_replayed_alone(fuzzed):
    (crash,) = (fuzzed.reports / "failures").glob("*ignored_filter*.json")
    done = fuzz(fuzzed.folder, fuzzed.url, "--replay", str(crash))
    assert done.returncode == 1
    assert "filters_apply" in done.stdout or "was requested" in done.stdout
    assert KEY not in done.stdout


@pytest.fixture(scope="module")
def text(fuzzed):
    return fuzz(fuzzed.folder, fuzzed.url, "--only", "ignored_order.listNotes").stdout


def test_a_text_for_people_has_a_line_to_paste_for_a_failure(fuzzed, text):
    assert "\n  ignored_order.listNotes " in text
    assert "\nGET /ignored_order/notes: order_holds, " in text
    assert f"'{fuzzed.url}/ignored_order/notes?" in text
    assert "--credential 'key=***'" in text


def test_the_line_again_finds_the_same_cases_again(fuzzed, text):
    (line,) = re.findall("^ +again: soundstage fuzz (.*)$", text, re.MULTILINE)
    line = line.replace("key=***", "key=$NOTES_KEY")
    again = subprocess.run(
        [*SOUNDSTAGE, "fuzz", *shlex.split(line)],
        cwd=fuzzed.folder,
        env={**os.environ, "NOTES_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert again.stdout == text
