"""The table of operations: Algolia Ingestion.

It is long because it describes the requests of 36 operations.
"""

import json

from table.rows import (
    NINES_400,
    NINES_5000,
    ZERO,
    Request,
    any_query,
    bodies,
    dates,
    integers,
    ok,
    refused,
    without_credentials,
)

RUN = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
ALGOLIA = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
OTHER_ALGOLIA = {
    "x-algolia-application-id": "OTHER_APPLICATION_ID",
    "x-algolia-api-key": "OTHER_API_KEY",
}

AT = "/algolia-ingestion"
TEXT = {**ALGOLIA, "content-type": "text/plain"}

SOURCE = "6c307511-b2b9-437a-a8df-6ec4ce4a2bbd"  # of BigCommerce
FEED = {  # what nothing refers to
    "authentications": "b02b61c4-a3d7-4628-ace6-6fa2fd5166e6",
    "transformations": "5304317f-af42-412f-b838-b3268e944239",
    "sources": "0e51f30d-c6a7-4e39-84b0-32ccd7c524a5",
    "destinations": "ce177b4e-0837-48a3-9261-a7ab3aa2e4f9",
}
GIFTS = "29a3b2e9-5d65-4441-9588-42dea2bc372f"
ORDERS = "ab9099a4-35a2-40ae-9af3-05535ec42e08"
TICKETS = "a28defe3-9bf0-4273-9247-6f57a5e5a5ab"
COPY = "3eabedcb-baa8-4dd4-88bd-64072bcfbe01"  # disabled by its owner
REVIEWS = "fc377a4c-4a15-444d-85e7-ce8a3a578a8e"  # disabled by its failures
RECIPES = "e5f20b8d-36c7-4a19-8d4e-b92c1f7a6035"  # another application's


def read(path):
    return Request("GET", AT + path, ALGOLIA)


def sent(method, path, **body):
    return Request(method, AT + path, TEXT, json.dumps(body).encode())


def bare(method, path):
    return Request(method, AT + path, ALGOLIA)


def body(**change):
    """The body of a row."""
    return json.dumps(change).encode()


PUSHED = {"action": "addObject", "records": [{"objectID": "test-record-123"}]}

INPUTS = {
    "algoliaIndex": {"indexName": "a"},
    "bigcommerce": {"storeHash": "a"},
    "bigquery": {"projectID": "a", "datasetID": "b", "dataType": "ga4"},
    "commercetools": {"url": "https://a.b", "projectKey": "c"},
    "csv": {"url": "https://a.b", "mapping": {"c": "string"}},
    "docker": {"image": "zendesk", "configuration": {}},
    "ga4BigqueryExport": {"projectID": "a", "datasetID": "b", "tablePrefix": "c"},
    "json": {"url": "https://a.b", "method": "POST"},
    "shopify": {"shopURL": "https://a.b"},
}
"""What each type of source takes."""

SECRETS = {
    "algolia": {"appID": "a", "apiKey": "b"},
    "apiKey": {"key": "a"},
    "googleServiceAccount": {"clientEmail": "a", "privateKey": "b"},
    "oauth": {"url": "https://a.b", "client_id": "c", "client_secret": "d"},
}
"""What some types of authentication take."""

SOURCES = {
    "bigquery": "1a2a73ed-562b-4f79-8374-59eef50bea63",
    "csv": "58c1b6f9-e4a2-4d07-9b3c-f0a7d5e2816b",
    "json": "c92e4d10-7b3f-4e58-96d1-a84f0b6c3e27",
}

TASK_INPUTS = [
    {"mapping": {"format": "mappingkit/v1", "actions": []}},
    {"streams": [{"name": "a", "syncMode": "fullTable"}]},
]

GOOD = {
    "getRun": read(f"/1/runs/{RUN}"),
    "listEvents": read(f"/1/runs/{RUN}/events"),
    "listRuns": read("/1/runs"),
    "getEvent": read(f"/1/runs/{RUN}/events/{RUN}"),
    "runTask": sent("POST", f"/2/tasks/{GIFTS}/run"),
    "pushTask": sent("POST", f"/2/tasks/{ORDERS}/push", **PUSHED),
    "push": sent("POST", "/1/push/ALGOLIA_INDEX_NAME", **PUSHED),
    "runSource": sent("POST", f"/1/sources/{SOURCE}/run"),
    "createTask": sent("POST", "/2/tasks", sourceID=RUN, destinationID=RUN, action="replace"),
    "getTask": read(f"/2/tasks/{RUN}"),
    "listTasks": read("/2/tasks"),
    "updateTask": sent("PATCH", f"/2/tasks/{TICKETS}", failureThreshold=16),
    "replaceTask": sent("PUT", f"/2/tasks/{TICKETS}", destinationID=RUN, action="replace"),
    "enableTask": bare("PUT", f"/2/tasks/{TICKETS}/enable"),
    "disableTask": bare("PUT", f"/2/tasks/{TICKETS}/disable"),
    "deleteTask": bare("DELETE", f"/2/tasks/{COPY}"),
    "createAuthentication": sent(
        "POST",
        "/1/authentications",
        type="basic",
        name="Example",
        input={"username": "example", "password": "secret"},
    ),
    "getAuthentication": read(f"/1/authentications/{RUN}"),
    "listAuthentications": read("/1/authentications"),
    "updateAuthentication": sent("PATCH", f"/1/authentications/{RUN}", name="Example"),
    "deleteAuthentication": bare("DELETE", f"/1/authentications/{FEED['authentications']}"),
    "createSource": sent(
        "POST", "/1/sources", type="json", name="Example", input={"url": "https://a.b"}
    ),
    "getSource": read(f"/1/sources/{RUN}"),
    "listSources": read("/1/sources"),
    "updateSource": sent("PATCH", f"/1/sources/{RUN}", name="Example"),
    "deleteSource": bare("DELETE", f"/1/sources/{FEED['sources']}"),
    "createTransformation": sent(
        "POST", "/1/transformations", name="Example", code="return record"
    ),
    "getTransformation": read(f"/1/transformations/{RUN}"),
    "listTransformations": read("/1/transformations"),
    "updateTransformation": sent("PUT", f"/1/transformations/{RUN}", name="Example"),
    "deleteTransformation": bare("DELETE", f"/1/transformations/{FEED['transformations']}"),
    "createDestination": sent(
        "POST", "/1/destinations", type="search", name="Example", input={"indexName": "example"}
    ),
    "getDestination": read(f"/1/destinations/{RUN}"),
    "listDestinations": read("/1/destinations"),
    "updateDestination": sent("PATCH", f"/1/destinations/{RUN}", name="Example"),
    "deleteDestination": bare("DELETE", f"/1/destinations/{FEED['destinations']}"),
}

WRITES = {name for name, good in GOOD.items() if good.method != "GET"}


def anywhere(*, optional_body=False, body=True):
    """Rows of every operation; the body of some may be left out, others have none."""
    rows = [
        ok("agent", {}, query="?x-algolia-agent=Algolia%20for%20JS%20(1)"),
        *without_credentials(403, *ALGOLIA),
        refused(403, "another's key", "security security",
                headers={"x-algolia-api-key": "OTHER_API_KEY"}),
        *any_query(400),
    ]  # fmt: skip
    if body:
        rows.append(ok("as JSON", {}, headers={"content-type": "application/json"}))
        rows.append(ok("no media type", {}, headers={"content-type": None}))
        left = {"in 'text/plain'", *(["no body"] if optional_body else [])}
        rows += [row for row in bodies(400) if row.about not in left]
    return rows


def by_id(collection, tail=""):
    """Rows of an operation on one thing of this collection."""
    path = f"{AT}{collection}/"
    return [
        refused(404, "unknown id", path=f"{path}{ZERO}{tail}"),
        refused(404, "no UUID", path=f"{path}lorem{tail}"),
        refused(404, "slash in the id", path=f"{path}a%2Fb{tail}"),
        refused(404, "NUL in the id", path=f"{path}%00{tail}"),
        refused(404, "another application's", headers=OTHER_ALGOLIA),
    ]


def deleted(collection):
    """Rows of deleting; the first of them is the only one that can be."""
    return [
        ok("what nothing refers to", {}, query="?x-algolia-agent="),
        refused(404, "what is gone"),
        *anywhere(body=False)[1:],
        *by_id(collection),
    ]


def lists(name, *sorts):
    """Rows of a list."""
    return [
        ok("defaults", {"pagination.page": 1, "pagination.itemsPerPage": 10}),
        ok("largest page", {"pagination.itemsPerPage": 100}, query="?itemsPerPage=100"),
        ok("past the end", {name: [], "pagination.page": 2**63}, query=f"?page={2**63}"),
        *(
            ok(f"{sort} {order}", {}, query=f"?sort={sort}&order={order}")
            for sort in ("createdAt", *sorts)
            for order in ("asc", "desc")
        ),
        *anywhere(body=False),
        *integers(400, "itemsPerPage", 0, maximum=100),
        refused(400, "page 0", "query.page minimum", query="?page=0"),
        refused(400, "page of 5000", "query.page type", query=f"?page={NINES_5000}"),
        refused(400, "sort", "query.sort enum", query="?sort=owner"),
        refused(400, "order", "query.order enum", query="?order=ASC"),
    ]


def many(name, *found, rule="enum"):
    """Rows of a filter that takes many values, each way in which clients send them."""
    one, other = found
    return [
        ok(f"{name} joined", {}, query=f"?{name}={one},{other}"),
        ok(f"{name} joined, escaped", {}, query=f"?{name}={one}%2C{other}"),
        ok(f"{name} repeated", {}, query=f"?{name}={one}&{name}={other}"),
        ok(f"empty {name}", {}, query=f"?{name}="),
        refused(400, f"{name} lorem", f"query.{name}/1 {rule}",
                query=f"?{name}={one},lorem"),
    ]  # fmt: skip


ROWS = {
    "getRun": [
        ok("documented", {"runID": RUN, "status": "finished", "outcome": "success"}),
        ok("encoded", {"runID": RUN}, path=f"/algolia-ingestion/1/runs/%36{RUN[1:]}"),
        ok("agent", {"runID": RUN}, query="?x-algolia-agent=Algolia%20for%20JS%20(1)"),
        ok("unexpected body", {"runID": RUN}, content=b"\xff" * 100),
        *without_credentials(403, *ALGOLIA),
        refused(403, "another's key", "security security",
                headers={"x-algolia-api-key": "OTHER_API_KEY"}),
        *any_query(400),
        refused(404, "unknown run", path=f"/algolia-ingestion/1/runs/{ZERO}"),
        refused(404, "no UUID", path="/algolia-ingestion/1/runs/lorem"),
        refused(404, "slash in the id", path="/algolia-ingestion/1/runs/a%2Fb"),
        refused(404, "NUL in the id", path="/algolia-ingestion/1/runs/%00"),
        refused(404, "another application's run", headers=OTHER_ALGOLIA),
    ],
    "listEvents": [
        ok("defaults", {
            "pagination.page": 1, "pagination.itemsPerPage": 10,
            "window.startDate": "2025-12-31T21:00:00.000Z",
            "window.endDate": "2026-01-01T00:00:00.000Z",
        }),
        ok("agent", {}, query="?x-algolia-agent="),
        ok("largest page", {"pagination.itemsPerPage": 100}, query="?itemsPerPage=100"),
        ok("any offset", {"window.startDate": "2025-12-31T22:00:00.000Z"},
           query="?startDate=2026-01-01T00:00:00%2B02:00"),
        ok("small letters", {"window.startDate": "2026-01-01T00:00:00.000Z"},
           query="?startDate=2026-01-01t00:00:00z"),
        ok("finer than a millisecond", {"window.endDate": "2026-01-01T00:00:00.123Z"},
           query="?endDate=2026-01-01T00:00:00.123999999Z"),
        ok("leap second", {"window.startDate": "2017-01-01T00:00:00.000Z"},
           query="?startDate=2016-12-31T23:59:60Z"),
        ok("year 0", {"window.startDate": "0001-01-01T00:00:00.000Z"},
           query="?startDate=0000-01-01T00:00:00Z"),
        ok("the last year", {"window.endDate": "9999-12-31T23:59:59.999Z"},
           query="?endDate=9999-12-31T23:59:59.9999-23:59"),
        ok("past the end", {"pagination.page": 2**63 - 1, "events": []},
           query=f"?page={2**63 - 1}"),
        ok("far past the end", {"events": []}, query=f"?page={2**64}"),
        ok("as far as numbers are read", {"events": []}, query=f"?page={NINES_400}"),
        *without_credentials(403, *ALGOLIA),
        *any_query(400),
        *integers(400, "itemsPerPage", 0, maximum=100),
        refused(400, "page 0", "query.page minimum", query="?page=0"),
        refused(400, "page -1", "query.page minimum", query="?page=-1"),
        refused(400, "page of 5000", "query.page type", query=f"?page={NINES_5000}"),
        refused(400, "page twice", "query.page repeated", query="?page=1&page=1"),
        refused(400, "sort", "query.sort enum", query="?sort=runID"),
        refused(400, "no sort", "query.sort enum", query="?sort="),
        refused(400, "order", "query.order enum", query="?order=ASC"),
        refused(400, "status", "query.status/0 enum", query="?status=lorem"),
        refused(400, "one of the statuses", "query.status/1 enum",
                query="?status=created,lorem"),
        refused(400, "one of repeated statuses", "query.status/1 enum",
                query="?status=created&status=Created"),
        refused(400, "type", "query.type/0 enum", query="?type=lorem"),
        refused(400, "type null", "query.type/0 enum", query="?type=null"),
        *dates("startDate"),
        *dates("endDate"),
        refused(400, "all that is wrong",
                "query.bogus unknown", "query.endDate format",
                "query.itemsPerPage maximum", "query.order enum", "query.page type",
                "query.sort repeated", "query.status/0 enum", "query.status/2 enum",
                query="?status=a,failed,b&sort=type&sort=type&page=x&order=up"
                "&itemsPerPage=101&endDate=now&bogus="),
        refused(404, "unknown run", path=f"/algolia-ingestion/1/runs/{ZERO}/events"),
        refused(404, "another application's run", headers=OTHER_ALGOLIA),
    ],
    "listRuns": [
        *lists("runs", "status", "updatedAt"),
        ok("seven days", {
            "window.startDate": "2025-12-25T00:00:00.000Z",
            "window.endDate": "2026-01-01T00:00:00.000Z",
        }),
        ok("of a task", {"pagination.nbItems": 1, "runs.0.runID": RUN},
           query=f"?taskID={RUN}"),
        ok("of another's task", {"runs": []}, query=f"?taskID={RECIPES}"),
        ok("of no task", {"runs": []}, query="?taskID=lorem"),
        *many("status", "finished", "skipped"),
        *many("type", "push", "update"),
        refused(400, "status null", "query.status/0 enum", query="?status=null"),
        refused(400, "task twice", "query.taskID repeated", query="?taskID=a&taskID=b"),
        *dates("startDate"),
        *dates("endDate"),
    ],
    "getEvent": [
        ok("first", {"type": "fetch", "status": "created", "runID": RUN}),
        *anywhere(body=False),
        *by_id("/1/runs", f"/events/{RUN}"),
        refused(404, "unknown event", path=f"{AT}/1/runs/{RUN}/events/{ZERO}"),
        refused(404, "slash in the event", path=f"{AT}/1/runs/{RUN}/events/a%2Fb"),
    ],
    "runTask": [
        ok("no body", {}, content=b""),
        ok("metadata", {}, content=body(runMetadata={"by": "hand"})),
        *anywhere(optional_body=True),
        *by_id("/2/tasks", "/run"),
        refused(400, "disabled", path=f"{AT}/2/tasks/{COPY}/run"),
        refused(400, "disabled by failures", path=f"{AT}/2/tasks/{REVIEWS}/run"),
        refused(400, "foreign key", "body additionalProperties", content=body(a=1)),
        refused(400, "metadata", "body/runMetadata type",
                content=body(runMetadata=[])),
    ],
    "pushTask": [
        ok("taken", {"message": "The records are being pushed"}),
        ok("nothing", {}, content=body(action="clear", records=[])),
        ok("in a while", {}, query="?watch=false"),
        *anywhere(),
        *by_id("/2/tasks", "/push"),
        refused(400, "disabled", path=f"{AT}/2/tasks/{COPY}/push"),
        refused(400, "watch", "query.watch type", query="?watch=1"),
        refused(400, "no reference here", "query.referenceIndexName unknown",
                query="?referenceIndexName=a"),
        refused(400, "action", "body/action enum",
                content=body(action="add", records=[])),
        refused(400, "no fields", "body required", "body required", content=b"{}"),
        refused(400, "no objectID", "body/records/1 required",
                content=body(action="clear", records=[{"objectID": "a"}, {}])),
        refused(400, "number as objectID", "body/records/0/objectID type",
                content=body(action="clear", records=[{"objectID": 1}])),
    ],
    "push": [
        ok("taken", {"message": "The records are being pushed"}),
        ok("by another index", {}, path=f"{AT}/1/push/tmp%2F1",
           query="?referenceIndexName=articles"),
        ok("another index is not asked", {}, query="?referenceIndexName=lorem"),
        *anywhere(),
        refused(400, "no task", path=f"{AT}/1/push/lorem"),
        refused(400, "no task either", path=f"{AT}/1/push/lorem",
                query="?referenceIndexName=ipsum"),
        refused(400, "many tasks", path=f"{AT}/1/push/products"),
        refused(400, "another application's index", path=f"{AT}/1/push/recipes"),
        refused(400, "watch", "query.watch type", query="?watch="),
        refused(400, "action", "body/action enum",
                content=body(action="add", records=[])),
    ],
    "runSource": [
        ok("no body", {}, content=b""),
        ok("no index is left", {"taskWithRunID": {}},
           content=body(indexToInclude=["orders"])),
        *anywhere(optional_body=True),
        *by_id("/1/sources", "/run"),
        refused(400, "no shop", path=f"{AT}/1/sources/{RUN}/run"),
        refused(400, "entity", "body/entityType enum",
                content=body(entityType="variant")),
        refused(400, "indices", "body/indexToExclude type",
                content=body(indexToExclude="orders")),
    ],
    "createTask": [
        *(
            ok(f"with {', '.join(given)}", {}, content=body(
                sourceID=RUN, destinationID=RUN, action="save", input=given))
            for given in TASK_INPUTS
        ),
        *anywhere(),
        refused(400, "source", content=body(
            sourceID=ZERO, destinationID=RUN, action="replace")),
        refused(400, "destination", content=body(
            sourceID=RUN, destinationID=ZERO, action="replace")),
        refused(400, "another application's source", content=body(
            sourceID="7a4c9e21-b05d-4f83-a6e7-1c8d3f2b9450", destinationID=RUN,
            action="replace")),
        refused(400, "cron", content=body(
            sourceID=RUN, destinationID=RUN, action="replace", cron="* * 32 * *")),
        refused(400, "cron of seconds", content=body(
            sourceID=RUN, destinationID=RUN, action="replace", cron="0 * * * * *")),
        refused(400, "cursor", "body/cursor format", content=body(
            sourceID=RUN, destinationID=RUN, action="replace", cursor="now")),
        refused(400, "all that is wrong",
                "body required", "body additionalProperties", "body/action enum",
                "body/enabled type", "body/failureThreshold maximum",
                "body/policies/criticalThreshold minimum",
                content=body(sourceID=RUN, action="add", enabled=1, a=1,
                             failureThreshold=101, policies={"criticalThreshold": 0})),
    ],
    "getTask": [
        ok("documented", {"taskID": RUN, "sourceID": RUN, "enabled": True}),
        ok("failures disable", {"enabled": False}, path=f"{AT}/2/tasks/{REVIEWS}"),
        *anywhere(body=False),
        *by_id("/2/tasks"),
    ],
    "listTasks": [
        *lists("tasks", "enabled", "triggerType", "action", "updatedAt"),
        *many("action", "save", "partial"),
        *many("sourceType", "csv", "push"),
        *many("triggerType", "schedule", "streaming"),
        ok("both disabled", {"pagination.nbItems": 3}, query="?enabled=false"),
        ok("of sources", {"pagination.nbItems": 1}, query=f"?sourceID={ZERO},{RUN}"),
        ok("of a destination", {"tasks.0.taskID": RUN}, query=f"?destinationID={RUN}"),
        ok("mailing", {"pagination.nbItems": 3}, query="?withEmailNotifications=true"),
        refused(400, "enabled", "query.enabled type", query="?enabled=1"),
        refused(400, "mailing", "query.withEmailNotifications type",
                query="?withEmailNotifications="),
    ],
    "updateTask": [
        *(ok(f"{', '.join(given)}", {}, content=body(input=given))
          for given in TASK_INPUTS),
        *anywhere(),
        *by_id("/2/tasks"),
        refused(400, "destination", content=body(destinationID=ZERO)),
        refused(400, "cron", content=body(cron="never")),
        refused(400, "source", "body additionalProperties", content=body(sourceID=RUN)),
        refused(400, "threshold", "body/failureThreshold minimum",
                content=body(failureThreshold=-1)),
    ],
    "replaceTask": [
        *(
            ok(f"with {', '.join(given)}", {}, content=body(
                destinationID=RUN, action="save", input=given))
            for given in TASK_INPUTS
        ),
        *anywhere(),
        *by_id("/2/tasks"),
        refused(400, "destination", content=body(
            destinationID=ZERO, action="replace")),
        refused(400, "nothing", "body required", "body required", content=b"{}"),
    ],
    "enableTask": [*anywhere(body=False), *by_id("/2/tasks", "/enable")],
    "disableTask": [*anywhere(body=False), *by_id("/2/tasks", "/disable")],
    "deleteTask": deleted("/2/tasks"),
    "createAuthentication": [
        ok("no platform", {"name": "Shop"}, content=body(
            type="secrets", name="Shop", platform=None, input={"A": "b"})),
        *(
            ok(f"of {kind}", {"name": "Shop"}, content=body(
                type=kind, name="Shop", input=given))
            for kind, given in SECRETS.items()
        ),
        *anywhere(),
        refused(400, "input of another type", "body/input required",
                "body/input required", "body/input additionalProperties",
                content=body(type="algolia", name="a", input={"key": "b"})),
        refused(400, "platform", "body/platform enum", content=body(
            type="apiKey", name="a", platform="none", input={"key": "b"})),
        refused(400, "nothing", *["body required"] * 3, content=b"{}"),
    ],
    "getAuthentication": [
        ok("documented", {"authenticationID": RUN, "input.apiKey": None}),
        *anywhere(body=False),
        *by_id("/1/authentications"),
    ],
    "listAuthentications": [
        *lists("authentications", "name", "type", "platform", "updatedAt"),
        *many("type", "basic", "apiKey"),
        *many("platform", "shopify", "none", rule="oneOf"),
        ok("no platform", {"pagination.nbItems": 6}, query="?platform=none"),
        ok("null for none", {"pagination.nbItems": 6}, query="?platform=null"),
    ],
    "updateAuthentication": [
        ok("secret", {"name": "Example application"}, content=body(
            input={"apiKey": "new"}), query="?x-algolia-agent="),
        *anywhere(),
        *by_id("/1/authentications"),
        refused(400, "input of another type", content=body(input={"key": "b"})),
        refused(400, "type", "body additionalProperties", content=body(type="basic")),
    ],
    "deleteAuthentication": [
        *deleted("/1/authentications"),
        refused(400, "in use", path=f"{AT}/1/authentications/{RUN}"),
    ],
    "createSource": [
        ok("push", {"name": "Pushes"}, content=body(type="push", name="Pushes")),
        *(
            ok(f"of {kind}", {"name": "Shop"}, content=body(
                type=kind, name="Shop", input=given))
            for kind, given in INPUTS.items()
        ),
        *anywhere(),
        refused(400, "authentication", content=body(
            type="push", name="a", authenticationID=ZERO)),
        refused(400, "input of another type", "body/input required",
                "body/input additionalProperties",
                content=body(type="csv", name="a", input={"shopURL": "b"})),
        refused(400, "delimiter", "body/input anyOf", "body/input/delimiter maxLength",
                content=body(type="csv", name="a", input={"url": "b",
                                                          "delimiter": "--"})),
        refused(400, "type", "body/type enum", content=body(type="xml", name="a")),
    ],
    "getSource": [
        ok("documented", {"sourceID": RUN, "type": "push"}),
        *anywhere(body=False),
        *by_id("/1/sources"),
    ],
    "listSources": [
        *lists("sources", "name", "type", "updatedAt"),
        *many("type", "csv", "shopify"),
        ok("no authentication", {"pagination.nbItems": 5},
           query="?authenticationID=none"),
        ok("authentication or none", {"pagination.nbItems": 6},
           query=f"?authenticationID=none,{RUN}"),
    ],
    "updateSource": [
        *(
            ok(f"as {kind}", {}, path=f"{AT}/1/sources/{source}",
               content=body(input=INPUTS[kind]))
            for kind, source in SOURCES.items()
        ),
        *anywhere(),
        *by_id("/1/sources"),
        refused(400, "authentication", content=body(authenticationID=ZERO)),
        refused(400, "input of another type", path=f"{AT}/1/sources/{SOURCE}",
                content=body(input={"url": "b"})),
        refused(400, "type", "body additionalProperties", content=body(type="json")),
    ],
    "deleteSource": [
        *deleted("/1/sources"),
        refused(400, "in use", path=f"{AT}/1/sources/{RUN}"),
    ],
    "createTransformation": [
        ok("steps", {}, content=body(
            name="a", type="noCode", input={"steps": [{"action": "filter"}]})),
        *anywhere(),
        refused(400, "authentication", content=body(
            name="a", authenticationIDs=[RUN, ZERO])),
        refused(400, "input", "body/input oneOf", content=body(
            name="a", input={"code": "b", "steps": []})),
    ],
    "getTransformation": [
        ok("documented", {"transformationID": RUN, "type": "code"}),
        *anywhere(body=False),
        *by_id("/1/transformations"),
    ],
    "listTransformations": [
        *lists("transformations", "name", "updatedAt"),
        ok("no code", {"pagination.nbItems": 1}, query="?type=noCode"),
        refused(400, "type", "query.type enum", query="?type=steps"),
        refused(400, "types", "query.type enum", query="?type=code,noCode"),
    ],
    "updateTransformation": [
        *anywhere(),
        *by_id("/1/transformations"),
        refused(400, "authentication", content=body(
            name="a", authenticationIDs=[ZERO])),
        refused(400, "no name", "body required", content=b"{}"),
    ],
    "deleteTransformation": [
        *deleted("/1/transformations"),
        refused(400, "in use", path=f"{AT}/1/transformations/{RUN}"),
    ],
    "createDestination": [
        *anywhere(),
        refused(400, "authentication", content=body(
            type="search", name="a", input={"indexName": "b"},
            authenticationID=ZERO)),
        refused(400, "transformation", content=body(
            type="search", name="a", input={"indexName": "b"},
            transformationIDs=[RUN, ZERO])),
        refused(400, "no index", "body/input required", content=body(
            type="search", name="a", input={})),
    ],
    "getDestination": [
        ok("documented", {"destinationID": RUN,
                          "input.indexName": "ALGOLIA_INDEX_NAME"}),
        *anywhere(body=False),
        *by_id("/1/destinations"),
    ],
    "listDestinations": [
        *lists("destinations", "name", "type", "updatedAt"),
        *many("type", "search", "insights"),
        ok("of an authentication", {"pagination.nbItems": 5},
           query=f"?authenticationID={RUN}"),
        ok("of a transformation", {"destinations.0.destinationID": RUN},
           query=f"?transformationID={RUN}"),
    ],
    "updateDestination": [
        *anywhere(),
        *by_id("/1/destinations"),
        refused(400, "authentication", content=body(authenticationID=ZERO)),
        refused(400, "transformation", content=body(transformationIDs=[ZERO])),
        refused(400, "record type", "body/input/recordType enum",
                content=body(input={"recordType": "page"})),
    ],
    "deleteDestination": [
        *deleted("/1/destinations"),
        refused(400, "in use", path=f"{AT}/1/destinations/{RUN}"),
    ],
}  # fmt: skip

NEVER = {}
