"""``Soundstage``: the handle of a test on its world.

It is a facade with many short methods, so that a test needs one name only; the other
modules of this package implement them.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, TypeVar

import httpx

from soundstage.apis.registry import Service
from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.expectations import ANY_BODY
from soundstage.pytest_plugin.calls import CallAssertions, build_call
from soundstage.pytest_plugin.clock import Clock, as_timestamp
from soundstage.pytest_plugin.faults import Fault, inject_fault
from soundstage.pytest_plugin.records import WorldRecords
from soundstage.pytest_plugin.runs import Run
from soundstage.pytest_plugin.transport import AsyncInProcessTransport, InProcessTransport
from soundstage.pytest_plugin.violations import FoundViolation, ViolationTracker, is_fatal
from soundstage.pytest_plugin.waiting import advance_until
from soundstage.server.background import SHARED_SERVERS, BackgroundWorld, ServerPool
from soundstage.server.credentials import build_credential_headers, get_credentials
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Delete, Patch, Plan, Put, Start
from soundstage.world.errors import UnknownName
from soundstage.world.world import World, WorldOptions

DEFAULT_NOW = "2026-01-01T00:00:00Z"
ONE_DAY = timedelta(days=1)

T = TypeVar("T")


class Soundstage:
    """A world with a port of its own, on a server in this process.

    ``apis`` are the APIs to serve, by default all. ``fixtures`` are files that replace
    the vendored ones. The clock starts at ``now`` and follows the wall clock at
    ``speed``, by default frozen. All generated data depends on ``seed``. Worlds with
    the same ``apis`` and ``fixtures`` share a server of the pool ``servers``.

    Use it in a ``with`` statement, or ``close`` it. The end of the statement raises
    ``UnexpectedViolation`` if a client violated a contract and no
    ``expect_violation`` block covered it, unless ``violations`` is ``"allow"``.

    >>> with Soundstage(apis="algolia-ingestion", seed=7) as soundstage:
    ...     run = soundstage.start("algolia-ingestion", "clean_reindex")
    ...     soundstage.run_until(run)["outcome"]
    'success'
    """

    def __init__(  # noqa: PLR0913 - each has a default and is named
        self,
        *,
        apis: str | Iterable[str] = (),
        fixtures: Iterable[Path | str] = (),
        now: datetime | str = DEFAULT_NOW,
        speed: float = 0,
        seed: int = 0,
        violations: Literal["fail", "allow"] = "fail",
        servers: ServerPool = SHARED_SERVERS,
    ) -> None:
        # The arguments are validated before a server is started.
        fatal = is_fatal(violations)
        names = (apis,) if isinstance(apis, str) else apis
        server = servers.get_or_start(names, map(Path, fixtures))
        start_at = as_timestamp(now)
        options = WorldOptions(seed, start_at, speed, history_end=start_at)
        name = server.new_name()
        host = server.call(lambda: server.worlds.create(name, options, own_port=True))
        self._world = BackgroundWorld(server, host)
        self.apis, self.fixtures = server.apis, server.fixtures
        self.clock = Clock(self._world)
        self._records = WorldRecords(self._world)
        self._call_assertions = CallAssertions(self._world)
        self._violation_tracker = ViolationTracker(
            lambda: self._call_assertions.entries(only_violations=True), is_fatal=fatal
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self.check()
        finally:
            self.close()

    def close(self) -> None:
        """Remove the world and its port."""
        server, name = self._world.server, self._world.host.name
        server.call(lambda: server.worlds.delete(name))

    def url(self, api: str | None = None) -> str:
        """Return ``http://127.0.0.1:PORT``, the URL of this world.

        All APIs are at the root of the port and are routed by path. ``api`` only checks
        the name: raises ``UnknownName`` if the API is not served.
        """
        if api is not None:
            self._get_service(api)
        return f"http://127.0.0.1:{self._world.host.port}"

    def credentials(self, api: str) -> dict[str, str]:
        """Return security scheme -> secret: the first credentials of the fixture."""
        return get_credentials(self._get_service(api))

    def headers(self, api: str) -> dict[str, str]:
        """Return the headers with these credentials; empty if the API needs none."""
        return dict(build_credential_headers(self._get_service(api)))

    def httpx_client(self, api: str, *, authenticated: bool = True) -> httpx.Client:
        """Create an ``httpx`` client without a socket, by default with credentials."""
        headers = self.headers(api) if authenticated else {}
        transport = InProcessTransport(self._world.server)
        return httpx.Client(base_url=self.url(api), headers=headers, transport=transport)

    def async_httpx_client(self, api: str, *, authenticated: bool = True) -> httpx.AsyncClient:
        """Create an asynchronous ``httpx`` client as ``httpx_client`` does."""
        headers = self.headers(api) if authenticated else {}
        transport = AsyncInProcessTransport(self._world.server)
        return httpx.AsyncClient(base_url=self.url(api), headers=headers, transport=transport)

    def start(
        self,
        api: str,
        scenario: str | None = None,
        *,
        task: str | None = None,
        fields: JsonObject | None = None,
        **names: Json,
    ) -> Run:
        """Start a run of a task now, by default of the first task.

        Without a ``scenario`` one is chosen by weight. ``names`` override variables
        that the scenario generates; ``fields`` is a merge patch (RFC 7386) on the run's
        record. Raises ``UnknownName`` and ``FixtureError``.
        """
        command = Start(api, task, scenario, names, fields or {})
        run = self._world.call(lambda world: world.apply(command))
        return Run(self._world, api, run)

    def define_scenario(self, api: str, name: str, scenario: JsonObject | str) -> None:
        """Add a scenario in the form of a fixture: a mapping, or YAML text.

        Raises ``DocumentError`` if it is invalid.
        """
        self._records.define_scenario(api, name, scenario)

    def plan(self, api: str, scenario: str, *, task: str | None = None, times: int = 1) -> None:
        """Use a scenario for the next runs, by default of any task.

        It applies to runs started by clients, by a schedule or by the test. Several
        plans are used in order. Raises ``UnknownName``.
        """
        command = Plan(api, scenario, task, times)
        self._world.call(lambda world: world.apply(command))

    def run_until(
        self, condition: Run | Callable[[], T], limit: timedelta = ONE_DAY
    ) -> T | JsonObject:
        """Advance the clock until a run is over or a condition is true.

        A condition is evaluated at every change of the world. Returns the run's record
        or the condition's value. Raises ``NotReached`` after ``limit`` of virtual time.
        """
        if isinstance(condition, Run):
            run = condition
            advance_until(
                self.clock, limit, lambda: run.over, run.get_next_change, lambda: run.record
            )
            return run.record
        return advance_until(self.clock, limit, condition, self._get_next_change)

    def record(self, api: str, collection: str, record_id: str) -> JsonObject | None:
        """Return a copy of a record, None if absent. Raises ``UnknownName``."""
        return self._records.get(api, collection, record_id)

    def records(self, api: str, collection: str) -> list[JsonObject]:
        """Return copies of all records, oldest first. Raises ``UnknownName``."""
        return self._records.get_all(api, collection)

    def put_record(self, api: str, collection: str, record_id: str, document: JsonObject) -> None:
        """Replace a record from now on; its scheduled changes are discarded.

        Raises ``FixtureError`` if the contract does not allow the record.
        """
        self._records.apply(Put(api, collection, record_id, document))

    def patch_record(self, api: str, collection: str, record_id: str, patch: JsonObject) -> None:
        """Merge a patch (RFC 7386) into a record and its scheduled versions.

        Raises ``UnknownName``, and ``FixtureError`` if the contract does not allow the
        result.
        """
        self._records.apply(Patch(api, collection, record_id, patch))

    def delete_record(self, api: str, collection: str, record_id: str) -> None:
        """Delete a record. Raises ``UnknownName``."""
        self._records.apply(Delete(api, collection, record_id))

    def fault(  # noqa: PLR0913 - each has a default and is named
        self,
        kind: str,
        *,
        api: str | None = None,
        operation: str | None = None,
        match: JsonObject | None = None,
        times: int | None = None,
        probability: float | None = None,
        **options: Json,
    ) -> Fault:
        """Apply a fault to valid requests from now on, at most ``times``.

        ``match`` maps parameters, or JSON pointers into the body, to required values.
        ``options`` depend on the kind (docs/faults.md). Raises ``Problem`` for an
        unknown kind, operation or option.
        """
        return inject_fault(
            self._world,
            {
                "kind": kind,
                "api": api,
                "operation": operation,
                "match": match,
                "times": times,
                "probability": probability,
                "options": options,
            },
        )

    @property
    def journal(self) -> list[JournalEntry]:
        """The exchanges with this world, earliest first; secrets are redacted."""
        return self._call_assertions.entries()

    def assert_called(  # noqa: PLR0913 - each has a default and is named
        self,
        operation: str,
        *,
        times: int | None = None,
        at_least: int = 1,
        api: str | None = None,
        parameters: JsonObject | None = None,
        body: Json = ANY_BODY,
    ) -> None:
        """Assert that an operation was called exactly ``times`` or ``at_least`` times.

        Only calls with these parameters and a body with these fields count.
        """
        __tracebackhide__ = True
        call = build_call(operation, api, parameters, body)
        self._call_assertions.assert_called(call, times, at_least)

    def assert_never_called(
        self,
        operation: str,
        *,
        api: str | None = None,
        parameters: JsonObject | None = None,
        body: Json = ANY_BODY,
    ) -> None:
        """Assert that an operation was not called with these parameters and body."""
        __tracebackhide__ = True
        self._call_assertions.assert_never_called(build_call(operation, api, parameters, body))

    def assert_in_order(self, *calls: str | JsonObject) -> None:
        """Assert that calls were made in this order; others may be between them.

        A call is an operation name or ``{"operation": …, "with": {"parameters": …}}``.
        """
        __tracebackhide__ = True
        self._call_assertions.assert_in_order(calls)

    @property
    def violations(self) -> list[FoundViolation]:
        """All violations, earliest first, expected or not."""
        return self._violation_tracker.list_violations()

    def expect_violation(
        self, operation: str | None = None, rule: str | None = None
    ) -> AbstractContextManager[None]:
        """Accept violations in a ``with`` block: of this operation and this rule.

        Raises ``AssertionError`` at its end if there was none.
        """
        return self._violation_tracker.expect(operation, rule)

    def check(self) -> None:
        """Raise ``UnexpectedViolation`` for violations since the last check."""
        self._violation_tracker.check()

    def export(self) -> JsonObject:
        """Return seed, clock and command log.

        Together with the fixtures they reproduce the world exactly.
        """
        return self._world.call(World.to_json)

    def _get_next_change(self) -> int | None:
        return self._world.call(World.next_change)

    def _get_service(self, api: str) -> Service:
        services = self._world.server.worlds.services
        if api not in services:
            raise UnknownName("API", api, tuple(services))
        return services[api]
