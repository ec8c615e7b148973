"""The table of operations: Trieve."""

from table.rows import (
    BIG_64,
    MOST,
    ZERO,
    Request,
    any_query,
    bodies,
    ok,
    refused,
    without_credentials,
)

DATASET = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
OTHER_DATASET = "c8e2a6b4-d05f-4173-9a3c-f1b7e4d29068"
TRIEVE = {
    "TR-Dataset": DATASET,
    "Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "content-type": "application/json",
}

GOOD = {"get_events": Request("POST", "/trieve/api/dataset/events", TRIEVE, b"{}")}

WRITES = set()

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
        ok("a body as large as may be", {}, content=b"{}" + b" " * (MOST - 2)),
        *without_credentials(401, "Authorization"),
        *any_query(400),
        refused(400, "no dataset", "header.TR-Dataset required",
                headers={"TR-Dataset": None}),
        *(
            refused(400, f"dataset {text!r}", "header.TR-Dataset format",
                    headers={"TR-Dataset": text})
            for text in ("", "lorem", DATASET[:-1], f"{{{DATASET}}}", "\xe9")
        ),
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
}  # fmt: skip

NEVER = {}
