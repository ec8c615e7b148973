"""The table of operations: RunWisp."""

from hashlib import sha256

from table.rows import MALFORMED, MAX_BODY_BYTES, Request, Row, any_query, integers, ok, refused

API = "/runwisp/api"
EXAMPLE = f"{API}/tasks/example"
ENDED = "01KEXAMPERVN00000000000001"
RUNNING = "01KEXAMPERVN00000000000003"
QUEUED = "01KEXAMPERVN00000000000004"
FAILED = "01KEXAMPERVN00000000000005"
UNKNOWN_RUN = "01KEXAMPERVN0000000000ZZZZ"
TOTAL = 234  # runs of the example task
BIG = 2**63

# The first nonce of a world of seed 7 at 2026-01-01T00:00:00Z.
NONCE = "00003a1e89078000000000006a8807a97ed9d90f"
CHALLENGE_RESPONSE = sha256(f"runwisp:{NONCE}".encode()).hexdigest()
JSON = {"content-type": "application/json"}

GOOD = {
    "getInfo": Request("GET", f"{API}/info", {}),
    "getTasks": Request("GET", f"{API}/tasks", {}),
    "triggerRun": Request("POST", f"{EXAMPLE}/run", {}),
    "restartService": Request("POST", f"{API}/tasks/metrics-agent/restart", {}),
    "stopService": Request("POST", f"{API}/tasks/metrics-agent/stop", {}),
    "getTaskRuns": Request("GET", f"{EXAMPLE}/runs", {}),
    "getRun": Request("GET", f"{EXAMPLE}/runs/{ENDED}", {}),
    "deleteRun": Request("DELETE", f"{EXAMPLE}/runs/{ENDED}", {}),
    "stopRun": Request("POST", f"{EXAMPLE}/runs/01KEXAMPERVN00000000000002/stop", {}),
    "getLogPage": Request("GET", f"{EXAMPLE}/runs/{ENDED}/log", {}),
    "streamLog": Request("GET", f"{EXAMPLE}/runs/{ENDED}/log/stream", {}),
    "getAllRuns": Request("GET", f"{API}/runs", {}),
    "getRunSummary": Request("GET", f"{API}/runs/summary", {}),
    # A good one has no end; see test_runwisp_streams.py.
    "streamRuns": Request("GET", f"{API}/runs/stream?bogus=1", {}),
    "getAuthChallenge": Request("GET", f"{API}/auth/challenge", {}),
    "login": Request("POST", f"{API}/auth", JSON, b'{"nonce":"%s","response":""}' % NONCE.encode()),
    "getAuthStatus": Request("GET", f"{API}/auth/status", {}),
    "getHealth": Request("GET", "/runwisp/health", {}),
    "getSchema": Request("GET", "/runwisp/schemas/Run.json", {}),
}

WRITES = {"triggerRun", "restartService", "stopService", "deleteRun", "stopRun", "login"}


def done(status, about, shows, **change):
    return Row(about, change, status, shows=shows)


SECURED = [
    refused(401, "wrong bearer", "security security",
            headers={"Authorization": "Bearer x"}),
    refused(401, "wrong cookie", "security security",
            headers={"Cookie": "runwisp_jwt=x"}),
    refused(401, "basic", "security security",
            headers={"Authorization": "Basic eDp5"}),
]  # fmt: skip
ADMITTED = {
    "bearer": {"Authorization": "Bearer runwisp-token"},
    "cookie": {"Cookie": "a=b; runwisp_jwt=runwisp-token"},
}


def admitted(status=200, **change):
    return [
        done(status, about, {}, headers=headers, **change) for about, headers in ADMITTED.items()
    ]


def names(path):
    """Rows of a task's name in a path."""
    return [
        refused(422, f"{about} in the task", f"path.taskName {rule}",
                path=path.replace("example", text))
        for about, text, rule in (
            ("blank", "a%20b", "pattern"),
            ("slash", "a%2Fb", "pattern"),
            ("NUL", "%00", "pattern"),
            ("line end", "example%0A", "pattern"),
            ("a hundred and one letters", "x" * 101, "maxLength"),
        )
    ]  # fmt: skip


def ids(path):
    """Rows of a run's id in a path."""
    return [
        *names(path),
        refused(404, "unknown run", path=path.replace(ENDED, UNKNOWN_RUN)),
        refused(422, "short id", "path.runId minLength", "path.runId pattern",
                path=path.replace(ENDED, "01")),
        refused(422, "long id", "path.runId maxLength", "path.runId pattern",
                path=path.replace(ENDED, ENDED + "0")),
        refused(422, "small letters", "path.runId pattern",
                path=path.replace(ENDED, ENDED.lower())),
        refused(422, "a letter that ULIDs lack", "path.runId pattern",
                path=path.replace(ENDED, ENDED[:-1] + "U")),
    ]  # fmt: skip


SORTED = [
    ok("web UI", {}, query="?sort_field=&sort_direction=&search="),
    ok("unknown word as status", {"runs": [], "total": 0}, query="?status=lorem"),
    *integers(422, "limit", 0, maximum=1000),
    *integers(422, "offset", -1, maximum=BIG - 1),
    refused(422, "sort_field", "query.sort_field enum", query="?sort_field=id"),
    refused(422, "direction", "query.sort_direction enum",
            query="?sort_direction=DESC"),
    refused(422, "search twice", "query.search repeated",
            query="?search=a&search=b"),
]  # fmt: skip

ROWS = {
    "getInfo": [
        ok("all of it", {"port": 9477, "tasks.0.name": "backup"}),
        *admitted(), *SECURED, *any_query(422),
    ],
    "getTasks": [
        ok("by name", {
            "0.name": "backup", "0.timeout": 3 * 3600 * 10**9,
            "0.next_run_at": "2026-01-01T02:30:00.000Z", "3.name": "example",
        }),
        *admitted(), *SECURED, *any_query(422),
    ],
    "triggerRun": [
        done(201, "a run", {"task_name": "backup", "status": "pending"},
             path=f"{API}/tasks/backup/run"),
        done(201, "no wait", {}, query="?wait=false"),
        done(201, "wait_timeout alone", {}, query="?wait_timeout=1"),
        *admitted(201), *SECURED, *any_query(422), *names(f"{EXAMPLE}/run"),
        *integers(422, "wait_timeout", 0, maximum=3600),
        refused(422, "wait", "query.wait type", query="?wait=maybe"),
        refused(422, "empty wait", "query.wait type", query="?wait="),
        refused(404, "unknown task", path=f"{API}/tasks/unknown/run"),
        refused(403, "not by the API", path=f"{API}/tasks/clean-up/run"),
        refused(409, "a service", path=f"{API}/tasks/metrics-agent/run"),
    ],
    "restartService": [
        done(204, "a service", {}),
        *admitted(204), *SECURED, *any_query(422), *names(f"{EXAMPLE}/restart"),
        refused(404, "unknown task", path=f"{API}/tasks/unknown/restart"),
        refused(400, "no service", path=f"{EXAMPLE}/restart"),
    ],
    "stopService": [
        done(204, "a service", {}), done(204, "once more", {}),
        *admitted(204), *SECURED, *any_query(422), *names(f"{EXAMPLE}/stop"),
        refused(404, "unknown task", path=f"{API}/tasks/unknown/stop"),
        refused(400, "no service", path=f"{EXAMPLE}/stop"),
    ],
    "getTaskRuns": [
        ok("defaults", {"total": TOTAL}),
        ok("bounds", {}, query=f"?limit=1000&offset={BIG - 1}"),
        ok("unknown task", {"runs": [], "total": 0}, path=f"{API}/tasks/unknown/runs"),
        ok("task_name means nothing", {"total": TOTAL}, query="?task_name=backup"),
        *admitted(), *SECURED, *any_query(422), *SORTED, *names(f"{EXAMPLE}/runs"),
        refused(422, "all that is wrong", "path.taskName maxLength",
                "path.taskName pattern", "query.bogus unknown", "query.limit minimum",
                "query.offset type", "query.sort_field enum",
                path=f"{API}/tasks/{'%20' * 101}/runs",
                query="?sort_field=x&offset=x&limit=0&bogus=1"),
    ],
    "getRun": [
        ok("documented", {"id": ENDED, "status": "ended", "end_reason": "success"}),
        ok("of another task", {"id": ENDED}, path=f"{API}/tasks/unknown/runs/{ENDED}"),
        *admitted(), *SECURED, *any_query(422), *ids(f"{EXAMPLE}/runs/{ENDED}"),
    ],
    "deleteRun": [
        done(204, "one that is over", {}, path=f"{EXAMPLE}/runs/{FAILED}"),
        refused(404, "it is gone", path=f"{EXAMPLE}/runs/{FAILED}"),
        *SECURED, *any_query(422), *ids(f"{EXAMPLE}/runs/{ENDED}"),
        refused(409, "one that waits", path=f"{EXAMPLE}/runs/{QUEUED}"),
    ],
    "stopRun": [
        refused(400, "one that waits", path=f"{EXAMPLE}/runs/{QUEUED}/stop"),
        ok("one that runs", {"message": "Run stop signal sent"},
           path=f"{EXAMPLE}/runs/{RUNNING}/stop"),
        refused(400, "not again", path=f"{EXAMPLE}/runs/{RUNNING}/stop"),
        *SECURED, *any_query(422), *ids(f"{EXAMPLE}/runs/{ENDED}/stop"),
    ],
    "getLogPage": [
        ok("all of it", {"first_available": 0, "finalized": True, "lines.0.n": 0}),
        ok("the last one", {"truncated": False}, query="?from=-1&limit=1"),
        ok("bounds", {"lines": []}, query=f"?from={BIG - 1}&limit=10000"),
        ok("far back", {"lines.0.n": 0}, query=f"?from={-BIG}"),
        *admitted(), *SECURED, *any_query(422), *ids(f"{EXAMPLE}/runs/{ENDED}/log"),
        refused(404, "of another task", path=f"{API}/tasks/backup/runs/{ENDED}/log"),
        *integers(422, "limit", 0, maximum=10_000),
        *integers(422, "from", -BIG - 1, maximum=BIG - 1),
    ],
    "streamLog": [
        ok("all of it", {}),
        ok("resumed", {}, headers={"Last-Event-ID": "1"}),
        ok("resumed by a text of no number", {}, headers={"Last-Event-ID": "one"}),
        ok("resumed by 5000 digits", {}, headers={"Last-Event-ID": "9" * 5000}),
        *admitted(), *SECURED, *any_query(422),
        *ids(f"{EXAMPLE}/runs/{ENDED}/log/stream"),
        refused(404, "of another task",
                path=f"{API}/tasks/backup/runs/{ENDED}/log/stream"),
        *integers(422, "from", -BIG - 1, maximum=BIG - 1),
    ],
    "getAllRuns": [
        ok("defaults", {"total": 319}),
        ok("one task", {"total": TOTAL}, query="?task_name=example"),
        ok("no such task", {"runs": [], "total": 0}, query="?task_name=unknown"),
        ok("empty name", {"total": 319}, query="?task_name="),
        *admitted(), *SECURED, *any_query(422), *SORTED,
    ],
    "getRunSummary": [
        ok("all tasks", {"total": 319}), *admitted(), *SECURED, *any_query(422),
    ],
    "streamRuns": [
        refused(422, "unknown parameter", "query.bogus unknown"), *SECURED,
    ],
    "getAuthChallenge": [
        ok("a nonce", {"nonce": NONCE}),
        ok("a token means nothing", {}, headers={"Authorization": "Bearer x"}),
        *any_query(422),
    ],
    "login": [
        refused(401, "wrong response"),
        ok("right response", {"token": "runwisp-token"},
           content=b'{"nonce":"%s","response":"%s"}' % (
               NONCE.encode(), CHALLENGE_RESPONSE.encode())),
        refused(401, "used nonce",
                content=b'{"nonce":"%s","response":"%s"}' % (
                    NONCE.encode(), CHALLENGE_RESPONSE.encode())),
        refused(401, "foreign nonce", content=b'{"nonce":"","response":""}'),
        refused(400, "no nonce", "body required", content=b'{"response":""}'),
        refused(400, "nonce of a wrong type", "body/nonce type",
                content=b'{"nonce":1,"response":""}'),
        refused(400, "one key more", "body additionalProperties",
                content=b'{"nonce":"","response":"","x":1}'),
        *(
            refused(400, about, "body json", content=content)
            for about, content in MALFORMED.items()
        ),
        refused(400, "a form", "body media type",
                headers={"content-type": "application/x-www-form-urlencoded"}),
        refused(413, "large body", "body size", content=b" " * (MAX_BODY_BYTES + 1)),
        refused(422, "unknown parameter", "query.bogus unknown", query="?bogus=1"),
    ],
    "getAuthStatus": [
        ok("no token", {"auth_required": True, "authenticated": False}),
        ok("valid token", {"authenticated": True}, headers=ADMITTED["cookie"]),
        ok("unknown token", {"authenticated": False},
           headers={"Cookie": "runwisp_jwt=x"}),
        ok("an empty cookie", {"authenticated": False},
           headers={"Cookie": "runwisp_jwt="}),
        *any_query(422),
    ],
    "getHealth": [
        ok("up", {}),
        ok("a token means nothing", {}, headers={"Authorization": "Bearer x"}),
        *any_query(422),
    ],
    "getSchema": [
        ok("of a run", {"type": "object"}),
        ok("of what the document lacks", {"type": "object"},
           path="/runwisp/schemas/AuthStatusBody.json"),
        refused(404, "unknown", path="/runwisp/schemas/Runs.json"),
        refused(422, "no name", "path.name pattern", path="/runwisp/schemas/a-b.json"),
        *any_query(422),
    ],
}  # fmt: skip

OWN = "each of its refusals has a status of its own"
NEVER = {
    **{(name, "default"): OWN for name in GOOD if name != "login"},
    ("streamRuns", "200"): "it has no end; test_runwisp_streams.py reads it",
}
