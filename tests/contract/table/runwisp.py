"""The table of operations: RunWisp."""

from table.rows import Request, any_query, ok, refused, whole_numbers

GOOD = {"getTaskRuns": Request("GET", "/runwisp/api/tasks/example/runs", {})}

WRITES = set()

ROWS = {
    "getTaskRuns": [
        ok("defaults", {"total": 176}),
        ok("bearer", {}, headers={"Authorization": "Bearer runwisp-token"}),
        ok("cookie", {}, headers={"Cookie": "a=b; runwisp_jwt=runwisp-token"}),
        ok("web UI", {"total": 176}, query="?sort_field=&sort_direction=&search="),
        ok("bounds", {}, query=f"?limit=1000&offset={2**63 - 1}"),
        ok("unknown word as status", {"runs": [], "total": 0}, query="?status=lorem"),
        ok("unknown task", {"runs": [], "total": 0},
           path="/runwisp/api/tasks/nobody/runs"),
        ok("task_name means nothing", {"total": 176}, query="?task_name=backup"),
        refused(401, "wrong bearer", "security security",
                headers={"Authorization": "Bearer x"}),
        refused(401, "wrong cookie", "security security",
                headers={"Cookie": "runwisp_jwt=x"}),
        refused(401, "basic", "security security",
                headers={"Authorization": "Basic eDp5"}),
        *any_query(422),
        *whole_numbers(422, "limit", 0, most=1000),
        *whole_numbers(422, "offset", -1, most=2**63 - 1),
        refused(422, "sort_field", "query.sort_field enum", query="?sort_field=id"),
        refused(422, "direction", "query.sort_direction enum",
                query="?sort_direction=DESC"),
        refused(422, "search twice", "query.search repeated",
                query="?search=a&search=b"),
        refused(422, "blank in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/a%20b/runs"),
        refused(422, "slash in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/a%2Fb/runs"),
        refused(422, "NUL in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/%00/runs"),
        refused(422, "line end in the task", "path.taskName pattern",
                path="/runwisp/api/tasks/example%0A/runs"),
        refused(422, "long task", "path.taskName maxLength",
                path=f"/runwisp/api/tasks/{'x' * 101}/runs"),
        refused(422, "all that is wrong", "path.taskName maxLength",
                "path.taskName pattern", "query.bogus unknown", "query.limit minimum",
                "query.offset type", "query.sort_field enum",
                path=f"/runwisp/api/tasks/{'%20' * 101}/runs",
                query="?sort_field=x&offset=x&limit=0&bogus=1"),
    ],
}  # fmt: skip

NEVER = {
    ("getTaskRuns", "default"): "each of its refusals has a status of its own",
}
