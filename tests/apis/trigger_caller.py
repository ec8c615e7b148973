"""A client of Trigger.dev's API in tests, and what they know of it."""

from table.trigger_dev import SDK

from soundstage.world.commands import Plan

API = "/trigger-dev/api"
RUNS = f"{API}/v1/runs"
PROD = {"Authorization": "Bearer tr_prod_1234"}
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def spans_of(client, run, headers):
    return client.get(f"{RUNS}/{run}/events", headers=headers).json()["events"]


class Caller:
    """A client of the API, in one environment, that does not take a refusal."""

    def __init__(self, http, world, headers):
        self.http, self.world, self.headers = http, world, {**headers, **SDK}

    def ask(self, method, path, **more):
        more["headers"] = {**self.headers, **more.get("headers", {})}
        return self.http.request(method, f"{API}{path}", **more)

    def told(self, method, path, **more):
        answer = self.ask(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def trigger(self, task="my-own", payload=None, headers=None, **options):
        body = {"payload": payload, "options": options}
        path = f"/v1/tasks/{task}/trigger"
        return self.told("POST", path, json=body, headers=headers or {})

    def start(self, *args, **options):
        return self.trigger(*args, **options)["id"]

    def run(self, run_id, **more):
        return self.told("GET", f"/v3/runs/{run_id}", **more)

    def list(self, query="", **more):
        return self.told("GET", f"/v1/runs{query}", **more)

    def plan(self, scenario, times=1):
        self.world.apply(Plan("trigger-dev", scenario, times=times))

    def wait(self, span):
        self.world.clock.advance(span)
