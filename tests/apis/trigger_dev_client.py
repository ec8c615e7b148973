"""A client of Trigger.dev in one environment."""

from table.trigger_dev import API, PROD, SDK, TRIGGER

from support.api_client import ApiClient

KEYS = {"dev": TRIGGER, "prod": PROD}


class TriggerDevClient(ApiClient):
    """Sends requests to Trigger.dev with the key of one environment."""

    def __init__(self, http, world, environment="dev"):
        super().__init__(http, world, "trigger-dev", API, {**KEYS[environment], **SDK})

    def trigger(self, task="my-own", payload=None, headers=None, **options):
        body = {"payload": payload, "options": options}
        return self.post(f"/v1/tasks/{task}/trigger", body, headers=headers)

    def start(self, *args, **options):
        return self.trigger(*args, **options)["id"]

    def get_run(self, run_id, **options):
        return self.get(f"/v3/runs/{run_id}", **options)

    def list_runs(self, query="", **options):
        return self.get(f"/v1/runs{query}", **options)

    def list_spans(self, run_id):
        return self.get(f"/v1/runs/{run_id}/events")["events"]
