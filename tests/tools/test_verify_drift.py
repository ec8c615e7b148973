"""Verification finds each drift of a server and nothing else, and writes nothing."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from mutants.broken import SOUND, Broken, document
from mutants.drifted import DRIFTS
from mutants.notes import KEY
from mutants.serving import serving
from support.server import SOUNDSTAGE

pytestmark = pytest.mark.slow


def verify(folder: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the secret in the environment."""
    return subprocess.run(
        [*SOUNDSTAGE, "verify", url, "--spec", "openapi.json", *options],
        cwd=folder,
        env={**os.environ, "SOUNDSTAGE_CREDENTIAL_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def drifts(*names: str) -> dict:
    return {name: DRIFTS[name] for name in names}


@pytest.fixture(scope="module")
def drifted(tmp_path_factory):
    """Return the report, and the server that received the requests."""
    folder = tmp_path_factory.mktemp("drifted")
    (folder / "openapi.json").write_text(json.dumps(document(DRIFTS)))
    server = Broken(DRIFTS)
    with serving(server) as url:
        done = verify(folder, url, "--max-examples", "3", "--json")
    assert done.stderr == ""
    assert done.returncode == 1
    assert [path.name for path in folder.iterdir()] == ["openapi.json"]
    return json.loads(done.stdout), server


def found_in(report: dict) -> set[tuple[str, str]]:
    return {
        (f["operation"].partition(".")[0], f"{f['status']}:{f['rule']}:{f['pointer']}")
        for f in report["findings"]
    }


def test_each_drift_is_found_and_nothing_else(drifted):
    report, _ = drifted
    planted = {(d.name, found) for d in DRIFTS.values() for found in d.caught_by}
    assert found_in(report) == planted
    assert report["complete"]
    assert report["errors"] == []


def test_nothing_was_written(drifted):
    report, server = drifted
    assert {method for method, _ in server.asked} == {"GET"}
    writes = [f"{SOUND}.{name}Note" for name in ("create", "delete", "replace")]
    assert sorted(report["unsent"]) == writes


def test_an_example_shows_the_exchange_without_secrets(drifted):
    report, _ = drifted
    for finding in report["findings"]:
        example = finding["example"]
        assert example["method"] == "GET"
        assert example["url"].startswith(f"/{finding['operation'].partition('.')[0]}/")
        assert example["headers"].get("x-key", "***") == "***"
    assert KEY not in json.dumps(report)


def test_a_resumed_verification_repeats_nothing(tmp_path):
    drifting = drifts("type_changed", "error_changed")
    (tmp_path / "openapi.json").write_text(json.dumps(document(drifting)))
    server = Broken(drifting)
    options = ["--max-examples", "1", "--resume", "state.jsonl", "--json"]
    with serving(server) as url:
        whole = json.loads(verify(tmp_path, url, *options).stdout)
        sent_before = len(server.asked)
        again = json.loads(verify(tmp_path, url, *options).stdout)
        assert len(server.asked) == sent_before
        assert again == whole

        state = tmp_path / "state.jsonl"
        lines = state.read_text().splitlines(keepends=True)
        state.write_text("".join(lines[:-2]) + '{"cut off')
        rest = json.loads(verify(tmp_path, url, *options).stdout)
    assert 0 < len(server.asked) - sent_before < sent_before
    assert found_in(rest) == found_in(whole)
    assert rest["complete"]


def test_a_state_of_another_document_is_rejected(tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(document(drifts())))
    with serving(Broken(drifts())) as url:
        state = {"about": {"version": 1, "url": url, "document": "other"}}
        (tmp_path / "state.jsonl").write_text(json.dumps(state) + "\n")
        done = verify(tmp_path, url, "--resume", "state.jsonl")
    assert done.returncode == 2
    assert "state.jsonl has another document" in done.stderr


def test_an_unreachable_server_is_reported_in_one_sentence(tmp_path):
    (tmp_path / "openapi.json").write_text(json.dumps(document(drifts())))
    done = verify(tmp_path, "http://127.0.0.1:9", "--max-examples", "1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
