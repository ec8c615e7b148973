"""A client of Algolia Ingestion in one application."""

from table.algolia_ingestion import AT, PUSHED, RUN, TEXT

from soundstage.world.clock import HOUR
from support.api_client import ApiClient

API = "algolia-ingestion"


class AlgoliaClient(ApiClient):
    """Sends an application's requests; keyword arguments are query parameters."""

    default_statuses = dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), 200)

    def __init__(self, http, world, headers=TEXT):
        super().__init__(http, world, API, AT, headers)

    def request(self, method, path, json=None, *, headers=None, **query):
        return super().request(method, path, json, headers=headers, params=query)

    def reject(self, method, path, json=None, **query):
        """Return the message of a rejected request, which must change nothing."""
        log = list(self.world.log)
        response = self.request(method, path, json, **query)
        assert response.status_code == 400, response.text
        assert list(self.world.log) == log
        return response.json()["message"]

    def run(self, task, scenario, times=1):
        """Run a task one or more times, each to its end; return the last run."""
        for _ in range(times):
            self.plan(scenario, self.task_name(task))
            run_id = self.post(f"/2/tasks/{task}/run", {})["runID"]
            self.advance(HOUR)
        return self.get(f"/1/runs/{run_id}")

    def task_name(self, task):
        tasks = self.world.state(API).definitions.tasks.items()
        return next((name for name, t in tasks if t["taskID"] == task), task)

    def push(self, scenario, path=f"/2/tasks/{RUN}/push", **query):
        self.plan(scenario)
        return self.post(path, PUSHED, **query)

    def create_task(self, **fields):
        """Create a task with a source and a destination; return its id."""
        source = self.post("/1/sources", {"type": "push", "name": "s"})
        target = {"type": "search", "name": "d", "input": {"indexName": "made"}}
        body = {
            "sourceID": source["sourceID"],
            "destinationID": self.post("/1/destinations", target)["destinationID"],
            "action": "replace",
            **fields,
        }
        return self.post("/2/tasks", body)["taskID"]

    def is_enabled(self, task):
        return self.get(f"/2/tasks/{task}")["enabled"]

    def list_runs(self, task):
        """Return the runs of a task, the oldest first."""
        return self.list_all("/1/runs", itemsPerPage=100, order="asc", taskID=task)

    def list_all(self, path, **query):
        """Return the records of all pages of a list."""
        items, page, count = [], 0, 1
        while page < count:
            page += 1
            response = self.request("GET", path, page=page, **query)
            assert response.is_success, response.text
            body = response.json()
            items += body[path.rpartition("/")[2]]
            count = body["pagination"]["nbPages"]
        assert len(items) == body["pagination"]["nbItems"]
        return items
