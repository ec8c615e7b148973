"""The second judge sees what the first one should have, and knows why they differ."""

from dataclasses import replace

import pytest

from soundstage.exchange.recorded import RecordedExchange
from validators.exchange_validator import REQUEST_ADAPTATIONS, STRICTER_RULES, ExchangeValidator

RUN = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
JSON = (("content-type", "application/json"),)
KEYS = (("x-algolia-application-id", "A"), ("x-algolia-api-key", "K"))
EMPTY = (
    b'{"events":[],"pagination":{"nbPages":1,"page":1,"nbItems":0,"itemsPerPage":10},'
    b'"window":{"startDate":"2026-01-01T00:00:00Z","endDate":"2026-01-01T00:00:00Z"}}'
)
LIST = RecordedExchange("GET", f"/1/runs/{RUN}/events", KEYS, b"", 200, JSON, EMPTY)
POST = RecordedExchange(
    "POST",
    "/api/dataset/events",
    (("TR-Dataset", RUN), ("Authorization", "tr-1"), *JSON),
    b"{}",
    200,
    JSON,
    b'{"events":[],"event_types":[],"page_count":0}',
)
SPANS = RecordedExchange(
    "GET", "/api/v1/runs/r/events", (("Authorization", "Bearer k"),), b"", 200, JSON,
    b'{"events":[]}',
)  # fmt: skip
RUNS = RecordedExchange("GET", "/api/tasks/a/runs", (), b"", 200, JSON, b'{"runs":[],"total":0}')
EXCHANGES = {"algolia-ingestion": LIST, "trieve": POST, "trigger-dev": SPANS, "runwisp": RUNS}


@pytest.fixture(scope="module")
def judges(services):
    return {name: ExchangeValidator(s.contract.document) for name, s in services.items()}


@pytest.mark.parametrize("api", EXCHANGES)
def test_a_good_exchange_has_nothing_wrong(judges, api):
    assert judges[api].find_disagreements(EXCHANGES[api]) == []


@pytest.mark.parametrize(
    ("api", "change", "word"),
    [
        ("algolia-ingestion", {"response_body": b"{}"}, "'events' is a required property"),
        ("algolia-ingestion", {"response_body": EMPTY[:-1]}, "deserialize"),
        ("algolia-ingestion", {"status": 418}, "418"),
        ("algolia-ingestion", {"response_headers": (("content-type", "text/x"),)}, "text/x"),
        ("algolia-ingestion", {"request_headers": ()}, "Security"),
        ("algolia-ingestion", {"url": LIST.url + "?page=0"}, "minimum"),
        ("algolia-ingestion", {"url": LIST.url + "?page=+1"}, "page"),
        ("algolia-ingestion", {"url": LIST.url + "?type=null"}, "not one of"),
        ("algolia-ingestion", {"url": LIST.url + "?type=log&type=x"}, "not one of"),
        ("algolia-ingestion", {"url": LIST.url + "?startDate=now"}, "date-time"),
        ("algolia-ingestion", {"url": "/2/runs"}, "PathNotFound"),
        ("algolia-ingestion", {"method": "POST"}, "OperationNotFound"),
        ("runwisp", {"url": "/api/tasks/a%2Fb/runs"}, "does not match"),
        ("runwisp", {"url": RUNS.url + "?limit="}, "limit"),
        ("trieve", {"request_body": b""}, "Missing"),
        ("trieve", {"request_body": b'{"page":NaN}'}, "deserialize"),
        ("trieve", {"request_body": b'{"page":"1"}'}, "page"),
        ("trieve", {"request_body": b'{"more":1%s}' % (b"0" * 400)}, "deserialize"),
        ("trieve", {"method": "DELETE", "url": f"/api/file/{RUN}?delete_chunks=on"},
         "not a boolean"),
        ("trieve", {"request_headers": POST.request_headers[1:]}, "TR-Dataset"),
        ("trieve", {"response_body": b'{"events":[],"event_types":[],"page_count":9000000000}'},
         "int32"),
        ("trigger-dev", {"response_body": b'{"events":[{"parentId":1}]}'}, "1 is not of type"),
    ],
)  # fmt: skip
def test_a_broken_exchange_is_noticed(judges, api, change, word):
    complaints = judges[api].find_disagreements(replace(EXCHANGES[api], **change))
    assert any(word in complaint for complaint in complaints)


@pytest.mark.parametrize(
    ("api", "change"),
    [
        ("algolia-ingestion", {"url": f"/1/runs/%36{RUN[1:]}/events"}),
        ("algolia-ingestion", {"url": LIST.url + "?status=null,failed&status=created"}),
        ("algolia-ingestion", {"url": LIST.url + "?type="}),
        ("algolia-ingestion", {"url": LIST.url + "?startDate=2016-12-31T23:59:60Z"}),
        ("algolia-ingestion", {"url": LIST.url + "?startDate=0000-01-01T00:00:00Z"}),
        ("runwisp", {"url": "/api/tasks/%61/runs?status=&search="}),
        ("trigger-dev", {"request_headers": (("authorization", "k"),)}),
        ("trieve", {"request_headers": POST.request_headers[:2]}),
        (
            "trieve",
            {
                "method": "PUT",
                "url": "/api/chunk",
                "request_body": b'{"chunk_id":null,"tracking_id":"a","metadata":null}',
            },
        ),
        *(
            (
                "trieve",
                {
                    "method": "PUT",
                    "url": f"/api/file/csv_or_jsonl/{RUN}",
                    "request_headers": (("content-type", kind),),
                    "request_body": b"a,b",
                },
            )
            for kind in ("text/csv", "application/json", "nonsense", "")
        ),
    ],
)
def test_where_the_judges_differ_a_request_is_read_our_way(judges, api, change):
    assert judges[api].validate_request(replace(EXCHANGES[api], **change)) == []


@pytest.mark.parametrize(("rule", "agreed"), [("type", False), ("unknown", True)])
def test_a_refusal_needs_a_reason_that_both_judges_know(judges, rule, agreed):
    said = ("soundstage-violations", f'[{{"rule":"{rule}"}}]')
    refusal = replace(
        LIST, status=400, response_headers=(*JSON, said), response_body=b'{"message":""}'
    )
    assert (judges["algolia-ingestion"].find_disagreements(refusal) == []) is agreed


def test_every_difference_has_its_reason():
    for reason in (*REQUEST_ADAPTATIONS.values(), *STRICTER_RULES.values()):
        assert len(reason.split()) > 5
