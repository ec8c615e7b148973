"""The table of operations: Trigger.dev."""

from table.rows import Request, any_query, ok, refused, without_credentials

TRIGGER = {"Authorization": "Bearer tr_dev_1234"}

GOOD = {
    "get_run_events_v1": Request(
        "GET", "/trigger-dev/api/v1/runs/run_1234/events", TRIGGER
    )
}

WRITES = set()

ROWS = {
    "get_run_events_v1": [
        ok("documented", {"events.0.runId": "run_1234", "events.0.parentId": None}),
        ok("no Bearer", {}, headers={"Authorization": "tr_dev_1234"}),
        ok("small bearer", {}, headers={"Authorization": "bearer  tr_dev_1234"}),
        *without_credentials(401, "Authorization"),
        refused(401, "basic", "security security",
                headers={"Authorization": "Basic dHJfZGV2XzEyMzQ="}),
        *any_query(400),
        refused(404, "unknown run", path="/trigger-dev/api/v1/runs/run_0/events"),
        refused(404, "slash in the id", path="/trigger-dev/api/v1/runs/a%2Fb/events"),
        refused(404, "NUL in the id", path="/trigger-dev/api/v1/runs/%00/events"),
        refused(404, "another environment's run",
                headers={"Authorization": "Bearer tr_prod_1234"}),
    ],
}  # fmt: skip

NEVER = {}
