"""What clients saw of a run in production, they see again offline, poll by poll.

Production is another Soundstage, whose clock is turned between the polls. The proxy's
own clock is turned with it, as both would follow the wall.
"""

import json
import re
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from algoliasearch.http.hosts import Host, HostsCollection
from algoliasearch.ingestion.client import IngestionClientSync
from algoliasearch.ingestion.config import IngestionConfig

from soundstage.tools.proxy.contract_router import build_api_router
from soundstage.world import clock
from soundstage.world.clock import parse_rfc3339
from support.proxy import proxy_thread
from support.server import run_process, running_server

NOW = "2026-01-01T00:00:00Z"
LATER = "2027-05-05T00:00:00Z"

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


class Production:
    """A service and a proxy in front of it, with one clock that the test advances."""

    def __init__(self, url, proxy=None):
        self.url, self.proxy = url, proxy
        self.at = parse_rfc3339(NOW)

    @property
    def front(self):
        return self.proxy.url if self.proxy else self.url

    def control(self, path, **body):
        response = httpx.post(f"{self.url}/_soundstage{path}", json=body)
        return response.raise_for_status().json()

    def advance(self, milliseconds):
        self.control("/clock/advance", by=f"{milliseconds}ms")
        self.at += milliseconds


@contextmanager
def production(api, *options):
    """The service, as it begins whenever it is started."""
    with running_server("--api", api, "--speed", "0", "--seed", "3", *options) as server:
        yield Production(server.url)


@contextmanager
def recorded(api, har, monkeypatch):
    with production(api, "--now", NOW) as service:
        monkeypatch.setattr(clock.time, "time_ns", lambda: service.at * 10**6)
        with proxy_thread(service.url, build_api_router(api), tape=har, keep_secrets=True) as p:
            service.proxy = p
            yield service
            assert p.notes.counts["requests"] == p.notes.counts["answers"] == 0
        monkeypatch.undo()


def replayed(api, har, scenario):
    """Every recorded request sent again at its time, to the service as it began."""
    entries = json.loads(har.read_text())["log"]["entries"]
    with production(api, "--now", NOW) as service, httpx.Client() as client:
        scenario(service)
        for entry in entries:
            service.advance(parse_rfc3339(entry["startedDateTime"]) - service.at)
            request, recorded_response = entry["request"], entry["response"]
            url = urlsplit(request["url"])
            response = client.request(
                request["method"],
                f"{service.url}{url.path}?{url.query}".removesuffix("?"),
                headers=[
                    (h["name"], h["value"]) for h in request["headers"] if h["name"] != "host"
                ],
                content=request.get("postData", {}).get("text"),
            )
            assert response.status_code == recorded_response["status"]
            there = f"{url.scheme}://{url.netloc}"
            assert response.text.replace(service.url, there) == recorded_response["content"]["text"]
    return len(entries)


def polls(service, watch, every):
    """Poll every ``every`` ms until the run is over; return what was seen."""
    seen = [watch()]
    while not seen[-1]["over"]:
        service.advance(every)
        seen.append(watch())
    service.advance(3_600_000)
    return [*seen, watch()]


def write_fixture(har, api):
    fixture = har.with_suffix(".yaml")
    done = run_process("record", str(har), "--api", api, "--to", str(fixture))
    assert done.returncode == 0, done.stderr
    return fixture


ALGOLIA = "algolia-ingestion"
TASK = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"


def algolia(service):
    """Algolia's own client starts a run; gives what it sees of it."""
    config = IngestionConfig("ALGOLIA_APPLICATION_ID", "ALGOLIA_API_KEY", "us")
    port = urlsplit(service.front).port
    config.hosts = HostsCollection([Host("127.0.0.1", scheme="http", port=port)])
    client = IngestionClientSync.create_with_config(config)
    run_id = client.run_task(TASK).run_id

    def watch():
        record = client.get_run(run_id)
        page = client.list_events(run_id, items_per_page=100)
        began = parse_rfc3339(record.created_at)
        return {
            "over": record.status == "finished",
            "status": record.status,
            "outcome": (record.outcome, record.reason_code),
            "progress": record.progress and record.progress.to_dict(),
            "at": [
                moment and parse_rfc3339(moment) - began
                for moment in (record.started_at, record.finished_at)
            ],
            "events": sorted(
                (parse_rfc3339(e.published_at) - began, e.type, e.status, e.batch_size)
                for e in page.events
            ),
        }

    return watch


@pytest.mark.parametrize("name", ["partial_failure", "too_many_errors"])
def test_algolias_client_sees_the_same_run_again(name, tmp_path, monkeypatch):
    def scenario(service):
        service.control(f"/scenarios/{ALGOLIA}/{name}/plan")

    har = tmp_path / "production.har"
    with recorded(ALGOLIA, har, monkeypatch) as service:
        scenario(service)
        seen = polls(service, algolia(service), every=4_300)
    assert replayed(ALGOLIA, har, scenario) == 1 + 2 * len(seen)
    assert len({json.dumps(poll["progress"]) for poll in seen}) > 3
    fixture = write_fixture(har, ALGOLIA)
    with production(ALGOLIA, "--now", LATER, "--fixture", str(fixture)) as offline:
        assert polls(offline, algolia(offline), every=4_300) == seen


RUNWISP = "runwisp"


def runwisp(service):
    """A run of RunWisp's, by its addresses and by its streams."""
    tasks = f"{service.front}/api/tasks/backup"
    run_id = httpx.post(f"{tasks}/run").json()["id"]

    def since(run, name):
        return run.get(name) and parse_rfc3339(run[name]) - parse_rfc3339(run["created_at"])

    def watch():
        runs = httpx.get(f"{tasks}/runs").json()["runs"]
        run = next(run for run in runs if run["id"] == run_id)
        log = f"{tasks}/runs/{run_id}/log"
        page = httpx.get(log).json()
        is_over = run["status"] == "ended"
        # The stream ends when the run has.
        streamed = httpx.get(f"{log}/stream").text if is_over else ""
        began = parse_rfc3339(run["created_at"])
        return {
            "over": is_over,
            "status": (run["status"], run.get("end_reason"), run.get("exit_code")),
            "at": [since(run, name) for name in ("start_at", "end_at")],
            "lines": [line | {"ts": line["ts"] - began} for line in page["lines"]],
            "streamed": re.sub(r"(?<=\"ts\":)\d+", lambda m: str(int(m[0]) - began), streamed),
        }

    return watch


def test_a_run_of_runwisp_goes_as_it_went(tmp_path, monkeypatch):
    def scenario(service):
        service.control("/scenarios/runwisp/success/plan", task="backup")

    har = tmp_path / "production.har"
    with recorded(RUNWISP, har, monkeypatch) as service:
        scenario(service)
        seen = polls(service, runwisp(service), every=1_000)
    assert replayed(RUNWISP, har, scenario) == 3 + 2 * len(seen)
    assert len({len(poll["lines"]) for poll in seen}) > 2
    fixture = write_fixture(har, RUNWISP)
    with production(RUNWISP, "--now", LATER, "--fixture", str(fixture)) as offline:
        assert polls(offline, runwisp(offline), every=1_000) == seen
