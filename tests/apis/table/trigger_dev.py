"""The table of operations: Trigger.dev."""

from table.rows import (
    MAX_BODY_BYTES,
    Request,
    Row,
    any_query,
    bodies,
    ok,
    refused,
    without_credentials,
)

TRIGGER = {"Authorization": "Bearer tr_dev_1234"}
JSON = {**TRIGGER, "content-type": "application/json"}
LINES = {**TRIGGER, "content-type": "application/x-ndjson"}
PROD = {"Authorization": "Bearer tr_prod_1234"}
SDK = {"x-trigger-api-version": "2025-07-16"}

API = "/trigger-dev/api"
TASKS = f"{API}/v1/tasks"
RUNS = f"{API}/v1/runs"
TEN = b'["1","2","3","4","5","6","7","8","9","10"]'
LONG_TAG = "x" * 129
KEYED = b'"options":{"idempotencyKeyOptions":{"key":"a","scope":"run"}}'
ELEVEN = TEN.replace(b"]", b',"11"]')

GOOD = {
    "trigger_task_v1": Request("POST", f"{TASKS}/my-task/trigger", JSON, b"{}"),
    "batch_trigger_task_by_id_v1": Request(
        "POST", f"{TASKS}/my-task/batch", JSON, b'{"items":[{"payload":1},{}]}'
    ),
    "batch_trigger_task_v1": Request(
        "POST", f"{TASKS}/batch", JSON, b'{"items":[{"task":"my-task"},{"task":"x"}]}'
    ),
    "retrieve_batch_v1": Request("GET", f"{API}/v1/batches/batch_1234", TRIGGER),
    "get_batch_results_v1": Request("GET", f"{API}/v1/batches/batch_1234/results", TRIGGER),
    "retrieve_batch_v2": Request("GET", f"{API}/v2/batches/batch_1234", TRIGGER),
    "create_batch_v3": Request("POST", f"{API}/v3/batches", JSON, b'{"runCount":2}'),
    "stream_batch_items_v3": Request(
        "POST",
        f"{API}/v3/batches/batch_5678/items",
        LINES,
        b'{"index":0,"task":"my-task"}\n{"index":1,"task":"hello-world"}\n',
    ),
    "retrieve_run_v1": Request("GET", f"{API}/v3/runs/run_1234", TRIGGER),
    "list_runs_v1": Request("GET", RUNS, TRIGGER),
    "cancel_run_v1": Request("POST", f"{API}/v2/runs/run_1234/cancel", TRIGGER),
    "replay_run_v1": Request("POST", f"{RUNS}/run_1234/replay", TRIGGER),
    "reschedule_run_v1": Request("POST", f"{RUNS}/run_5678/reschedule", JSON, b'{"delay":"1h"}'),
    "add_run_tags_v1": Request("POST", f"{RUNS}/run_1234/tags", JSON, b'{"tags":["user_123456"]}'),
    "update_run_metadata_v1": Request(
        "PUT", f"{RUNS}/run_1234/metadata", JSON, b'{"metadata":{"foo":"bar"}}'
    ),
    "get_run_result_v1": Request("GET", f"{RUNS}/run_1234/result", TRIGGER),
    "get_run_events_v1": Request("GET", f"{RUNS}/run_1234/events", TRIGGER),
    "get_run_trace_v1": Request("GET", f"{RUNS}/run_1234/trace", TRIGGER),
    "subscribe_to_run_v1": Request("GET", "/trigger-dev/realtime/v1/runs/run_1234", TRIGGER),
}

WRITES = {
    "trigger_task_v1",
    "batch_trigger_task_by_id_v1",
    "batch_trigger_task_v1",
    "create_batch_v3",
    "stream_batch_items_v3",
    "cancel_run_v1",
    "replay_run_v1",
    "reschedule_run_v1",
    "add_run_tags_v1",
    "update_run_metadata_v1",
}


def always():
    """Rows of every operation."""
    return [
        *without_credentials(401, "Authorization"),
        refused(401, "basic", "security security",
                headers={"Authorization": "Basic dHJfZGV2XzEyMzQ="}),
        *any_query(400),
    ]  # fmt: skip


def elsewhere(name, documented):
    """Rows of an operation on a run, or on a batch, that does not exist."""
    path = GOOD[name].path
    return [
        *(
            refused(404, about, path=path.replace(documented, other))
            for about, other in (
                ("unknown", "run_0"), ("slash in the id", "a%2Fb"),
                ("NUL in the id", "%00"), ("capitals", documented.upper()),
            )
        ),
        refused(404, "another environment's", headers=PROD),
    ]  # fmt: skip


def options(api, *, at="body/options", wrap=b'{"options":%s}'):
    """Rows of the options of a run."""
    return [
        *(
            refused(400, f"{api} option {option}", f"{at}/{place}",
                    content=wrap % b"{%s}" % option.encode())
            for option, place in (
                ('"delay":"soon"', "delay anyOf"), ('"delay":60', "delay type"),
                ('"delay":"60"', "delay anyOf"), ('"delay":"1y"', "delay anyOf"),
                ('"delay":"2026-02-30T00:00:00Z"', "delay anyOf"),
                ('"ttl":1.5', "ttl anyOf"), ('"ttl":-1', "ttl anyOf"),
                ('"ttl":"1 h"', "ttl anyOf"), ('"ttl":""', "ttl anyOf"),
                ('"tags":1', "tags oneOf"), ('"tags":["a","a"]', "tags oneOf"),
                ('"tags":[1]', "tags oneOf"), (f'"tags":"{LONG_TAG}"', "tags oneOf"),
                ('"machine":"huge"', "machine enum"),
                ('"queue":{"concurrencyLimit":1001}', "queue/concurrencyLimit maximum"),
                ('"queue":{"concurrencyLimit":-1}', "queue/concurrencyLimit minimum"),
                ('"queue":"x"', "queue type"), ('"metadata":[]', "metadata type"),
                ('"idempotencyKey":1', "idempotencyKey type"),
                ('"idempotencyKey":"%s"' % ("x" * 2049), "idempotencyKey maxLength"),
                ('"idempotencyKeyTTL":"1y"', "idempotencyKeyTTL pattern"),
                ('"maxDuration":4', "maxDuration minimum"),
                ('"test":"no"', "test type"),
            )
        ),
        refused(422, f"{api} eleven tags", f"{at}/tags oneOf",
                content=wrap % b'{"tags":%s}' % ELEVEN),
        refused(400, f"{api} eleven tags and more",
                f"{at}/tags oneOf", f"{at}/test type",
                content=wrap % b'{"test":1,"tags":%s}' % ELEVEN),
    ]  # fmt: skip


PAGES = [
    *(
        refused(400, f"size {text}", f"query.page/size {rule}",
                query=f"?page[size]={text}")
        for text, rule in (
            ("0", "minimum"), ("-1", "minimum"), ("101", "maximum"), ("x", "type"),
            ("", "type"), ("1.5", "type"), ("%2B1", "type"),
        )
    ),
    refused(400, "page as text", "query.page unknown", query="?page=1"),
    refused(400, "unknown in page", "query.page additionalProperties",
            query="?page[number]=1"),
    refused(400, "unknown in filter", "query.filter additionalProperties",
            query="?filter[env]=dev"),
    refused(400, "unknown in createdAt", "query.filter/createdAt additionalProperties",
            query="?filter[createdAt][at]=1"),
    *(
        refused(400, f"status {text!r}", "query.filter/status pattern",
                query=f"?filter[status]={text}")
        for text in ("lorem", "", "COMPLETED,", "completed", "COMPLETED, FAILED")
    ),
    *(
        refused(400, f"isTest {text!r}", "query.filter/isTest type",
                query=f"?filter[isTest]={text}")
        for text in ("maybe", "", "2")
    ),
    *(
        refused(400, f"{end} {text!r}", f"query.filter/createdAt/{end} anyOf",
                query=f"?filter[createdAt][{end}]={text}")
        for end in ("from", "to")
        for text in ("now", "", "2026-02-30T00:00:00Z", "2026-01-01", "-1", "9" * 16)
    ),
    *(
        refused(400, f"period {text!r}", "query.filter/createdAt/period pattern",
                query=f"?filter[createdAt][period]={text}")
        for text in ("", "d", "1", "1y", "-1d", "1d1h", "9999999d")
    ),
]  # fmt: skip

ROWS = {
    "trigger_task_v1": [
        ok("smallest", {"isCached": False}),
        ok("own task", {"isCached": False}, path=f"{TASKS}/a%2Fb%20c/trigger"),
        ok("no media type", {}, headers={"content-type": None}),
        ok("all there is", {"isCached": False}, content=b"""{
           "payload": "{\\"json\\":1}", "context": {"a": [null]}, "options": {
           "queue": {"name": "q", "concurrencyLimit": 0},
           "concurrencyKey": "k", "ttl": "1h42m",
           "delay": "1w2d3hr4m5s", "tags": ["a", "b"], "machine": "micro",
           "payloadType": "application/super+json", "metadata": {"a": null},
           "maxDuration": 5, "test": true, "parentRunId": "run_1234", "new": 1}}"""),
        ok("a tag", {}, content=b'{"options":{"tags":"a"}}'),
        ok("seconds to live", {}, content=b'{"options":{"ttl":90}}'),
        ok("at a moment", {}, content=b'{"options":{"delay":"2026-01-01T01:00:00Z"}}'),
        ok("at a past time", {},
           content=b'{"options":{"delay":"2020-01-01T01:00:00+02:00"}}'),
        ok("null payload", {}, content=b'{"payload":null}'),
        ok("unhashed key", {}, content=b"{%s}" % KEYED),
        *always(),
        # The independent validator cannot parse a number beyond the range of a double.
        *(row for row in bodies(400) if row.about != "400 digits"),
        *options("trigger"),
        refused(400, "header ttl", "header.idempotency-key-ttl pattern",
                headers={"idempotency-key-ttl": "1y"}),
        refused(400, "long key", "header.idempotency-key maxLength",
                headers={"idempotency-key": "x" * 2049}),
    ],
    "batch_trigger_task_by_id_v1": [
        ok("two", {}),
        ok("a key before it was hashed", {}, content=b'{"items":[{%s}]}' % KEYED),
        *always(),
        *bodies(400),
        refused(400, "no items", "body required", content=b"{}"),
        refused(400, "nothing", "body/items minItems", content=b'{"items":[]}'),
        refused(400, "too much", "body/items maxItems",
                content=b'{"items":[%s{}]}' % (b"{}," * 1000)),
        refused(400, "item as text", "body/items/1 type", content=b'{"items":[{},""]}'),
        *options("item", at="body/items/1/options",
                 wrap=b'{"items":[{},{"options":%s}]}'),
    ],
    "batch_trigger_task_v1": [
        ok("two", {}),
        ok("a key before it was hashed", {},
           content=b'{"items":[{"task":"a",%s}]}' % KEYED),
        *always(),
        *bodies(400),
        refused(400, "no items", "body required", content=b"{}"),
        refused(400, "nothing", "body/items minItems", content=b'{"items":[]}'),
        refused(400, "no task", "body/items/0 required", content=b'{"items":[{}]}'),
        refused(400, "too much", "body/items maxItems",
                content=b'{"items":[%s{"task":"a"}]}' % (b'{"task":"a"},' * 1000)),
        *options("item", at="body/items/0/options",
                 wrap=b'{"items":[{"task":"a","options":%s}]}'),
    ],
    "retrieve_batch_v1": [
        ok("documented", {"id": "batch_1234", "status": "COMPLETED", "runCount": 2,
                          "runs": ["run_1235", "run_1236"], "successfulRunCount": 2,
                          "failedRunCount": 0}),
        ok("open", {"status": "PENDING", "runs": []},
           path=f"{API}/v1/batches/batch_5678"),
        *always(),
        *elsewhere("retrieve_batch_v1", "batch_1234"),
    ],
    "get_batch_results_v1": [
        ok("documented", {"id": "batch_1234", "items.0.id": "run_1235",
                          "items.1.ok": True, "items.1.output": '{"ok":true}'}),
        ok("open", {"items": []}, path=f"{API}/v1/batches/batch_5678/results"),
        *always(),
        *elsewhere("get_batch_results_v1", "batch_1234"),
    ],
    "retrieve_batch_v2": [
        ok("documented", {"id": "batch_1234", "processing.errors": []}),
        ok("open", {"status": "PENDING"}, path=f"{API}/v2/batches/batch_5678"),
        *always(),
        *elsewhere("retrieve_batch_v2", "batch_1234"),
    ],
    "create_batch_v3": [
        Row("two", {}, 202, shows={"runCount": 2, "isCached": False}),
        *always(),
        *bodies(400),
        refused(400, "no count", "body required", content=b"{}"),
        refused(400, "count 0", "body/runCount minimum", content=b'{"runCount":0}'),
        refused(400, "count 1001", "body/runCount maximum",
                content=b'{"runCount":1001}'),
        refused(400, "count 1.5", "body/runCount type", content=b'{"runCount":1.5}'),
    ],
    "stream_batch_items_v3": [
        ok("two of many", {"id": "batch_5678", "sealed": False, "expectedCount": 1000}),
        ok("no line end", {"sealed": False}, content=b'{"index":0,"task":"my-task"}'),
        ok("a key before it was hashed", {},
           content=b'{"index":0,"task":"a",%s}' % KEYED),
        *always(),
        refused(400, "no body", "body required", content=b""),
        refused(400, "half a line", "body json",
                content=b'{"index":0,"task":"a"}\n{"index":1'),
        refused(400, "no index", "body/0 required", content=b'{"task":"a"}\n'),
        refused(400, "no task", "body/1 required",
                content=b'{"index":0,"task":"a"}\n{"index":1}\n'),
        refused(400, "index -1", "body/0/index minimum",
                content=b'{"index":-1,"task":"a"}\n'),
        refused(400, "line as text", "body/0 type", content=b'"a"\n'),
        refused(400, "in JSON", "body media type", headers=JSON),
        refused(413, "large body", "body size", content=b" " * (MAX_BODY_BYTES + 1)),
        refused(422, "sealed", path=f"{API}/v3/batches/batch_1234/items"),
        *elsewhere("stream_batch_items_v3", "batch_5678"),
    ],
    "retrieve_run_v1": [
        ok("documented", {"id": "run_1234", "status": "COMPLETED", "attemptCount": 2,
                          "taskIdentifier": "my-task", "payload.foo": "bar",
                          "attempts": [], "isCompleted": True, "relatedRuns": {}}),
        ok("as the SDK", {"id": "run_1234"}, headers=SDK),
        ok("delayed", {"status": "DELAYED", "isQueued": True},
           path=f"{API}/v3/runs/run_5678"),
        *always(),
        *elsewhere("retrieve_run_v1", "run_1234"),
    ],
    "list_runs_v1": [
        ok("defaults", {"data.0.env": {"id": "env_dev", "name": "dev"}}),
        ok("as the SDK", {}, headers=SDK),
        ok("small page", {}, query="?page[size]=1"),
        ok("large page", {"data.0.env.name": "prod"}, query="?page%5Bsize%5D=100",
           headers=PROD),
        ok("after a run", {"data.0.id": "run_1235"},
           query="?page[after]=run_1236&page[size]=1"),
        ok("cursor that leads nowhere", {"data": [], "pagination": {}},
           query="?page[after]=lorem"),
        ok("every filter", {"data": []},
           query="?filter[status]=COMPLETED%2CFAILED&filter[taskIdentifier]=a,b"
           "&filter[version]=1&filter[bulkAction]=bulk_1&filter[schedule]=sched_1"
           "&filter[isTest]=true&filter[tag]=a&filter[error]=error_1&filter[batch]=b"
           "&filter[queue]=q&filter[machine]=micro&filter[region]=r"
           "&filter[createdAt][from]=1767225600000"
           "&filter[createdAt][to]=2026-01-01T02:00:00%2B02:00"
           "&filter[createdAt][period]=1d"),
        ok("of a batch", {"data.0.id": "run_1236", "data.1.id": "run_1235"},
           query="?filter[batch]=batch_1234"),
        *always(),
        *PAGES,
    ],
    "cancel_run_v1": [
        ok("finished", {"id": "run_1234"}),
        *always(),
        *elsewhere("cancel_run_v1", "run_1234"),
    ],
    "replay_run_v1": [
        ok("documented", {}),
        ok("empty, in JSON", {}, headers=JSON),
        ok("otherwise", {}, headers=JSON, content=b"""{"payload": "{\\"json\\":{}}",
           "payloadType": "application/super+json", "tags": "a", "machine": "micro",
           "metadata": {}, "queue": "q", "region": "r", "version": "1"}"""),
        *always(),
        refused(400, "unknown key", "body additionalProperties", headers=JSON,
                content=b'{"delay":"1h"}'),
        refused(400, "half a body", "body json", headers=JSON, content=b"{"),
        refused(400, "in text", "body media type", content=b"{}",
                headers={"content-type": "text/plain"}),
        refused(400, "type of payload", "body/payloadType enum", headers=JSON,
                content=b'{"payloadType":"text/plain"}'),
        refused(413, "large body", "body size", content=b" " * (MAX_BODY_BYTES + 1)),
        refused(422, "eleven tags", "body/tags oneOf", headers=JSON,
                content=b'{"tags":%s}' % ELEVEN),
        *elsewhere("replay_run_v1", "run_1234"),
    ],
    "reschedule_run_v1": [
        ok("delayed", {"id": "run_5678", "status": "DELAYED",
                       "delayedUntil": "2026-01-01T01:00:00.000Z"}),
        ok("until a moment", {"delayedUntil": "2026-01-01T00:30:00.000Z"},
           content=b'{"delay":"2026-01-01T02:30:00+02:00"}'),
        *always(),
        *bodies(400),
        refused(400, "no delay", "body required", content=b"{}"),
        refused(400, "delay", "body/delay anyOf", content=b'{"delay":"soon"}'),
        refused(400, "a moment gone by", content=b'{"delay":"2025-12-31T23:59:59Z"}'),
        refused(400, "at once", content=b'{"delay":"0s"}'),
        refused(400, "finished", path=f"{RUNS}/run_1234/reschedule"),
        *elsewhere("reschedule_run_v1", "run_5678"),
    ],
    "add_run_tags_v1": [
        ok("it has them", {"message": "No new tags to add"}),
        ok("blank", {"message": "No new tags to add"}, content=b'{"tags":[" ",""]}'),
        ok("another", {}, content=b'{"tags":"org_1"}'),
        *always(),
        *bodies(400),
        refused(400, "no tags", "body required", content=b"{}"),
        refused(400, "number", "body/tags oneOf", content=b'{"tags":1}'),
        refused(400, "twice", "body/tags oneOf", content=b'{"tags":["a","a"]}'),
        refused(400, "long", "body/tags oneOf",
                content=b'{"tags":"%s"}' % LONG_TAG.encode()),
        refused(422, "eleven", "body/tags oneOf", content=b'{"tags":%s}' % ELEVEN),
        refused(422, "ten more", content=b'{"tags":%s}' % TEN),
        *elsewhere("add_run_tags_v1", "run_1234"),
    ],
    "update_run_metadata_v1": [
        ok("documented", {"metadata": {"foo": "bar"}}),
        ok("nulls", {"metadata": {"a": None, "b": {"c": None}}},
           content=b'{"metadata":{"a":null,"b":{"c":null}}}'),
        ok("none", {"metadata": {}}, content=b'{"metadata":{}}'),
        *always(),
        *bodies(400),
        refused(400, "no metadata", "body required", content=b"{}"),
        refused(400, "a list", "body/metadata type", content=b'{"metadata":[]}'),
        *elsewhere("update_run_metadata_v1", "run_1234"),
    ],
    "get_run_result_v1": [
        ok("documented", {"ok": True, "id": "run_1234", "output": '{"ok":true}',
                          "outputType": "application/json"}),
        *always(),
        refused(404, "not finished", path=f"{RUNS}/run_5678/result"),
        *elsewhere("get_run_result_v1", "run_1234"),
    ],
    "get_run_events_v1": [
        ok("documented", {"events.0.runId": "run_1234", "events.0.parentId": None}),
        ok("no Bearer", {}, headers={"Authorization": "tr_dev_1234"}),
        ok("small bearer", {}, headers={"Authorization": "bearer  tr_dev_1234"}),
        *always(),
        *elsewhere("get_run_events_v1", "run_1234"),
    ],
    "get_run_trace_v1": [
        ok("documented", {"trace.rootSpan.runId": "run_1234",
                          "trace.rootSpan.children.0.data.attemptNumber": 1}),
        *always(),
        *elsewhere("get_run_trace_v1", "run_1234"),
    ],
    "subscribe_to_run_v1": [
        ok("first", {"0.headers.operation": "insert",
                     "0.value.status": "COMPLETED_SUCCESSFULLY",
                     "1": {"headers": {"control": "up-to-date"}}}),
        ok("as the SDK", {"0.value.friendlyId": "run_1234"},
           query="?log=full&offset=-1"),
        ok("from now on", {"0": {"headers": {"control": "up-to-date"}}},
           query="?offset=now"),
        ok("of another row", {"0.headers.operation": "update"},
           query="?offset=1_1&live=true&cursor=1"),
        ok("after a row that is no more", {}, query="?expired_handle=1"),
        *always(),
        refused(400, "live", "query.live enum", query="?live=yes"),
        refused(400, "log", "query.log enum", query="?log=none"),
        *elsewhere("subscribe_to_run_v1", "run_1234"),
    ],
}  # fmt: skip

WITHOUT_ANY = "the fixture's task * is every task; one without it: test_trigger_dev.py"

NEVER = {
    ("trigger_task_v1", "404"): WITHOUT_ANY,
    ("batch_trigger_task_by_id_v1", "404"): WITHOUT_ANY,
    ("batch_trigger_task_v1", "404"): WITHOUT_ANY,
    ("create_batch_v3", "200"): "takes a request before it: test_trigger_dev.py",
}
