"""The table of operations: Trieve.

It is long because every operation is requested with all the credentials, datasets and
bodies that it must reject.
"""

import json

from table.rows import (
    BIG_64,
    MALFORMED,
    MAX_BODY_BYTES,
    NINES_400,
    ZERO,
    Request,
    Row,
    any_query,
    bodies,
    ok,
    refused,
    without_credentials,
)

DATASET = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
OTHER_DATASET = "c8e2a6b4-d05f-4173-9a3c-f1b7e4d29068"
OTHER = "5b0c7f1e-93d4-4a68-8e2f-d6a9c3b1705e"
HELP = "7d41c0f8-2b6a-4e93-b5d7-08f3a9c6e125"
DRAFTS = "95a3f7c1-0e8d-4b64-a2f9-6c1d8b50e733"
CHUNK = "d290f1ee-6c54-4b01-90e6-d701748f0851"
OUTDATED = "0a6d2e94-c1f7-4853-b3e8-97d05f4a21bc"
OTHER_CHUNK = "1f0c9a7e-5d3b-4c82-9e46-a7b3d2c18f05"
ARCHIVE = "37c5e9d0-4a8b-4f16-8e72-d1b6f03a95c4"
DRAFT = "b81f6d3e-92c4-4e05-a7d8-3f5c0e9a1b67"
UPLOADED = "2c7e5a90-8d1b-4f63-b4c2-e9a07f3d5816"
NEVER_CAME = "a95d0b3f-6e47-4c1a-9f82-71c3d8e5b640"
CRAWL = "5d0a8e7b-c394-4f12-8b6e-0f7d2c9a4e51"
OTHER_CRAWL = "e27c4f96-1b8d-4a05-9d73-6a0c5f8e3b14"
OPENAPI = {"type": "openapi", "openapi_schema_url": "https://a.b", "openapi_tag": "c"}

TRIEVE = {
    "TR-Dataset": DATASET,
    "Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "content-type": "application/json",
}
ADMIN = {"Authorization": "tr-b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2"}
READONLY = {"Authorization": "tr-c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3"}
OTHERS_KEY = {"Authorization": "tr-a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}
NAMED = {"TR-Dataset": "foobar-dataset"}
ORGANIZATION = {
    "TR-Organization": DATASET,
    "Authorization": TRIEVE["Authorization"],
    "content-type": "application/json",
}


def build_request(method, path, content=b"", headers=TRIEVE):
    return Request(method, f"/trieve/api{path}", headers, content)


def headers_of(dataset):
    return TRIEVE | {"TR-Dataset": dataset}


GOOD = {
    "create_dataset": build_request("POST", "/dataset", b'{"dataset_name":"New"}', ORGANIZATION),
    "get_dataset": build_request("GET", f"/dataset/{DATASET}"),
    "get_dataset_by_tracking_id": build_request(
        "GET", "/dataset/tracking_id/foobar-dataset", headers=ORGANIZATION
    ),
    "delete_dataset": build_request("DELETE", f"/dataset/{DRAFTS}", headers=headers_of(DRAFTS)),
    "delete_dataset_by_tracking_id": build_request("DELETE", "/dataset/tracking_id/old-catalog"),
    "clear_dataset": build_request("PUT", f"/dataset/clear/{HELP}", headers=headers_of(HELP)),
    "get_datasets_from_organization": build_request(
        "GET", f"/dataset/organization/{DATASET}", headers=ORGANIZATION
    ),
    "get_events": build_request("POST", "/dataset/events", b"{}"),
    "create_chunk": build_request("POST", "/chunk", b'{"chunk_html":"<p>New</p>"}'),
    "update_chunk": build_request("PUT", "/chunk", b'{"chunk_id":"%s"}' % CHUNK.encode()),
    "update_chunk_by_tracking_id": build_request(
        "PUT", "/chunk/tracking_id/update", b'{"tracking_id":"tracking_id"}'
    ),
    "delete_chunk": build_request("DELETE", f"/chunk/{OUTDATED}"),
    "delete_chunk_by_tracking_id": build_request("DELETE", "/chunk/tracking_id/prices"),
    "bulk_delete_chunk": build_request("DELETE", "/chunk", b'{"filter":{"must":[{"ids":[]}]}}'),
    "get_chunk_by_id": build_request("GET", f"/chunk/{CHUNK}"),
    "get_chunk_by_tracking_id": build_request("GET", "/chunk/tracking_id/tracking_id"),
    "create_chunk_group": build_request("POST", "/chunk_group", b"{}"),
    "update_chunk_group": build_request(
        "PUT", "/chunk_group", b'{"group_id":"%s"}' % DATASET.encode()
    ),
    "get_chunk_group": build_request("GET", f"/chunk_group/{DATASET}"),
    "delete_chunk_group": build_request("DELETE", f"/chunk_group/{ARCHIVE}"),
    "add_chunk_to_group": build_request(
        "POST", f"/chunk_group/chunk/{DATASET}", b'{"chunk_id":"%s"}' % CHUNK.encode()
    ),
    "remove_chunk_from_group": build_request(
        "DELETE", f"/chunk_group/chunk/{DATASET}?chunk_id={CHUNK}"
    ),
    "upload_file_handler": build_request(
        "POST", "/file", b'{"base64_file":"SGVsbG8u","file_name":"hello.txt"}'
    ),
    "get_file_handler": build_request("GET", f"/file/{DATASET}"),
    "delete_file_handler": build_request("DELETE", f"/file/{DRAFT}"),
    "create_presigned_url_for_csv_jsonl": build_request(
        "POST", "/file/csv_or_jsonl", b'{"file_name":"products.csv"}'
    ),
    "put_csv_or_jsonl": build_request("PUT", f"/file/csv_or_jsonl/{UPLOADED}", b"a,b", {}),
    "create_crawl": build_request(
        "POST", "/crawl", b'{"crawl_options":{"site_url":"https://example.com"}}'
    ),
    "get_crawl_requests_for_dataset": build_request("GET", "/crawl"),
    "update_crawl_request": build_request(
        "PUT", "/crawl", b'{"crawl_id":"%s","crawl_options":{}}' % CRAWL.encode()
    ),
    "delete_crawl_request": build_request("DELETE", f"/crawl/{OTHER_CRAWL}"),
    "health_check": build_request("GET", "/health", headers={}),
}

READS = {
    "get_dataset",
    "get_dataset_by_tracking_id",
    "get_datasets_from_organization",
    "get_events",
    "get_chunk_by_id",
    "get_chunk_by_tracking_id",
    "get_chunk_group",
    "get_file_handler",
    "get_crawl_requests_for_dataset",
    "health_check",
}

WRITES = set(GOOD) - READS


def done(about, **change):
    """A row of a response without a body."""
    return Row(about, change, 204)


def in_organization(name):
    """Rows of every operation of an organization: its key, and the query."""
    good = GOOD[name]
    mark = "&" if "?" in good.path else "?"
    return [
        *without_credentials(401, "Authorization"),
        refused(400, "unknown parameter", "query.bogus unknown",
                query=f"{mark}bogus=1"),
    ]  # fmt: skip


def in_dataset(name, role="admin"):
    """Rows of every operation in a dataset: its owner, and the role it requires."""
    low = {"admin": READONLY, "owner": ADMIN}.get(role)
    return [
        *in_organization(name),
        refused(400, "no dataset", "header.TR-Dataset required",
                headers={"TR-Dataset": None}),
        refused(400, "unknown tracking id", headers={"TR-Dataset": "lorem"}),
        refused(403, "another's dataset", headers={"TR-Dataset": OTHER_DATASET}),
        refused(403, "another's key", headers=OTHERS_KEY),
        refused(404, "unknown dataset", headers={"TR-Dataset": ZERO}),
        *([refused(403, "too low a role", headers=low)] if low else []),
    ]  # fmt: skip


def ids(name, place, **paths):
    """Rows of an id in the path: unknown, of another dataset, and none at all."""
    path = GOOD[name].path.partition("?")[0].rpartition("/")[0]
    rows = [
        refused(404, "unknown id", path=f"{path}/{ZERO}"),
        refused(400, "no UUID", f"path.{place} format", path=f"{path}/lorem"),
        refused(400, "NUL", f"path.{place} format", path=f"{path}/%00"),
    ]
    return rows + [refused(404, about, path=f"{path}/{of}") for about, of in paths.items()]


def tracking(name, other):
    """Rows of a tracking id in the path."""
    path = GOOD[name].path.rpartition("/")[0]
    return [
        refused(404, f"tracking id {text}", path=f"{path}/{text}")
        for text in ("lorem", other, "%00", "a%2Fb", "%20", ZERO)
    ]


def counts(name, least):
    """Rows of a whole number in the query."""
    place = f"query.{name}"
    return [
        refused(400, f"{name} below", f"{place} minimum", query=f"?{name}={least - 1}"),
        refused(400, f"{name} of 64 bits", f"{place} maximum",
                query=f"?{name}={BIG_64}"),
        refused(400, f"{name} of 400 digits", f"{place} maximum",
                query=f"?{name}={NINES_400}"),
        refused(400, f"{name} twice", f"{place} repeated", query=f"?{name}=1&{name}=1"),
        *(
            refused(400, f"{name} {text!r}", f"{place} type", query=f"?{name}={text}")
            for text in ("x", "1.0", "1e0", "%2B1", "%201", "1_0", "", "null", "%00")
        ),
    ]  # fmt: skip


def one_or_many(status):
    """Rows of a body that is an object, or a list of them."""
    return [
        refused(status, "no body", "body required", content=b""),
        *(
            refused(status, about, "body json", content=content)
            for about, content in MALFORMED.items()
        ),
        *(
            refused(status, f"body {content}", "body oneOf", content=content)
            for content in (b"null", b'"{}"', b"1", b"[1]", b"[[]]")
        ),
        refused(413, "large body", "body size", content=b" " * (MAX_BODY_BYTES + 1)),
    ]


def body(value):
    return {"content": json.dumps(value).encode()}


ROWS = {
    "get_events": [
        ok("smallest", {}),
        ok("nulls", {}, content=b'{"page":null,"page_size":null,"event_types":null}'),
        ok("no media type", {}, headers={"content-type": None}),
        ok("charset", {}, headers={"content-type": "Application/JSON; charset=utf-8"}),
        ok("bearer", {},
           headers={"Authorization": "Bearer " + TRIEVE["Authorization"]}),
        ok("organization", {}, headers={"TR-Organization": DATASET}),
        ok("capitals", {}, headers={"TR-Dataset": DATASET.upper()}),
        ok("key of the real server", {}, content=b'{"type":["chunk_action_failed"]}'),
        ok("far past the end", {"events": []},
           content=b'{"page":%d,"page_size":%d}' % (BIG_64 - 1, BIG_64 - 1)),
        ok("1.0 is an integer", {}, content=b'{"page":1.0,"page_size":2e0}'),
        ok("the largest body", {}, content=b"{}" + b" " * (MAX_BODY_BYTES - 2)),
        *without_credentials(401, "Authorization"),
        *any_query(400),
        refused(400, "no dataset", "header.TR-Dataset required",
                headers={"TR-Dataset": None}),
        ok("tracking id", {}, headers={**NAMED, "TR-Organization": DATASET}),
        refused(400, "no organization", headers=NAMED),
        refused(400, "organization that is none",
                headers={**NAMED, "TR-Organization": "lorem"}),
        *(
            refused(400, f"dataset {text!r}", headers={"TR-Dataset": text})
            for text in ("", "lorem", DATASET[:-1], f"{{{DATASET}}}", "\xe9")
        ),
        refused(403, "another organization's tracking id",
                headers={"TR-Dataset": "recipes", "TR-Organization": OTHER}),
        refused(404, "unknown tracking id",
                headers={"TR-Dataset": "lorem", "TR-Organization": DATASET}),
        *bodies(400),
        refused(400, "page 0", "body/page minimum", content=b'{"page":0}'),
        refused(400, "negative size", "body/page_size minimum",
                content=b'{"page_size":-1}'),
        refused(400, "page of 64 bits", "body/page maximum",
                content=b'{"page":%d}' % BIG_64),
        refused(400, "page 1e30", "body/page maximum", content=b'{"page":1e30}'),
        refused(400, "page 1.5", "body/page type", content=b'{"page":1.5}'),
        refused(400, "page true", "body/page type", content=b'{"page":true}'),
        refused(400, "page as text", "body/page type", content=b'{"page":"1"}'),
        refused(400, "stored type", "body/event_types/1 enum",
                content=b'{"event_types":["etl_failed","qdrant_index_failed"]}'),
        refused(400, "types as text", "body/event_types type",
                content=b'{"event_types":"etl_failed"}'),
        refused(400, "all that is wrong",
                "query.bogus unknown", "header.TR-Dataset required",
                "body/page minimum", "body/page_size type",
                query="?bogus=1", headers={"TR-Dataset": None},
                content=b'{"page":0,"page_size":"x"}'),
        refused(403, "another organization's dataset",
                headers={"TR-Dataset": OTHER_DATASET}),
        refused(404, "unknown dataset", headers={"TR-Dataset": ZERO}),
    ],
    "create_dataset": [
        ok("named", {"name": "New", "tracking_id": None, "deleted": 0,
                     "organization_id": DATASET, "server_configuration": {}}),
        ok("capitals", {}, headers={"TR-Organization": DATASET.upper()}),
        ok("configured", {"server_configuration.BM25_ENABLED": True},
           **body({"dataset_name": "",
                   "server_configuration": {"BM25_ENABLED": True}})),
        ok("public", {"server_configuration.PUBLIC_DATASET.enabled": True},
           **body({"dataset_name": "", "server_configuration": {"PUBLIC_DATASET": {
               "enabled": True, "extra_params": {"searchOptions": {"sort_options": {
                   "sort_by": {"field": "a"}}}}}}})),
        ok("public, ranked", {},
           **body({"dataset_name": "", "server_configuration": {"PUBLIC_DATASET": {
               "enabled": True, "extra_params": {"searchOptions": {"sort_options": {
                   "sort_by": {"rerank_type": "semantic"}}}}}}})),
        *in_organization("create_dataset"),
        refused(400, "no organization", "header.TR-Organization required",
                headers={"TR-Organization": None}),
        refused(400, "organization that is none", "header.TR-Organization format",
                headers={"TR-Organization": "lorem"}),
        refused(403, "another organization", headers={"TR-Organization": OTHER}),
        refused(403, "unknown organization", headers={"TR-Organization": ZERO}),
        refused(403, "too low a role", headers=ADMIN),
        *bodies(400),
        refused(400, "no name", "body required", **body({})),
        refused(400, "name null", "body/dataset_name type",
                **body({"dataset_name": None})),
        refused(400, "tracking id taken",
                **body({"dataset_name": "x", "tracking_id": "help-center"})),
        refused(400, "configuration", "body/server_configuration/BM25_B type",
                **body({"dataset_name": "x", "server_configuration": {"BM25_B": "x"}})),
    ],
    "get_dataset": [
        ok("documented", {"id": DATASET, "name": "Trieve",
                          "tracking_id": "foobar-dataset"}),
        ok("capitals", {"id": DATASET}, path=f"/trieve/api/dataset/{DATASET.upper()}"),
        ok("another of the header's", {"name": "Help center"},
           path=f"/trieve/api/dataset/{HELP}"),
        *in_dataset("get_dataset"),
        *ids("get_dataset", "dataset_id"),
        refused(403, "another's", path=f"/trieve/api/dataset/{OTHER_DATASET}"),
    ],
    "get_dataset_by_tracking_id": [
        ok("documented", {"id": DATASET}),
        ok("with a dataset, as the JavaScript client sends it", {"id": DATASET},
           headers={"TR-Dataset": DATASET}),
        *in_organization("get_dataset_by_tracking_id"),
        refused(400, "no organization", "header.TR-Organization required",
                headers={"TR-Organization": None}),
        refused(403, "another organization", headers={"TR-Organization": OTHER}),
        refused(403, "too low a role", headers=READONLY),
        *tracking("get_dataset_by_tracking_id", "recipes"),
    ],
    "delete_dataset": [
        *in_dataset("delete_dataset", "owner"),
        *(
            refused(status, f"path {other}", path=f"/trieve/api/dataset/{other}")
            for status, other in ((400, DATASET), (403, OTHER_DATASET), (404, ZERO))
        ),
        refused(400, "no UUID", "path.dataset_id format",
                path="/trieve/api/dataset/lorem"),
        done("one of the two"),
        refused(404, "it is gone"),
    ],
    "delete_dataset_by_tracking_id": [
        *in_dataset("delete_dataset_by_tracking_id", "owner"),
        *tracking("delete_dataset_by_tracking_id", "recipes"),
        done("there"),
        refused(404, "it is gone"),
    ],
    "clear_dataset": [
        done("empty"),
        *in_dataset("clear_dataset", "owner"),
        refused(400, "path of another", path=f"/trieve/api/dataset/clear/{DATASET}"),
        refused(400, "no UUID", "path.dataset_id format",
                path="/trieve/api/dataset/clear/lorem"),
    ],
    "get_datasets_from_organization": [
        ok("newest first", {
            "0.dataset.name": "Help center", "3.dataset.id": DATASET,
            "3.dataset_usage.chunk_count": 3,
        }),
        ok("a page", {"0.dataset.name": "Drafts"}, query="?limit=1&offset=1"),
        *in_organization("get_datasets_from_organization"),
        *counts("limit", 0), *counts("offset", 0),
        refused(400, "no offset", query="?limit=1"),
        refused(400, "no limit", query="?offset=0"),
        refused(400, "no UUID", "path.organization_id format",
                path="/trieve/api/dataset/organization/%7Borganization_id%7D"),
        refused(403, "another's", path=f"/trieve/api/dataset/organization/{OTHER}"),
        refused(403, "too low a role", headers=READONLY),
    ],
    "create_chunk": [
        ok("one", {"chunk_metadata.chunk_html": "<p>New</p>",
                   "chunk_metadata.weight": 0.0}),
        ok("many", {"chunk_metadata.1.link": "b"},
           **body([{"link": "a"}, {"link": "b"}])),
        ok("none", {"chunk_metadata": []}, **body([])),
        ok("all that is echoed", {
            "chunk_metadata.time_stamp": "2021-01-01T00:00:00",
            "chunk_metadata.location": {"lat": -34, "lon": 151.5},
            "chunk_metadata.tag_set": ["tag1"], "chunk_metadata.metadata": {"a": [1]},
            "chunk_metadata.image_urls": [], "chunk_metadata.num_value": 1.5,
        }, **body({
            "time_stamp": "2021-01-01 00:00:00.000", "tag_set": ["tag1"],
            "location": {"lat": -34, "lon": 151.5}, "metadata": {"a": [1]},
            "image_urls": [], "num_value": 1.5})),
        ok("empty tracking id", {"chunk_metadata.tracking_id": None},
           **body({"tracking_id": ""})),
        ok("as many as may be", {}, **body([{}] * 120)),
        ok("deep", {}, content=b'{"metadata":%s%s}' % (b"[" * 126, b"]" * 126)),
        refused(400, "too deep",
                content=b'{"metadata":%s%s}' % (b"[" * 128, b"]" * 128)),
        *in_dataset("create_chunk"),
        *one_or_many(400),
        refused(400, "time stamp", **body({"time_stamp": "yesterday"})),
        refused(404, "unknown group", **body({"group_ids": [ZERO]})),
        refused(400, "no group", "body oneOf", **body({"group_ids": ["lorem"]})),
        refused(413, "too many", **body([{}] * 121)),
    ],
    "update_chunk": [
        done("nothing"),
        done("by its tracking id", **body({"tracking_id": "tracking_id", "weight": 2})),
        *in_dataset("update_chunk"),
        *bodies(400),
        refused(400, "no chunk", "body anyOf", **body({})),
        refused(400, "nulls", "body anyOf",
                **body({"chunk_id": None, "tracking_id": None})),
        refused(400, "no UUID", "body/chunk_id format", **body({"chunk_id": "x"})),
        refused(400, "time stamp",
                **body({"chunk_id": CHUNK, "time_stamp": "x"})),
        refused(404, "unknown group",
                **body({"chunk_id": CHUNK, "group_ids": [ZERO]})),
        refused(400, "tracking id taken",
                **body({"chunk_id": CHUNK, "tracking_id": "terms"})),
        refused(404, "unknown chunk", **body({"chunk_id": ZERO})),
        refused(404, "another's chunk", **body({"chunk_id": OTHER_CHUNK})),
        refused(404, "unknown tracking id", **body({"tracking_id": "bread"})),
    ],
    "update_chunk_by_tracking_id": [
        done("nothing"),
        *in_dataset("update_chunk_by_tracking_id"),
        *bodies(400),
        refused(400, "no tracking id", "body required", **body({})),
        refused(400, "empty tracking id", "body/tracking_id minLength",
                **body({"tracking_id": ""})),
        refused(404, "unknown tracking id", **body({"tracking_id": "bread"})),
    ],
    "delete_chunk": [
        *in_dataset("delete_chunk"),
        *ids("delete_chunk", "chunk_id", another=OTHER_CHUNK),
        done("there"),
        refused(404, "it is gone"),
    ],
    "delete_chunk_by_tracking_id": [
        *in_dataset("delete_chunk_by_tracking_id"),
        *tracking("delete_chunk_by_tracking_id", "bread"),
        done("there"),
        refused(404, "it is gone"),
    ],
    "bulk_delete_chunk": [
        done("nothing found"),
        done("every condition", **body({"filter": {"must": [
            {"field": "metadata.none", "match_all": ["a", 1, 1.5],
             "range": {"gt": 1, "lte": 2.5}},
            {"field": "time_stamp", "date_range": {"gt": "2021-01-01 00:00:00.000"}},
            {"field": "location",
             "geo_radius": {"center": {"lat": 1, "lon": 2}, "radius": 5},
             "geo_bounding_box": {"top_left": {"lat": 1, "lon": 2},
                                  "bottom_right": {"lat": 0, "lon": 3}},
             "geo_polygon": {"exterior": []}},
            {"field": "x", "boolean": True}, {"field": "x", "match_any": []},
            {"tracking_ids": [], "ids": []},
        ], "must_not": [{"field": "link"}], "should": None}})),
        *in_dataset("bulk_delete_chunk"),
        *bodies(400),
        refused(400, "no filter", "body required", **body({})),
        refused(400, "filter null", "body/filter type", **body({"filter": None})),
        *(
            refused(400, f"condition {condition}", "body/filter/must/0 anyOf",
                    **body({"filter": {"must": [condition]}}))
            for condition in (1, {"field": None}, {"ids": "x"},
                              {"field": "x", "date_range": {"gt": {}}},
                              {"field": "x", "match_any": "x"})
        ),
        refused(400, "date", **body(
            {"filter": {"must": [{"field": "x", "date_range": {"gt": "yesterday"}}]}})),
    ],
    "get_chunk_by_id": [
        ok("documented", {"id": CHUNK, "tag_set": ["tag1", "tag2"]}),
        ok("as in V2", {"tag_set": ["tag1", "tag2"]}, headers={"X-API-Version": "V2"}),
        ok("as in V1", {"tag_set": "tag1,tag2"}, headers={"X-API-VERSION": "V1"}),
        ok("readonly", {"id": CHUNK}, headers=READONLY),
        ok("capitals", {"id": CHUNK}, path=f"/trieve/api/chunk/{CHUNK.upper()}"),
        *in_dataset("get_chunk_by_id", "readonly"),
        *ids("get_chunk_by_id", "chunk_id", another=OTHER_CHUNK),
        refused(400, "version", "header.X-API-Version enum",
                headers={"X-API-Version": "V3"}),
    ],
    "get_chunk_by_tracking_id": [
        ok("documented", {"id": CHUNK}),
        ok("as in V1", {"tag_set": "tag1,tag2"}, headers={"X-API-Version": "V1"}),
        *in_dataset("get_chunk_by_tracking_id", "readonly"),
        *tracking("get_chunk_by_tracking_id", "bread"),
    ],
    "create_chunk_group": [
        ok("no fields", {"name": "", "description": "", "tracking_id": None}),
        ok("one in a list", {"name": "x"}, **body([{"name": "x"}])),
        ok("many", {"1.tag_set": ["a"]}, **body([{}, {"tag_set": ["a"]}])),
        ok("none", {}, **body([])),
        ok("upsert", {"id": DATASET, "metadata": {"a": 1}}, **body(
            {"tracking_id": "SNOVERSIZEDTSHIRT", "upsert_by_tracking_id": True,
             "metadata": {"a": 1}})),
        *in_dataset("create_chunk_group"),
        *one_or_many(400),
        refused(400, "taken", **body({"tracking_id": "SNOVERSIZEDTSHIRT"})),
        refused(400, "twice", **body([{"tracking_id": "x"}, {"tracking_id": "x"}])),
        refused(413, "too many", **body([{}] * 1001)),
    ],
    "update_chunk_group": [
        done("nothing"),
        done("by its tracking id",
             **body({"tracking_id": "SNOVERSIZEDTSHIRT", "update_chunks": True})),
        *in_dataset("update_chunk_group"),
        *bodies(400),
        refused(400, "no group", "body anyOf", **body({})),
        refused(400, "taken",
                **body({"group_id": DATASET, "tracking_id": "archive"})),
        refused(404, "unknown group", **body({"group_id": ZERO})),
        refused(404, "unknown tracking id", **body({"tracking_id": "lorem"})),
    ],
    "get_chunk_group": [
        ok("documented", {"id": DATASET, "tracking_id": "SNOVERSIZEDTSHIRT",
                          "file_id": None}),
        *in_dataset("get_chunk_group", "readonly"),
        *ids("get_chunk_group", "group_id", another=CHUNK),
    ],
    "delete_chunk_group": [
        *in_dataset("delete_chunk_group"),
        *ids("delete_chunk_group", "group_id", another=CHUNK),
        refused(400, "delete_chunks", "query.delete_chunks type",
                query="?delete_chunks=yes"),
        done("there", query="?delete_chunks=true"),
        refused(404, "it is gone"),
    ],
    "add_chunk_to_group": [
        done("in it"),
        done("by its tracking id", **body({"chunk_tracking_id": "tracking_id"})),
        *in_dataset("add_chunk_to_group"),
        *ids("add_chunk_to_group", "group_id"),
        *bodies(400),
        refused(400, "no chunk", "body anyOf", **body({})),
        refused(404, "unknown chunk", **body({"chunk_id": ZERO})),
        refused(404, "another's chunk", **body({"chunk_tracking_id": "bread"})),
    ],
    "remove_chunk_from_group": [
        *in_dataset("remove_chunk_from_group"),
        *(
            refused(status, about, *rules, path=f"/trieve/api/chunk_group/chunk/{rest}",
                    **more)
            for status, about, rules, rest, more in (
                (400, "no chunk", (), DATASET, {}),
                (400, "null", (), DATASET, body(None)),
                (400, "half a body", ("body json",), DATASET, {"content": b"{"}),
                (400, "body without a chunk", ("body required",), DATASET, body({})),
                (400, "no UUID", ("query.chunk_id format",), f"{DATASET}?chunk_id=x",
                 {}),
                (400, "no group", ("path.group_id format",), f"x?chunk_id={CHUNK}", {}),
                (404, "unknown group", (), f"{ZERO}?chunk_id={CHUNK}", {}),
                (404, "unknown chunk", (), f"{DATASET}?chunk_id={ZERO}", {}),
                (413, "large body", ("body size",), DATASET,
                 {"content": b" " * (MAX_BODY_BYTES + 1)}),
            )
        ),
        done("in the query"),
        refused(404, "it is not in it", path=f"/trieve/api/chunk_group/chunk/{DATASET}",
                **body({"chunk_id": CHUNK})),
    ],
    "upload_file_handler": [
        ok("documented", {"file_metadata.file_name": "hello.txt",
                          "file_metadata.size": 6}),
        ok("of the other alphabet, padded", {"file_metadata.size": 4},
           **body({"base64_file": "-_-_-w==", "file_name": "x"})),
        ok("of the usual alphabet", {"file_metadata.size": 3},
           **body({"base64_file": "+/+/", "file_name": "x"})),
        ok("to be cut by its owner", {},
           **body({"base64_file": "", "file_name": "", "create_chunks": False})),
        *in_dataset("upload_file_handler"),
        *bodies(400),
        refused(400, "nothing", "body required", "body required", **body({})),
        *(
            refused(400, f"no base64 {text}",
                    **body({"base64_file": text, "file_name": "x"}))
            for text in ("a", "a b=", "é", "=a", "<base64_encoded_file>")
        ),
        refused(400, "two ways to split", **body(
            {"base64_file": "", "file_name": "x", "split_avg": True,
             "pdf2md_options": {"use_pdf2md_ocr": True}})),
        refused(400, "time stamp",
                **body({"base64_file": "", "file_name": "x", "time_stamp": "x"})),
    ],
    "get_file_handler": [
        ok("documented", {"id": DATASET, "file_name": "file.txt", "size": 1000}),
        ok("with all parameters", {}, query="?ttl=60&content_type=text/plain"),
        *in_dataset("get_file_handler", "readonly"),
        *ids("get_file_handler", "file_id", another=CHUNK),
        refused(400, "ttl", "query.ttl minimum", query="?ttl=-1"),
        refused(400, "ttl of 32 bits", "query.ttl maximum", query=f"?ttl={2**31}"),
    ],
    "delete_file_handler": [
        *in_dataset("delete_file_handler"),
        *ids("delete_file_handler", "file_id", another=CHUNK),
        refused(400, "delete_chunks", "query.delete_chunks type",
                query="?delete_chunks=1"),
        done("there", query="?delete_chunks=false"),
        refused(404, "it is gone"),
    ],
    "create_presigned_url_for_csv_jsonl": [
        ok("documented", {"file_metadata.file_name": "products.csv",
                          "file_metadata.size": 0}),
        ok("mapped", {}, **body({"file_name": "products.csv", "mappings": [
            {"csv_jsonl_field": "a", "chunk_req_payload_field": "link"}]})),
        *in_dataset("create_presigned_url_for_csv_jsonl"),
        *bodies(400),
        refused(400, "no name", "body required", **body({})),
        refused(400, "mapping", "body/mappings/0/chunk_req_payload_field enum", **body(
            {"file_name": "x", "mappings": [
                {"csv_jsonl_field": "a", "chunk_req_payload_field": "b"}]})),
    ],
    "put_csv_or_jsonl": [
        *(
            ok(f"in {kind}", {}, headers={"content-type": kind})
            for kind in ("text/csv", "application/jsonl", "application/json",
                         "application/x-www-form-urlencoded", "x/y; charset=utf-8")
        ),
        ok("in nothing", {}),
        ok("nothing", {}, content=b""),
        refused(400, "not UTF-8", "body encoding", content=b"\xff",
                headers={"content-type": "text/csv"}),
        refused(400, "unknown parameter", "query.bogus unknown", query="?bogus=1"),
        refused(403, "expired", path=f"/trieve/api/file/csv_or_jsonl/{NEVER_CAME}"),
        refused(413, "large body", "body size", content=b" " * (MAX_BODY_BYTES + 1)),
        *ids("put_csv_or_jsonl", "file_id", another=CHUNK),
    ],
    "create_crawl": [
        ok("documented", {"status": "Pending", "url": "https://example.com",
                          "crawl_type": "firecrawl", "attempt_number": 0,
                          "next_crawl_at": "2026-01-02T00:00:00.000"}),
        ok("no fields", {"url": ""}, **body({"crawl_options": {}})),
        ok("weekly", {"next_crawl_at": "2026-01-08T00:00:00.000", "interval": "weekly"},
           **body({"crawl_options": {"interval": "weekly", "limit": -1}})),
        ok("of videos", {"crawl_type": "youtube"}, **body(
            {"crawl_options": {"scrape_options": {"type": "youtube"}}})),
        ok("of an API", {"crawl_type": "openapi"}, **body(
            {"crawl_options": {"scrape_options": OPENAPI}})),
        *in_dataset("create_crawl"),
        *bodies(400),
        refused(400, "no options", "body required", **body({})),
        refused(400, "interval", "body/crawl_options/interval enum",
                **body({"crawl_options": {"interval": "hourly"}})),
        *(
            refused(400, f"external links {more}", **body(
                {"crawl_options": {"allow_external_links": True, **more}}))
            for more in ({}, {"include_paths": ["*"]})
        ),
    ],
    "get_crawl_requests_for_dataset": [
        ok("defaults", {"0.crawl_type": "firecrawl", "0.attempt_number": 0}),
        ok("past the end", {}, query=f"?page={BIG_64 - 1}&limit={BIG_64 - 1}"),
        ok("nothing", {}, query="?limit=0"),
        *in_dataset("get_crawl_requests_for_dataset"),
        *counts("page", 1), *counts("limit", 0),
    ],
    "update_crawl_request": [
        *in_dataset("update_crawl_request"),
        *bodies(400),
        refused(400, "no crawl", "body required", **body({"crawl_options": {}})),
        refused(400, "external links", **body(
            {"crawl_id": CRAWL, "crawl_options": {"allow_external_links": True}})),
        refused(404, "unknown crawl", **body(
            {"crawl_id": ZERO, "crawl_options": {"scrape_options": OPENAPI}})),
        ok("merged", {
            "status": "Pending",
            "crawl_options": {"site_url": "https://example.com", "limit": 5,
                              "interval": "daily"},
        }, **body({"crawl_id": CRAWL,
                   "crawl_options": {"limit": 5, "interval": None}})),
        refused(404, "it is gone"),
    ],
    "delete_crawl_request": [
        *in_dataset("delete_crawl_request"),
        *ids("delete_crawl_request", "crawl_id", another=CHUNK),
        done("there"),
        refused(404, "it is gone"),
    ],
    "health_check": [ok("up", {}), *any_query(400)],
}  # fmt: skip

NEVER = {
    ("create_chunk", "426"): "no plan has a limit here",
    ("get_datasets_from_organization", "404"): "a key knows its own organization only",
}
"""Documented responses that no request causes."""
