"""A client of Trieve in a world of a test's own, and the clock of that world."""

import json
from contextlib import contextmanager

from table.trieve import DATASET, TRIEVE

from soundstage.world.commands import Advance, Plan
from support.client import in_process_client

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


class Desk:
    """Asks as one client does; every answer must have the status that is expected."""

    def __init__(self, client, world):
        self.client, self.world = client, world
        self.headers = TRIEVE

    def ask(self, method, path, body=None, status=200, headers=None):
        """The JSON of an answer, or its message if it is a refusal."""
        named = {**self.headers, **(headers or {})}
        response = self.client.request(
            method,
            f"/trieve/api{path}",
            headers={name: value for name, value in named.items() if value is not None},
            content=b"" if body is None else json.dumps(body).encode(),
        )
        assert response.status_code == status, response.text
        if not response.content:
            return None
        return response.json()["message"] if status >= 400 else response.json()

    def get(self, path, status=200, **headers):
        return self.ask("GET", path, None, status, headers)

    def post(self, path, body, status=200, **headers):
        return self.ask("POST", path, body, status, headers)

    def put(self, path, body=None, status=204, **headers):
        return self.ask("PUT", path, body, status, headers)

    def delete(self, path, body=None, status=204, **headers):
        return self.ask("DELETE", path, body, status, headers)

    def wait(self, span=MINUTE):
        self.world.apply(Advance(span))

    def plan(self, scenario, task=None):
        self.world.apply(Plan("trieve", scenario, task))

    def events(self, *types, headers=None):
        """The data of the newest events of these types, the oldest first."""
        body = {"event_types": types, "page_size": 10_000}
        found = self.ask("POST", "/dataset/events", body, headers=headers)["events"]
        return [json.loads(event["event_data"]) for event in reversed(found)]

    def last(self, event_type):
        return self.events(event_type)[-1]

    def chunk(self, **fields):
        """A chunk that a worker has read in."""
        chunk = self.post("/chunk", fields)["chunk_metadata"]
        self.wait()
        return chunk


@contextmanager
def desk_of(services, world, judges):
    """A desk in a dataset of its own, which is empty."""
    with in_process_client(services, world, judges) as client:
        desk = Desk(client, world)
        made = desk.post(
            "/dataset", {"dataset_name": "Mine"}, **{"TR-Organization": DATASET}
        )
        desk.dataset = made["id"]
        desk.headers = TRIEVE | {"TR-Dataset": made["id"]}
        yield desk
