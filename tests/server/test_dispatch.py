"""Which API a request is for, and which pages may ask."""

from dataclasses import replace

import pytest

from soundstage.apis.api import Api
from soundstage.apis.registry import Service
from soundstage.openapi.contract import compile_contract
from soundstage.world.fixture import compile_fixture
from soundstage.world.record import ApiModel
from support.client import in_process_client

RUN = "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f"
ALGOLIA = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
EVENTS = "/api/v1/runs/run_1234/events"
TRIGGER = {"Authorization": "Bearer tr_dev_1234"}


@pytest.mark.parametrize(
    ("path", "host"),
    [
        (RUN, "127.0.0.1:4010"),
        (f"/algolia-ingestion{RUN}", "127.0.0.1:4010"),
        (RUN, "data.us.algolia.com"),
        (RUN, "data.eu.algolia.com:443"),
        (RUN, "DATA.US.ALGOLIA.COM"),
    ],
)
def test_an_api_is_found_at_the_root_by_its_prefix_and_by_its_host(client, path, host):
    response = client.get(path, headers={**ALGOLIA, "host": host})
    assert response.json()["runID"] == RUN.rpartition("/")[2]


@pytest.mark.parametrize(
    "host", ["api.trigger.dev", "API.Trigger.dev:443", "data.eu.algolia.com:8080"]
)
def test_at_a_vendors_host_there_is_no_other_api(client, host):
    response = client.get("/api/tasks/example/runs", headers={"host": host})
    assert response.status_code == 404
    assert "Soundstage-Violations" in response.headers


def test_a_vendors_host_knows_no_prefix(client):
    headers = {**ALGOLIA, "host": "data.us.algolia.com"}
    assert client.get(f"/algolia-ingestion{RUN}", headers=headers).status_code == 404


@pytest.mark.parametrize("host", ["data.xx.algolia.com", "localhost", "évil", ""])
def test_any_other_host_is_ours(client, host):
    headers = {**ALGOLIA, "host": host.encode()}
    assert client.get(RUN, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nope", "/algolia", "//", "/1/runs/", "/%FF"])
def test_a_path_of_no_api_is_a_404_that_lists_the_prefixes(client, path):
    response = client.get("/", extensions={"target": path.encode()})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].endswith(
        "/algolia-ingestion/, /runwisp/, /trieve/, /trigger-dev/"
    )


def test_a_wrong_method_at_the_root_returns_the_apis_own_error(client):
    response = client.post(RUN, headers=ALGOLIA)
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")
    assert set(response.json()) == {"message"}


def test_a_path_of_two_apis_needs_a_prefix(services, still):
    twin = replace(
        services["trigger-dev"],
        api=replace(services["trigger-dev"].api, name="twin"),
        contract=replace(services["trigger-dev"].contract, name="twin"),
    )
    with in_process_client({**services, "twin": twin}, still) as client:
        response = client.get(EVENTS, headers=TRIGGER)
        prefixed = client.get(f"/trigger-dev{EVENTS}", headers=TRIGGER)
    assert response.status_code == 404
    assert f"/trigger-dev{EVENTS}, /twin{EVENTS}" in response.json()["detail"]
    assert prefixed.status_code == 200


def test_a_single_api_serves_the_whole_root(services, still, judges):
    alone = {"trigger-dev": services["trigger-dev"]}
    with in_process_client(alone, still, judges) as client:
        assert client.get(EVENTS, headers=TRIGGER).status_code == 200
        assert client.get("/nope").json() == {"error": "Not found"}
        assert client.get("/_soundstage/health").json()["apis"] == ["trigger-dev"]


def test_an_api_without_any_path_leaves_the_others_alone(services, still):
    document = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {}}
    nothing = ApiModel({}, {})
    api = Api("empty", "", nothing, {}, services["trieve"].api.render_error)
    fixture = compile_fixture({"api": "empty"}, nothing)
    empty = Service(api, compile_contract("empty", document), fixture)
    with in_process_client({**services, "empty": empty}, still) as client:
        assert client.get(EVENTS, headers=TRIGGER).status_code == 200
        assert client.get("/empty/").status_code == 404


LOCAL = (
    "http://localhost:3000",
    "http://localhost",
    "https://app.localhost:8443",
    "http://127.0.0.1:5173",
    "http://[::1]:8080",
)
FOREIGN = (
    "http://example.com",
    "http://localhost.example.com",
    "http://example.com/localhost",
    "null",
    "http://127.0.0.1.example.com",
    "file://localhost",
)


def preflight(client, origin):
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,tr-dataset",
    }
    return client.options("/trieve/api/dataset/events", headers=headers)


@pytest.mark.parametrize("origin", LOCAL)
def test_a_page_of_a_local_origin_may_ask(client, origin):
    response = preflight(client, origin)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert "tr-dataset" in response.headers["access-control-allow-headers"]
    read = client.get(EVENTS, headers={**TRIGGER, "origin": origin})
    assert read.headers["access-control-allow-origin"] == origin
    assert "Soundstage-Violations" in read.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [None, LOCAL[0], FOREIGN[0]])
@pytest.mark.parametrize("path", [EVENTS, "/nowhere", "/_soundstage/health"])
def test_every_response_varies_with_the_origin_once(client, origin, path):
    headers = {**TRIGGER, "origin": origin} if origin else TRIGGER
    assert client.get(path, headers=headers).headers.get_list("vary") == ["Origin"]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_a_foreign_origin_may_not(client, origin):
    assert preflight(client, origin).status_code == 400
    read = client.get(EVENTS, headers={**TRIGGER, "origin": origin})
    assert "access-control-allow-origin" not in read.headers
