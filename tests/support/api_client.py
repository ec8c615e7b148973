"""A client of one API of an in-process server, which also controls the API's world."""

from collections.abc import Mapping
from typing import ClassVar

import httpx

from soundstage.types import Json
from soundstage.world.commands import Advance, Plan
from soundstage.world.world import World


class ApiClient:
    """Sends requests to one API and controls its world.

    ``api`` names the API, ``root`` precedes the path of every request, and ``headers``
    go with every request. A subclass adds the requests that its tests make often.
    """

    default_statuses: ClassVar[Mapping[str, int]] = {}
    """The status that ``send`` expects by method; any 2xx for the others."""

    def __init__(
        self,
        http: httpx.Client,
        world: World,
        api: str,
        root: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.http, self.world = http, world
        self.api, self.root, self.headers = api, root, dict(headers or {})

    def request(
        self,
        method: str,
        path: str,
        json: Json = None,
        *,
        headers: Mapping[str, str | None] | None = None,
        **options: Json,
    ) -> httpx.Response:
        """Return the response, whatever its status.

        A header that is ``None`` is left out. ``options`` are those of
        ``httpx.Client.request``, such as ``params`` and ``content``.
        """
        merged = {**self.headers, **(headers or {})}
        present = {name: value for name, value in merged.items() if value is not None}
        if json is not None:
            options["json"] = json
        return self.http.request(method, self.root + path, headers=present, **options)

    def send(
        self, method: str, path: str, json: Json = None, status: int | None = None, **options: Json
    ) -> Json:
        """Return the JSON of the response, None if it is empty; check its status."""
        response = self.request(method, path, json, **options)
        expected = status or self.default_statuses.get(method)
        matches = response.status_code == expected if expected else response.is_success
        assert matches, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def get(self, path: str, status: int | None = None, **options: Json) -> Json:
        return self.send("GET", path, None, status, **options)

    def post(
        self, path: str, json: Json = None, status: int | None = None, **options: Json
    ) -> Json:
        return self.send("POST", path, json, status, **options)

    def put(self, path: str, json: Json = None, status: int | None = None, **options: Json) -> Json:
        return self.send("PUT", path, json, status, **options)

    def delete(
        self, path: str, json: Json = None, status: int | None = None, **options: Json
    ) -> Json:
        return self.send("DELETE", path, json, status, **options)

    def plan(self, scenario: str, task: str | None = None, times: int = 1) -> None:
        """Let the next runs (of a task, if one is named) follow a scenario."""
        self.world.apply(Plan(self.api, scenario, task, times))

    def advance(self, duration: int) -> None:
        """Advance the virtual clock by a duration in ms."""
        self.world.apply(Advance(duration))
