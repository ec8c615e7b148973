"""The table of operations: Algolia Ingestion."""

from table.rows import (
    NINES_400,
    NINES_5000,
    ZERO,
    Request,
    any_query,
    dates,
    ok,
    refused,
    whole_numbers,
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

GOOD = {
    "getRun": Request("GET", f"/algolia-ingestion/1/runs/{RUN}", ALGOLIA),
    "listEvents": Request("GET", f"/algolia-ingestion/1/runs/{RUN}/events", ALGOLIA),
}

WRITES = set()

ROWS = {
    "getRun": [
        ok("documented", {"runID": RUN, "status": "finished", "outcome": "success"}),
        ok("encoded", {"runID": RUN}, path=f"/algolia-ingestion/1/runs/%36{RUN[1:]}"),
        ok("agent", {"runID": RUN}, query="?x-algolia-agent=Algolia%20for%20JS%20(1)"),
        ok("body nobody asked for", {"runID": RUN}, content=b"\xff" * 100),
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
        *whole_numbers(400, "itemsPerPage", 0, most=100),
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
}  # fmt: skip

NEVER = {}
