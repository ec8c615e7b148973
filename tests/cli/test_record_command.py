"""``soundstage record``: what happened in production is replayable on a clock."""

import json
from urllib.parse import urlsplit

import httpx
import pytest
from algoliasearch.http.hosts import Host, HostsCollection
from algoliasearch.ingestion.client import IngestionClientSync
from algoliasearch.ingestion.config import IngestionConfig

from soundstage import vendored_files
from soundstage.cli import main
from soundstage.openapi.document import load_document, parse_document
from soundstage.world.clock import format_rfc3339, parse_rfc3339
from support.proxy import proxy_process
from support.recorder import entry, write_archive
from support.server import run_process, running_server

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

API = "algolia-ingestion"


def client_of(url):
    config = IngestionConfig("ALGOLIA_APPLICATION_ID", "ALGOLIA_API_KEY", "us")
    port = urlsplit(url).port
    config.hosts = HostsCollection([Host("127.0.0.1", scheme="http", port=port)])
    return IngestionClientSync.create_with_config(config)


def seen_by(client, run_id):
    """A run and its events, their times since it was created, as the client has it."""
    record = client.get_run(run_id)
    page = client.list_events(run_id, items_per_page=100, start_date="2020-01-01T00:00:00Z")
    began = parse_rfc3339(record.created_at)

    def since(text):
        return text and parse_rfc3339(text) - began

    events = sorted(
        (since(e.published_at), str(e.type), str(e.status), e.batch_size) for e in page.events
    )
    times = since(record.started_at), since(record.finished_at)
    return record.status, record.outcome, times, events


def record_in_production(folder):
    """A run of another Soundstage, whose clock goes on, seen through the proxy."""
    har = folder / "production.har"
    with running_server("--api", API, "--speed", "0") as production:
        start = {"api": API, "scenario": "partial_failure"}
        control = f"{production.url}/_soundstage"
        with proxy_process(production.url, "--api", API, "--record", str(har)) as proxy:
            client = client_of(proxy.url)
            run_id = httpx.post(f"{control}/runs", json=start).json()["id"]
            seen = [seen_by(client, run_id)]
            httpx.patch(f"{control}/clock", json={"speed": 60}).raise_for_status()
            while seen[-1][0] != "finished":
                seen.append(seen_by(client, run_id))
            proxy.end()
    assert proxy.summary["answers"] == proxy.summary["requests"] == 0
    return har, run_id, seen


def test_what_an_official_client_saw_in_production_is_repeated_offline(tmp_path):
    har, run_id, seen = record_in_production(tmp_path)
    fixture = tmp_path / "incident.yaml"
    done = run_process(
        *("record", str(har), "--api", API, "--to", str(fixture), "--speed", "60"),
        *("--name", "incident", "--json"),
    )
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    _, _, (started, finished), events = seen[-1]
    assert output["run"] == run_id
    assert output["states"] == [
        {"after_ms": 0, "state": "created"},
        {"after_ms": started, "state": "started"},
        {"after_ms": finished, "state": "finished"},
    ]
    assert output["records"] == {"event": len(events)}

    options = ("--api", API, "--fixture", str(fixture), "--speed", "0")
    now = "2027-05-05T00:00:00Z"
    with running_server(*options, "--now", now) as offline:
        client = client_of(offline.url)
        start = {"api": API, "scenario": "incident"}
        again = httpx.post(f"{offline.url}/_soundstage/runs", json=start).json()["id"]
        statuses, at = {}, 0
        for offset in sorted({0, *(e[0] for e in events), finished - 1, finished}):
            httpx.post(f"{offline.url}/_soundstage/clock/advance", json={"by": f"{offset - at}ms"})
            at = offset
            status, _, _, there = seen_by(client, again)
            statuses.setdefault(status, offset)
            assert there == [event for event in events if event[0] <= offset]
        assert list(statuses) == list(dict.fromkeys(one[0] for one in seen))
        assert statuses["finished"] == finished
        assert seen_by(client, again) == seen[-1]
        # Under the identifier that it had it has begun with the world.
        assert seen_by(client, run_id) == seen[-1]
        assert again != run_id


RUN = {
    "id": "01KDVDNA008JM07FVJDM0JZQ73",
    "task_name": "backup",
    "exit_code": 3,
    "triggered_by": "cron",
    "created_at": "2026-03-01T10:00:00Z",
    "retry_attempt": 0,
    "replica_index": 0,
    "status": "ended",
    "start_at": "2026-03-01T10:00:01Z",
    "end_at": "2026-03-01T10:00:41.5Z",
    "end_reason": "failed",
}


T0 = parse_rfc3339("2026-03-01T11:00:00Z")


@pytest.fixture
def har(tmp_path):
    url = "http://ci.example:9477/api/tasks/backup/runs"
    return str(write_archive(tmp_path, entry(T0, url, {"runs": [RUN], "total": 1})))


def test_a_scenario_is_added_to_a_fixture_whose_text_stays(har, tmp_path, capsys):
    fixture = tmp_path / "own.yaml"
    before = (vendored_files.fixtures() / "runwisp.yaml").read_text()
    fixture.write_text(before)
    assert main(["record", har, "--api", "runwisp", "--into", str(fixture)]) == 0
    block = (
        "\n  # Run 01KDVDNA008JM07FVJDM0JZQ73 as recorded in made.har; it began "
        "2026-03-01T10:00:00.000Z.\n"
        "  made:\n"
        '    about: "As it was recorded: pending -> running -> ended."\n'
        "    weight: 0\n"
        "    steps:\n"
        "      - run: {status: pending}\n"
        "      - after: 1s\n"
        "        run: {status: running, start_at: $at}\n"
        "      - after: 40500ms\n"
        "        run: {exit_code: 3, status: ended, end_at: $at, end_reason: failed}\n"
    )
    assert block in fixture.read_text()
    assert fixture.read_text().replace(block, "") == before
    output = capsys.readouterr().err
    assert "pending at 0 s, running at 1 s, ended at 41.5 s; nothing else" in output
    assert f"{fixture}, scenario made" in output
    assert run_process("check", str(fixture)).returncode == 0


def test_without_a_place_the_fixture_is_printed(har, capsys):
    assert main(["record", har, "--api", "runwisp", "--name", "x"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# yaml-language-server")
    assert "\nhistory:\n  - {task: backup, scenario: x, ago: 0s, id: " in printed
    assert printed.endswith("}\n")


def test_other_scenarios_are_kept_but_never_chosen(har, capsys):
    assert main(["record", har, "--api", "runwisp", "--name", "x"]) == 0
    document = parse_document(capsys.readouterr().out)
    vendored = load_document(vendored_files.fixtures() / "runwisp.yaml").document
    weights = {n: s.get("weight", 1) for n, s in document["scenarios"].items()}
    assert weights.pop("x") == 1
    assert weights == dict.fromkeys(vendored["scenarios"], 0)


@pytest.mark.parametrize(
    ("first", "begins"),
    [
        ({"method": "POST"}, "when a client starts it"),
        ({}, "with the world"),
        ({"method": "POST", "path": f"/{RUN['id']}/stop"}, "with the world"),
    ],
    ids=["started", "seen", "stopped"],
)
def test_a_run_that_the_client_has_started_waits_to_be_started_again(
    first, begins, tmp_path, capsys
):
    url = "http://ci.example/api/tasks/backup/runs"
    requested = url + first.get("path", "")
    output = entry(T0, requested, {"id": RUN["id"]}, method=first.get("method", "GET"))
    har = write_archive(tmp_path, output, entry(T0 + 60_000, url, {"runs": [RUN], "total": 1}))
    to = tmp_path / "to.yaml"
    words = ["record", str(har), "--api", "runwisp", "--to", str(to), "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["begins"] == begins
    assert ("history" in load_document(to).document) == (begins == "with the world")


def refused(capsys, *arguments):
    try:
        code = main(["record", *arguments])
    except SystemExit as ended:
        code = ended.code
    return code, capsys.readouterr().err


def test_what_cannot_be_served_is_not_written(tmp_path, capsys):
    odd = RUN | {"end_reason": "bored"}
    at = parse_rfc3339("2026-03-01T11:00:00Z")
    url = "http://ci.example:9477/api/tasks/backup/runs"
    har = str(write_archive(tmp_path, entry(at, url, {"runs": [odd]})))
    fixture = tmp_path / "own.yaml"
    before = (vendored_files.fixtures() / "runwisp.yaml").read_text()
    fixture.write_text(before)
    code, output = refused(capsys, har, "--api", "runwisp", "--into", str(fixture))
    assert code == 1
    assert "made.har: at /scenarios/made/steps/2/run/end_reason" in output
    assert "the recording makes no fixture that can be served" in output
    assert "bored" in output
    assert fixture.read_text() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["made.har", "own.yaml"]


def test_what_is_there_is_not_written_over(har, tmp_path, capsys):
    there = tmp_path / "there.yaml"
    there.write_text("")
    code, output = refused(capsys, har, "--api", "runwisp", "--to", str(there))
    assert code == 2
    assert output.endswith("there.yaml: File exists; see --into\n")
    assert there.read_text() == ""


WRONG = [
    (["/nowhere.har", "--api", "runwisp"], "cannot read /nowhere.har: No such file"),
    (["{har}", "--api", "nope"], "there is no API 'nope'"),
    (["{har}", "--api", "trieve"], "responses of trieve never contain a run"),
    (["{har}", "--api", "runwisp", "--run", "x"], "no response contains the run 'x'"),
    (["{har}", "--api", "runwisp", "--name", "A b"], "'A b' is not a scenario name"),
    (["{har}", "--api", "runwisp", "--speed", "0"], "--speed takes a number above 0"),
    (["{har}", "--api", "runwisp", "--to", "/no/x.yaml"], "cannot write /no/x.yaml"),
    (["{har}", "--api", "runwisp", "--into", "{trieve}"], "is no fixture of runwisp"),
    (["{har}"], "--api"),
]


@pytest.mark.parametrize(("arguments", "output"), WRONG, ids=str)
def test_a_failure_is_one_message(har, capsys, arguments, output):
    trieve = vendored_files.fixtures() / "trieve.yaml"
    given = [word.format(har=har, trieve=trieve) for word in arguments]
    code, errors = refused(capsys, *given)
    assert code == 2
    assert output in errors


def test_a_name_is_made_of_the_archives(tmp_path, capsys):
    at = parse_rfc3339("2026-03-01T11:00:00Z")
    made = write_archive(tmp_path, entry(at, "http://x/api/tasks/a/runs", {"runs": [RUN]}))
    for name, scenario in [("Run 7.har", "run_7"), ("7.har", "recorded_7")]:
        path = tmp_path / name
        path.write_bytes(made.read_bytes())
        main(["record", str(path), "--api", "runwisp", "--json"])
        assert json.loads(capsys.readouterr().out)["scenario"] == scenario
    assert format_rfc3339(at)
