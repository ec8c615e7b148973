"""Coverage of contracts: archives, data, exceptions, figures, reports."""

import base64
import json
from xml.etree import ElementTree as ET

import pytest

from soundstage.openapi.contract import compile_contract
from soundstage.openapi.errors import DocumentError
from soundstage.tools.coverage.archive import ArchiveCoverage
from soundstage.tools.coverage.data import merge_documents, parse_coverage
from soundstage.tools.coverage.exceptions import load_exemptions
from soundstage.tools.coverage.figures import compute_figures, compute_percent, find_shortcomings
from soundstage.tools.coverage.report_files import render_html, render_junit, serialize_report
from soundstage.tools.coverage.report_text import format_report
from support.in_process import ALGOLIA, RUN, TRIEVE, new_worlds_client, services

EVENTS = f"/1/runs/{RUN}/events"


def contracts():
    return [service.contract for service in services().values()]


# Archives.


def test_an_exported_journal_covers_what_its_world_has_covered():
    with new_worlds_client() as client:
        client.get(f"{EVENTS}?status=failed&order=asc", headers=ALGOLIA)
        client.get(f"{EVENTS}?order=up", headers=ALGOLIA)
        client.get(f"/algolia-ingestion/1/runs/{RUN}", headers=ALGOLIA)
        client.get("/api/tasks/example/runs?sort_field=status")
        client.get("/api/tasks/example/runs", headers={"authorization": "Bearer x"})
        body = {"event_types": ["crawl_failed"]}
        client.post("/api/dataset/events", headers=TRIEVE, json=body)
        client.get("/_soundstage/health")
        document = client.get("/_soundstage/coverage").json()
        har = client.get("/_soundstage/journal.har").json()
    archive = ArchiveCoverage(contracts())
    assert archive.count(har) == 6
    assert archive.coverage.summarize(contracts()) == parse_coverage(document)
    assert archive.unmatched == []


def test_an_archive_of_a_world_with_a_prefix_is_counted():
    with new_worlds_client() as client:
        client.get(f"/~a{EVENTS}", headers=ALGOLIA)
        har = client.get("/~a/_soundstage/journal.har").json()
    archive = ArchiveCoverage(contracts())
    archive.count(har)
    assert [one.operation for one in archive.coverage.summarize(contracts()) if one.calls] == [
        "listEvents"
    ]


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "servers": [{"url": "https://api.test/v2"}, {"url": "/"}],
    "paths": {
        "/things/{id}": {
            "put": {
                "operationId": "putThing",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {}},
                    {"name": "how", "in": "cookie", "schema": {"enum": ["a", "b"]}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"properties": {"kind": {"enum": ["x", 1]}}}}
                    }
                },
                "responses": {
                    "200": {
                        "description": "It.",
                        "content": {
                            "application/json": {
                                "schema": {"properties": {"kind": {"enum": ["x", "é"]}}}
                            },
                            "text/event-stream": {
                                "schema": {
                                    "type": "array",
                                    "items": {
                                        "properties": {
                                            "event": {"enum": ["go", "end"]},
                                            "data": {"properties": {"n": {"enum": [1, 2]}}},
                                        }
                                    },
                                }
                            },
                        },
                    },
                    "4XX": {"description": "No."},
                },
            }
        }
    },
}


def entry(url="https://api.test/v2/things/1", status=200, **given):
    """An exchange as browsers write it: little of what may be left out is there."""
    request = {"method": "PUT", "url": url, "headers": [], **given.get("request", {})}
    content = given.get("content", {"size": 0})
    response = {"status": status, "headers": [], "content": content}
    return {"request": request, "response": response}


def counted(*entries):
    contract = compile_contract("things", DOCUMENT)
    archive = ArchiveCoverage([contract])
    archive.count({"log": {"entries": list(entries)}})
    (found,) = archive.coverage.summarize([contract])
    return archive, found, {f"{one.path}={one.text}" for one in found.values}


JSON = "application/json; charset=utf-8"


def posted(text, **given):
    return {"postData": {"mimeType": "application/json", "text": text, **given}}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


SEEN = [
    ({"request": posted('{ "kind": "x" }')}, 'body.kind="x"'),
    ({"request": posted('{"kind": 1.0}')}, "body.kind=1"),
    ({"request": posted(encoded('{"kind": 1}'), encoding="base64")}, "body.kind=1"),
    ({"request": {"headers": [{"name": "Cookie", "value": "how=b"}]}}, 'cookie.how="b"'),
    ({"content": {"mimeType": JSON, "text": '{"kind": "x"}'}}, 'answer.200.kind="x"'),
    ({"content": {"mimeType": JSON, "text": '{"kind": "\\u00e9"}'}}, 'answer.200.kind="é"'),
    (
        {"content": {"mimeType": JSON, "text": encoded('{"kind": "é"}'), "encoding": "base64"}},
        'answer.200.kind="é"',
    ),
    (
        {
            "content": {
                "mimeType": "text/event-stream",
                "text": ": hello\r\n\r\nevent: go\r\ndata: 1\r\n\r\nevent: end",
            }
        },
        'answer.200[].event="go"',
    ),
    (
        {"content": {"mimeType": "text/event-stream", "text": 'data: {"n":\ndata: 2}\n\n'}},
        "answer.200[].data.n=2",
    ),
]


@pytest.mark.parametrize(("given", "seen"), SEEN, ids=[row[1] for row in SEEN])
def test_an_archive_of_anybodys_covers_values(given, seen):
    assert counted(entry(**given))[2] == {seen}


def test_exchanges_that_differ_in_a_cookie_only_are_two():
    cookies = ([{"name": "Cookie", "value": f"how={how}"}] for how in "ab")
    entries = [entry(request={"headers": cookie}) for cookie in cookies]
    assert counted(*entries)[2] == {'cookie.how="a"', 'cookie.how="b"'}


UNREADABLE = [
    {"request": posted("{")},
    {"request": posted("x", encoding="base64")},
    {"request": {"postData": {"mimeType": "text/plain", "text": "x"}}},
    {"request": {"postData": None}},
    {"content": {"mimeType": "application/json", "text": "{"}},
    {"content": {"mimeType": "image/png", "text": "x", "encoding": "base64"}},
    {"content": {}},
    {"status": 418},
    {"status": 0},
]


@pytest.mark.parametrize("given", UNREADABLE, ids=str)
def test_what_cannot_be_read_in_an_archive_is_a_call_all_the_same(given):
    _, found, values = counted(entry(**given))
    assert (found.calls, values) == (1, set())
    assert found.statuses == {418: ("4XX",), 0: ()}.get(given.get("status"), ("200",))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.test/v2/things/1",
        "http://127.0.0.1:4010/things/1?x=%FF",
        "http://127.0.0.1:4010/~w/things/things/1",
    ],
)
def test_an_operation_is_found_with_every_prefix_that_it_may_have(url):
    assert counted(entry(url))[1].calls == 1


@pytest.mark.parametrize(
    "url", ["https://api.test/v3/things/1", "https://cdn.test/a.js", "data:text/plain,x"]
)
def test_a_request_without_operation_is_listed(url):
    archive, found, _ = counted(entry(url))
    assert (found.calls, archive.unmatched) == (0, [f"PUT {url}"])


@pytest.mark.parametrize("har", [{}, {"log": {}}, {"log": {"entries": [{}]}}, {"log": []}])
def test_what_is_no_archive_is_refused(har):
    with pytest.raises(ValueError, match="is no HTTP Archive"):
        ArchiveCoverage([]).count(har)


# Data.


def node(operation="a", api="x", calls=1, **given):
    pair = {"seen": [], "unseen": []}
    return {
        "api": api,
        "operation": operation,
        "method": "GET",
        "path": "/a",
        "calls": calls,
        "statuses": {**pair, "undocumented": [], **given.get("statuses", {})},
        "parameters": {**pair, **given.get("parameters", {})},
        "values": {**pair, **given.get("values", {})},
    }


def data(*nodes):
    return {"operations": list(nodes)}


def test_what_one_of_several_has_seen_was_seen():
    a, b = ({"at": "body", "value": value} for value in ("a", 1))
    one = node(
        statuses={"seen": ["200"], "unseen": ["404"], "undocumented": ["500"]},
        values={"seen": [a], "unseen": [b]},
    )
    other = node(
        calls=2,
        statuses={"seen": ["404"], "unseen": ["200"], "undocumented": ["418"]},
        values={"seen": [], "unseen": [a, b]},
    )
    (both,) = merge_documents([data(one), data(other, node("b"))])["operations"][:1]
    assert both["calls"] == 3
    assert both["statuses"] == {
        "seen": ["200", "404"],
        "unseen": [],
        "undocumented": ["418", "500"],
    }
    assert both["values"] == {"seen": [a], "unseen": [b]}


@pytest.mark.parametrize("wrong", [[], {}, data({}), data(node(calls="x")), None])
def test_what_is_no_coverage_is_refused(wrong):
    with pytest.raises(ValueError, match="holds no coverage"):
        parse_coverage(wrong)


# Exceptions and figures.

COVERED = parse_coverage(
    data(
        node(
            statuses={"seen": ["200"], "unseen": ["404", "500"]},
            parameters={"seen": ["query.q"], "unseen": ["query.all"]},
            values={
                "seen": [{"at": "query.q[]", "value": "x"}],
                "unseen": [
                    {"at": "query.q[]", "value": "y"},
                    {"at": "query.all", "value": "yes"},
                    {"at": "answer.404.kind", "value": 1},
                    {"at": "answer.200.kind", "value": "1"},
                    {"at": "answer.200.kind", "value": 1},
                ],
            },
        ),
        node("b", calls=0, statuses={"unseen": ["200"]}),
        node("c", api="y"),
        node("d", api="z", calls=0),
    )
)


def test_figures_count_what_exists_and_what_is_covered():
    figures = compute_figures(COVERED)
    assert [(api.name, api.covered, api.total) for api in figures.apis] == [
        ("x", 4, 14),
        ("y", 1, 1),
    ]
    assert figures.omitted == ("z",)
    assert (figures.covered, figures.total, figures.percent) == (5, 15, 33.3)
    assert [one.operation.operation for one in figures.apis[0].operations] == ["b", "a"]
    assert figures.apis[0].operations[1].counts == {
        "operation": (1, 1),
        "status": (1, 3),
        "parameter": (1, 2),
        "value sent": (1, 3),
        "value answered": (0, 3),
    }


def test_chosen_apis_count_whether_they_were_called_or_not():
    assert [a.percent for a in compute_figures(COVERED, ["z", "y"]).apis] == [100.0, 0.0]
    with pytest.raises(ValueError, match="no coverage of 'w', only of x, y, z"):
        compute_figures(COVERED, ["w"])


def test_without_any_call_everything_counts():
    idle = [one for one in COVERED if not one.calls]
    assert compute_figures(idle).percent == 0.0
    assert compute_figures([]).percent == 0.0
    assert find_shortcomings(compute_figures([]), 1)


def test_a_hundred_percent_is_all_of_it():
    assert (compute_percent(9999, 10000), compute_percent(1, 1), compute_percent(0, 0)) == (
        99.9,
        100.0,
        100.0,
    )
    assert find_shortcomings(compute_figures(COVERED), 33.4) == [
        "33.3 % is less than the 33.4 % required"
    ]
    assert find_shortcomings(compute_figures(COVERED), 33.3) == []


EXCUSES = [
    # an exception, how many items it excuses
    ("operation: b", 2),
    ("operation: '*'", 10),
    ("operation: a, status: 404", 2),
    ("operation: a, status: '*'", 5),
    ("operation: a, status: 200", 2),
    ("operation: a, parameter: query.all", 2),
    ("operation: a, parameter: query.q", 1),
    ("operation: a, at: 'query.q[]'", 1),
    ("operation: a, at: answer.200.kind", 2),
    ("operation: a, at: answer.200.kind, values: [1]", 1),
    ("operation: a, at: answer.200.kind, values: [1, '1', 2]", 2),
    ("operation: a, at: 'answer.*', values: [1]", 2),
    ("operation: a, at: 'answer.200.*'", 2),
]


def excepted(tmp_path, *entries, api="x"):
    path = tmp_path / "except.yaml"
    lines = [f"- {{api: {api}, reason: none, {entry}}}\n" for entry in entries]
    path.write_text("exceptions:\n" + "".join(lines))
    return load_exemptions(path)


@pytest.mark.parametrize(("entry", "count"), EXCUSES)
def test_an_exception_excuses_what_was_not_seen(tmp_path, entry, count):
    figures = compute_figures(COVERED, exemptions=excepted(tmp_path, entry))
    assert figures.excused == count
    assert (figures.covered, figures.total) == (5, 15 - count)
    assert figures.stale == figures.needless == ()
    assert not find_shortcomings(figures, None)


@pytest.mark.parametrize(
    ("entry", "api"),
    [
        ("operation: z", "x"),
        ("operation: a", "X"),
        ("operation: a, status: 40", "x"),
        ("operation: a, parameter: q", "x"),
        ("operation: a, at: answer.200", "x"),
        ("operation: a, at: answer.200.kind, values: [2]", "x"),
    ],
)
def test_an_exception_that_matches_nothing_is_reported_and_fails(tmp_path, entry, api):
    figures = compute_figures(COVERED, exemptions=excepted(tmp_path, entry, api=api))
    assert len(figures.stale) == 1
    assert f"{tmp_path}/except.yaml:2: {api} " in format_report(figures)
    assert find_shortcomings(figures, None) == ["exceptions that match nothing: 1"]


def test_an_exception_that_is_not_needed_is_reported_and_does_not_fail(tmp_path):
    entries = excepted(tmp_path, "operation: a, at: 'query.q[]', values: [x]")
    figures = compute_figures(COVERED, exemptions=entries)
    assert (figures.excused, len(figures.needless)) == (0, 1)
    assert "except.yaml:2: x a query.q[]: this exception is not needed" in format_report(figures)
    assert not find_shortcomings(figures, None)


def test_exceptions_of_omitted_apis_are_not_checked(tmp_path):
    entries = excepted(tmp_path, "operation: nothing", api="z")
    assert compute_figures(COVERED, exemptions=entries).stale == ()
    assert len(compute_figures(COVERED, ["z"], entries).stale) == 1


BROKEN = [
    ("exceptions: {}", "1: at /exceptions: {} is not of type"),
    ("exceptions: [{api: x}]", "1: at /exceptions/0: "),
    ("exceptions:\n- {api: x, operation: a}", '2: at /exceptions/0: "reason"'),
    ("exceptions:\n- {api: x, operation: a, reason: ''}", "2: at /exceptions/0/reason"),
    ("exceptions:\n- {api: x, operation: a, reason: r, was: 1}", "unexpected"),
    ("exceptions:\n- {api: x, operation: a, reason: r, values: [1]}", "at"),
    (
        "exceptions:\n- {api: x, operation: a, reason: r, status: 1, at: y}",
        "2: at /exceptions/0: an exception is for one of status, parameter and at",
    ),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_a_broken_file_of_exceptions_is_an_error_with_its_line(tmp_path, text, message):
    path = tmp_path / "except.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError) as raised:
        load_exemptions(path)
    assert str(raised.value).startswith(f"{path}:")
    assert message in str(raised.value)


# Reports.


@pytest.fixture
def figures(tmp_path):
    entries = excepted(tmp_path, "operation: a, status: 500")
    return compute_figures(COVERED, exemptions=entries)


def test_a_text_shows_gaps_first(figures):
    assert format_report(figures).splitlines() == [
        "x: 30.7 % (4 of 13)",
        "  operation  calls   statuses parameters       sent   answered   covered",
        "  b              0        0/1          -          -          -     0.0 %",
        "  a              1        1/2        1/2        1/3        0/3    36.3 %",
        "  never called: b",
        "  a (GET /a)",
        "    no status: 404",
        "    no parameter: query.all",
        '    no value sent: query.q[] = "y"',
        '    no value sent: query.all = "yes"',
        "    no value answered: answer.404.kind = 1",
        '    no value answered: answer.200.kind = "1", 1',
        "",
        "y: 100.0 % (1 of 1)",
        "  operation  calls   statuses parameters       sent   answered   covered",
        "  c              1          -          -          -          -   100.0 %",
        "",
        "not called and not selected: z",
        "covered: 35.7 % (5 of 14, 1 excused)",
    ]
    brief = format_report(figures, is_brief=True).splitlines()
    assert [line.split()[0] for line in brief if line] == [
        "x:",
        "operation",
        "b",
        "a",
        "y:",
        "not",
        "covered:",
    ]


def test_a_report_in_json_is_data_again(figures):
    report = json.loads(json.dumps(serialize_report(figures)))
    assert {*parse_coverage(report)} == {one for one in COVERED if one.api != "z"}
    assert (report["percent"], report["apis"]["y"]["percent"]) == (35.7, 100.0)
    (row,) = [one for one in report["operations"] if one["operation"] == "a"]
    assert row["excused"] == [{"kind": "status", "name": "500", "reason": "none"}]
    assert {"kind": "value answered", "name": "answer.404.kind", "value": 1} in row["missing"]


@pytest.mark.parametrize(("failed", "kind"), [(True, "failure"), (False, "skipped")])
def test_a_report_in_junit_has_a_case_for_each_operation(figures, failed, kind):
    suites = ET.fromstring(render_junit(figures, failed=failed))  # noqa: S314 - ours
    suite = suites.find("testsuite[@name='x']")
    counts = {name: suite.get(name) for name in ("tests", "failures", "skipped")}
    assert counts == {"tests": "2", "failures": "0", "skipped": "0"} | {
        "failures" if failed else "skipped": "2"
    }
    (case,) = suite.findall("testcase[@name='a']")
    (outcome,) = case
    assert (outcome.tag, outcome.get("message")) == (kind, "4 of 11 covered")
    assert "no status: 404\n" in outcome.text
    assert len(suites.find("testsuite[@name='y']/testcase")) == 0


def test_a_page_needs_no_other_file_and_escapes_what_it_shows():
    odd = node("<script>", values={"unseen": [{"at": "body", "value": "</b>&"}]})
    page = render_html(compute_figures(parse_coverage(data(odd, node("b")))))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;/b&gt;&amp;" in page
    assert "src=" not in page
    assert "http" not in page
    assert "never called" not in page
