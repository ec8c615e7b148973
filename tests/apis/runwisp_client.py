"""A client of a RunWisp daemon."""

from support.api_client import ApiClient

API = "runwisp"


class RunWispClient(ApiClient):
    """Sends requests to RunWisp; keyword arguments are query parameters."""

    def __init__(self, http, world):
        super().__init__(http, world, API, "/runwisp/api")

    def request(self, method, path, json=None, *, headers=None, **query):
        return super().request(method, path, json, headers=headers, params=query)

    def trigger(self, task):
        return self.post(f"/tasks/{task}/run", status=201)["id"]

    def get_run(self, run_id):
        return self.get(f"/tasks/any/runs/{run_id}")

    def get_status(self, run_id):
        """Return the end reason of a run, or its status while it has not ended."""
        run = self.get_run(run_id)
        return run.get("end_reason", run["status"])

    def stop(self, run_id):
        return self.post(f"/tasks/any/runs/{run_id}/stop", status=200)

    def list_runs(self, task, **query):
        """Return the newest runs of a task, the oldest of them first."""
        path = f"/tasks/{task}/runs"
        response = self.request("GET", path, **{"limit": 1000, **query})
        assert response.is_success, response.text
        return response.json()["runs"][::-1]
