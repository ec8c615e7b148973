"""A mock satisfies its own contract; a drift is found, and nothing else."""

import json

import httpx
import pytest

from soundstage.cli import main
from soundstage.server.background import BackgroundServer
from soundstage.tools.fuzz.target import select_secrets

EVENTS = "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f/events?itemsPerPage=3"
RUNS = "/api/tasks/example/runs?limit=3"
DATASET = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
KEYS = {"TR-Dataset": DATASET, "Authorization": "tr-" + 8 * "e3e3"}
SEARCH = {"json": {"page_size": 3}, "headers": KEYS}

DRIFTS = [
    ("algolia-ingestion", f"GET {EVENTS}", {}, "/pagination/nbItems", "wrong_type"),
    ("runwisp", f"GET {RUNS}", {}, "/runs/*/status", "unknown_enum"),
    ("trieve", "POST /api/dataset/events", SEARCH, "/page_count", "missing"),
    ("trigger-dev", "GET /api/v1/runs", {}, "/data/*/id", "null"),
]
FOUND = {
    "wrong_type": ("listEvents", "type"),
    "unknown_enum": ("getTaskRuns", "enum"),
    "missing": ("get_events", "required"),
    "null": ("list_runs_v1", "type"),
}


@pytest.mark.parametrize(("api", "line", "sent", "field", "change"), DRIFTS)
def test_a_drift_of_a_mock_is_found_and_nothing_else(
    api, line, sent, field, change, tmp_path, capsys
):
    operation, rule = FOUND[change]
    server = BackgroundServer([api])
    secrets = select_secrets(server.worlds.services[api])
    words = ["verify", server.url, "--api", api, "--no-generated", "--json"]
    words += ["--har", str(tmp_path / "it.har"), "--safe", operation]
    words += [w for pair in secrets.items() for w in ("--credential", "=".join(pair))]
    with httpx.Client(base_url=server.url) as client:
        client.request(*line.split(), **sent)  # a GET is refused, as it has no credentials
        har = client.get("/_soundstage/journal.har").text
        (tmp_path / "it.har").write_text(har)
        before = main(words), json.loads(capsys.readouterr().out)
        drift = {"field": field, "change": change}
        fault = {"kind": "drift", "operation": operation, "options": drift}
        client.post("/_soundstage/faults", json=fault)
        after = main(words), json.loads(capsys.readouterr().out)
    server.stop()
    assert before[0] == 0
    assert before[1]["requests"] != {}
    assert before[1]["findings"] == []
    assert before[1]["not_replayable"] == []
    assert after[0] == 1
    found = [(f["operation"], f["rule"], f["pointer"]) for f in after[1]["findings"]]
    assert found == [(operation, rule, field)]
