"""The measured requests."""

from dataclasses import dataclass, field

ALGOLIA = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
TRIEVE = {
    "authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "tr-dataset": "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3",
    "content-type": "application/json",
}
RUNWISP = {"authorization": "Bearer runwisp-token"}
RUN = "/algolia-ingestion/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f"
EXAMPLE = "/runwisp/api/tasks/example/runs"
ENDED = f"{EXAMPLE}/01KEXAMPERVN00000000000001"


@dataclass(frozen=True, slots=True)
class Case:
    """A request; ``template`` is the path of its operation, below the API's prefix."""

    name: str
    operation: str
    template: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: str = ""
    status: int = 200

    @property
    def api(self) -> str:
        """The first segment of the target."""
        return self.target.split("/")[1]


ACCEPTED = (
    Case("getRun", "getRun", "/1/runs/{runID}", RUN, ALGOLIA),
    Case(
        "listEvents (10)",
        "listEvents",
        "/1/runs/{runID}/events",
        f"{RUN}/events?itemsPerPage=10&sort=publishedAt&order=desc",
        ALGOLIA,
    ),
    Case(
        "listEvents (100)",
        "listEvents",
        "/1/runs/{runID}/events",
        f"{RUN}/events?itemsPerPage=100",
        ALGOLIA,
    ),
    Case(
        "getTaskRuns (50)", "getTaskRuns", "/api/tasks/{name}/runs", f"{EXAMPLE}?limit=50", RUNWISP
    ),
    Case(
        "get_events (10)",
        "get_events",
        "/api/events",
        "/trieve/api/dataset/events",
        TRIEVE,
        "POST",
        '{"page":1,"page_size":10}',
    ),
)

REJECTED = (
    Case("rejected: 400", "getRun", "", f"{RUN}?bogus=1", ALGOLIA, status=400),
    Case("rejected: 403", "getRun", "", RUN, {**ALGOLIA, "x-algolia-api-key": "wrong"}, status=403),
    Case("rejected: 404", "getRun", "", f"{RUN[:-4]}0000", ALGOLIA, status=404),
    Case("rejected: 401", "getRun", "", ENDED, {"authorization": "Bearer wrong"}, status=401),
)
"""Compared with the first case, the fastest successful request."""
