"""Every fault, seen through the vendors' official Python clients: what they do."""

import asyncio
import json
import ssl
import time

import httpx
import pytest
from aiohttp import ClientOSError, ClientPayloadError
from algoliasearch.http.exceptions import AlgoliaUnreachableHostException, RequestException
from algoliasearch.http.hosts import Host, HostsCollection
from algoliasearch.ingestion.client import IngestionClient, IngestionClientSync
from algoliasearch.ingestion.config import IngestionConfig
from pydantic import ValidationError
from requests import ConnectionError  # noqa: A004 - what requests raises
from requests.exceptions import ChunkedEncodingError
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from soundstage.server.faults import FAULT_KINDS
from support.server import running_server

RUN = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
DATASET = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
TRIEVE_KEY = "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3"
SHORT, LONG = 0.5, 20  # seconds that a client waits for an answer

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def server():
    with running_server("--speed", "0", "--seed", "7", "--now", "2026-01-01T00:00:00Z") as s:
        yield s


@pytest.fixture
def control(server):
    quick = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loads no certificates
    with httpx.Client(base_url=f"{server.url}/_soundstage", verify=quick) as client:
        yield client
        client.delete("/faults").raise_for_status()


def inject(control, kind, options, **rule):
    rule = {"kind": kind, "options": options, **rule}
    control.post("/faults", json=rule).raise_for_status()


def requests_struck(control):
    return sum(fault["hits"] for fault in control.get("/faults").json()["faults"])


@pytest.fixture
def patience(request):
    """Short where the fault is about time."""
    call = getattr(request.node, "callspec", None)
    kind = call.params["case"][1] if call else "timeout"
    return SHORT if kind in {"latency", "timeout", "slow"} else LONG


def algolia_config(server, patience, rate_limit_retries=0):
    config = IngestionConfig("ALGOLIA_APPLICATION_ID", "ALGOLIA_API_KEY", "us")
    config.hosts = HostsCollection([Host("127.0.0.1", scheme="http", port=server.port)])
    config.read_timeout = int(patience * 1000)
    config.max_rate_limit_retries = rate_limit_retries
    return config


@pytest.fixture
def algolia(server, patience):
    return IngestionClientSync.create_with_config(algolia_config(server, patience))


@pytest.fixture
def algolia_async(server, patience):
    """The asynchronous client, asked in a loop of its own."""

    class Asked:
        def list_events(self, run):
            async def ask():
                config = algolia_config(server, patience)
                async with IngestionClient.create_with_config(config) as client:
                    return await client.list_events(run)

            return asyncio.run(ask())

    return Asked()


@pytest.fixture
def trieve(server, patience):
    from trieve_py_client import ApiClient, Configuration, DatasetApi, GetEventsData

    class Asked:
        def list_events(self, dataset):
            data = GetEventsData()
            return DatasetApi(client).get_events(dataset, data, _request_timeout=patience)

    configuration = Configuration(host=server.url)
    configuration.api_key["ApiKey"] = TRIEVE_KEY
    with ApiClient(configuration) as client:
        yield Asked()


UNREACHABLE = (AlgoliaUnreachableHostException, AlgoliaUnreachableHostException)
REFUSED = (RequestException, RequestException)
NO_JSON = (json.JSONDecodeError, json.JSONDecodeError)
INVALID = (ValidationError, ValidationError)
FINE = (None, None)


def drift(field, change):
    return {"field": field, "change": change}


# kind, options: what Algolia's two clients raise, and what Trieve's raises
SEEN = [
    ("status", {"status": 503}, UNREACHABLE, "ServiceException"),
    ("status", {"status": 403}, REFUSED, "ForbiddenException"),
    ("rate_limit", {}, REFUSED, "ApiException"),
    ("latency", {"ms": 5000}, UNREACHABLE, ReadTimeoutError),
    ("timeout", {}, UNREACHABLE, ReadTimeoutError),
    ("reset", {}, (ConnectionError, ClientOSError), ProtocolError),
    ("truncate", {}, (ChunkedEncodingError, ClientPayloadError), ProtocolError),
    ("slow", {"ms": 800, "pieces": 8}, FINE, None),
    ("malformed", {}, NO_JSON, ValidationError),
    ("malformed", {"form": "comma"}, NO_JSON, ValidationError),
    ("malformed", {"form": "html"}, NO_JSON, ValidationError),
    ("malformed", {"form": "empty"}, FINE, ValidationError),  # Algolia's give None
    ("drift", drift("/events", "missing"), INVALID, ValidationError),
    ("drift", drift("/events/0", "wrong_type"), INVALID, ValidationError),
    ("drift", drift("/events/*/batchSize", "wrong_type"), INVALID, None),
    ("drift", drift("/events/*/type", "unknown_enum"), INVALID, None),
    ("drift", drift("/events/*/event_data", "wrong_type"), FINE, ValidationError),
    ("drift", drift("/events/*/event_type", "unknown_enum"), FINE, None),  # any goes
    ("drift", drift("/events/*/more", "extra"), FINE, None),
    ("stale", {"lag": "1d"}, REFUSED, None),  # no run yet: 404; Trieve's list is short
]

CLIENTS = {"algolia": RUN, "algolia_async": RUN, "trieve": DATASET}


CASES = [
    pytest.param((client, kind, options, error), id=f"{client}-{kind}-{number}")
    for number, (kind, options, algolia, trieve) in enumerate(SEEN)
    for client, error in zip(CLIENTS, (*algolia, trieve), strict=True)
]


@pytest.mark.parametrize("case", CASES)
def test_what_a_client_does(request, control, case):
    client, kind, options, error = case
    asked = request.getfixturevalue(client)
    inject(control, kind, options)
    if isinstance(error, str):
        import trieve_py_client.exceptions

        error = getattr(trieve_py_client.exceptions, error)
    if error is None:
        asked.list_events(CLIENTS[client])
    else:
        with pytest.raises(error):
            asked.list_events(CLIENTS[client])
    assert requests_struck(control) >= 1


def test_every_kind_of_fault_is_shown_to_a_client():
    assert {kind for kind, *_ in SEEN} == FAULT_KINDS.keys()


def test_algolia_gives_a_host_up_after_a_503_and_sends_nothing_more(control, algolia):
    inject(control, "status", {"status": 503}, times=1)
    for _ in range(2):
        with pytest.raises(AlgoliaUnreachableHostException):
            algolia.get_run(RUN)
    assert requests_struck(control) == 1
    assert not algolia._transporter._hosts[0].up


def test_algolia_keeps_a_host_that_timed_out(control, algolia):
    inject(control, "timeout", {}, times=1)
    with pytest.raises(AlgoliaUnreachableHostException):
        algolia.get_run(RUN)
    assert algolia.get_run(RUN).run_id == RUN


@pytest.fixture
def patient(server):
    """Algolia's client as it comes."""
    retries = IngestionConfig("app", "key", "us").max_rate_limit_retries
    return IngestionClientSync.create_with_config(algolia_config(server, LONG, retries))


def test_algolia_asks_four_times_before_it_gives_in_to_a_rate_limit(control, patient):
    inject(control, "rate_limit", {})
    with pytest.raises(RequestException) as limited:
        patient.get_run(RUN)
    assert limited.value.status_code == 429
    assert requests_struck(control) == 4


def test_algolia_waits_as_long_as_a_rate_limit_says(control, patient):
    inject(control, "rate_limit", {"retry_after": 2}, times=1)
    began = time.monotonic()
    assert patient.get_run(RUN).run_id == RUN
    assert time.monotonic() - began >= 2


def test_algolia_keeps_a_field_that_is_new(control, algolia):
    inject(control, "drift", {"field": "/region", "change": "extra"})
    assert algolia.get_run(RUN).model_extra.keys() == {"region"}


def test_algolia_sees_an_event_late_but_sees_it(control, algolia):
    start = {"api": "algolia-ingestion", "scenario": "clean_reindex"}
    run = control.post("/runs", json=start).json()["id"]
    control.post("/clock/advance", json={"by": "1h"}).raise_for_status()
    inject(control, "stale", {"lag": "50m"}, operation="listEvents", times=1)
    inject(control, "stale", {"lag": "3595s"}, operation="listEvents", times=1)
    seen = [algolia.list_events(run).pagination.nb_items for _ in range(3)]
    assert seen[1] < seen[0] <= seen[2]
    assert algolia.get_run(run).status == "finished"


def test_trieve_does_not_ask_again_when_it_is_limited(control, trieve):
    inject(control, "rate_limit", {})
    with pytest.raises(Exception, match="429"):
        trieve.list_events(DATASET)
    assert requests_struck(control) == 1
