"""A client of Trieve, which owns an empty dataset."""

import json
from contextlib import contextmanager
from typing import ClassVar

from table.trieve import DATASET, TRIEVE

from soundstage.world.clock import MINUTE
from support.api_client import ApiClient
from support.client import in_process_client


class TrieveClient(ApiClient):
    """Sends requests to Trieve. An error's JSON is reduced to its message."""

    default_statuses: ClassVar = {"GET": 200, "POST": 200, "PUT": 204, "DELETE": 204}

    def __init__(self, http, world):
        super().__init__(http, world, "trieve", "/trieve/api", TRIEVE)
        self.dataset = DATASET

    def send(self, method, path, json=None, status=None, **options):
        body = super().send(method, path, json, status, **options)
        return body["message"] if status and status >= 400 else body

    def advance(self, duration=MINUTE):
        super().advance(duration)

    def events(self, *types, headers=None):
        """The data of the newest events of these types, the oldest first."""
        body = {"event_types": types, "page_size": 10_000}
        events = self.post("/dataset/events", body, headers=headers)["events"]
        return [json.loads(event["event_data"]) for event in reversed(events)]

    def last_event(self, event_type):
        return self.events(event_type)[-1]

    def newest_job(self):
        return list(self.world.collection("trieve", "jobs"))[-1]

    def create_chunk(self, **fields):
        """A chunk that a worker has uploaded."""
        chunk = self.post("/chunk", fields)["chunk_metadata"]
        self.advance()
        return chunk


@contextmanager
def trieve_client(services, world, judges):
    """A client of a new, empty dataset."""
    with in_process_client(services, world, judges) as http:
        client = TrieveClient(http, world)
        created = client.post(
            "/dataset", {"dataset_name": "Mine"}, headers={"TR-Organization": DATASET}
        )
        client.dataset = created["id"]
        client.headers = TRIEVE | {"TR-Dataset": created["id"]}
        yield client
