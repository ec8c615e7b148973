"""``Soundstage``: one world of one test, and all that a test does with it.

It is a long class of short methods, because a test has one name for all of this; what
they do is in the modules beside this one.
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
from soundstage.pytest_plugin.transport import (
    AsyncInProcessTransport,
    InProcessTransport,
)
from soundstage.pytest_plugin.violations import (
    FoundViolation,
    ViolationTracker,
    is_fatal,
)
from soundstage.pytest_plugin.waiting import advance_until
from soundstage.server.background import SHARED_SERVERS, ServerPool
from soundstage.server.credentials import build_credential_headers, get_credentials
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Delete, Patch, Plan, Put, Start
from soundstage.world.errors import UnknownName
from soundstage.world.world import WorldOptions

DEFAULT_NOW = "2026-01-01T00:00:00Z"
ONE_DAY = timedelta(days=1)

T = TypeVar("T")


class Soundstage:
    """A world of its own on a server of this process, frozen at ``now``.

    ``apis`` are those that are served (all, if none is named), ``fixtures`` files that
    take the place of vendored ones. The server starts with the first world that needs
    it and is shared by the later ones; ``servers`` says by which. Use it in a ``with``
    statement, or ``close`` it.

    A client's violation that nobody expects is raised at the end of the ``with``
    statement, unless ``violations`` is ``"allow"``.
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
        fatal = is_fatal(violations)
        names = (apis,) if isinstance(apis, str) else apis
        self._server = servers.get_or_start(names, map(Path, fixtures))
        began = as_timestamp(now)
        opening = WorldOptions(seed, began, speed, history_end=began)
        name, worlds = self._server.new_name(), self._server.worlds
        self._hosted = self._server.call(
            lambda: worlds.create(name, opening, own_port=True)
        )
        self.apis, self.fixtures = self._server.apis, self._server.fixtures
        self.clock = Clock(self._server, self._hosted)
        self._records = WorldRecords(self._server, self._hosted)
        self._call_assertions = CallAssertions(self._server, self._hosted)
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
        self._server.call(lambda: self._server.worlds.delete(self._hosted.name))

    def url(self, api: str | None = None) -> str:
        """``http://127.0.0.1:PORT``, which leads to this world alone.

        Every API is at its root, found by its paths; an ``api`` is only looked up, so
        that its name is not misspelt. Raises ``Unknown``.
        """
        if api is not None:
            self._get_service(api)
        return f"http://127.0.0.1:{self._hosted.port}"

    def credentials(self, api: str) -> dict[str, str]:
        """Security scheme -> secret: the first credential of the fixture."""
        return get_credentials(self._get_service(api))

    def headers(self, api: str) -> dict[str, str]:
        """The headers that present these credentials; none where none are needed."""
        return dict(build_credential_headers(self._get_service(api)))

    def httpx_client(self, api: str, *, authenticated: bool = True) -> httpx.Client:
        """A client without a socket; it presents the credentials unless told not to."""
        headers = self.headers(api) if authenticated else {}
        place, transport = self.url(api), InProcessTransport(self._server)
        return httpx.Client(base_url=place, headers=headers, transport=transport)

    def async_httpx_client(
        self, api: str, *, authenticated: bool = True
    ) -> httpx.AsyncClient:
        """The same for asyncio."""
        headers = self.headers(api) if authenticated else {}
        place, transport = self.url(api), AsyncInProcessTransport(self._server)
        return httpx.AsyncClient(base_url=place, headers=headers, transport=transport)

    def start(
        self,
        api: str,
        scenario: str | None = None,
        *,
        task: str | None = None,
        fields: JsonObject | None = None,
        **names: Json,
    ) -> Run:
        """Start a run now: of a task's or the first one's, chosen by weight or named.

        ``names`` win over what the scenario draws, ``fields`` are a merge patch on the
        run's own record. Raises ``Unknown`` and ``FixtureError``.
        """
        command = Start(api, task, scenario, names, fields or {})
        timeline = self._server.call(lambda: self._hosted.world.apply(command))
        return Run(self._server, self._hosted, api, timeline)

    def define_scenario(self, api: str, name: str, scenario: JsonObject | str) -> None:
        """Add a scenario, written as in a fixture: a mapping, or YAML.

        Raises ``DocumentError`` for what a fixture may not say.
        """
        self._records.define_scenario(api, name, scenario)

    def plan(
        self, api: str, scenario: str, *, task: str | None = None, times: int = 1
    ) -> None:
        """Let the next runs, of a task or of any, unfold so, whoever starts them.

        Plans are used up in their order. Raises ``Unknown``.
        """
        command = Plan(api, scenario, task, times)
        self._server.call(lambda: self._hosted.world.apply(command))

    def run_until(
        self, condition: Run | Callable[[], T], limit: timedelta = ONE_DAY
    ) -> T | JsonObject:
        """Let time go by until a run is over, or a condition holds.

        Gives the run's record, or what the condition gave. It is asked at every change
        of anything. Raises ``NotReached`` after ``limit`` of virtual time.
        """
        if isinstance(condition, Run):
            run = condition
            advance_until(
                self.clock,
                limit,
                lambda: run.over,
                run.get_next_change,
                run.copy_record,
            )
            return run.record
        return advance_until(self.clock, limit, condition, self._get_next_change)

    def record(self, api: str, collection: str, record_id: str) -> JsonObject | None:
        """A copy of a record as of now; None if it is not there. Raises ``Unknown``."""
        return self._records.get(api, collection, record_id)

    def records(self, api: str, collection: str) -> list[JsonObject]:
        """Copies of those that have begun, the oldest first. Raises ``Unknown``."""
        return self._records.get_all(api, collection)

    def put_record(
        self, api: str, collection: str, record_id: str, document: JsonObject
    ) -> None:
        """Let a record be this document from now on. Raises ``FixtureError``."""
        self._records.apply(Put(api, collection, record_id, document))

    def patch_record(
        self, api: str, collection: str, record_id: str, patch: JsonObject
    ) -> None:
        """Merge a patch into a record, as it is now and will be.

        Raises ``Unknown``, and ``FixtureError`` for what the contract forbids.
        """
        self._records.apply(Patch(api, collection, record_id, patch))

    def delete_record(self, api: str, collection: str, record_id: str) -> None:
        """Let a record be no more. Raises ``Unknown``."""
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
        """Inject a failure into valid requests from now on, ``times`` of them at most.

        ``match`` has parameters, or JSON pointers into the body, with the values that
        they must have. ``options`` are those of the kind (docs/faults.md). Raises
        ``Problem`` for what is not there.
        """
        return inject_fault(
            self._server,
            self._hosted,
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
        """The exchanges with this world, the earliest first; secrets are masked."""
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
        """The operation was called, exactly so many ``times`` or ``at_least`` so many.

        Only calls count that had these parameters, and a body with these fields.
        """
        __tracebackhide__ = True
        wanted = build_call(operation, api, parameters, body)
        self._call_assertions.assert_called(wanted, times, at_least)

    def assert_never_called(
        self,
        operation: str,
        *,
        api: str | None = None,
        parameters: JsonObject | None = None,
        body: Json = ANY_BODY,
    ) -> None:
        """The operation was not called with these parameters and this body."""
        __tracebackhide__ = True
        self._call_assertions.assert_never_called(
            build_call(operation, api, parameters, body)
        )

    def assert_in_order(self, *calls: str | JsonObject) -> None:
        """These were called one after the other; other calls may lie between.

        A call is an operation, or ``{"operation": …, "with": {"parameters": …}}``.
        """
        __tracebackhide__ = True
        self._call_assertions.assert_in_order(calls)

    @property
    def violations(self) -> list[FoundViolation]:
        """Everything that broke a contract, in order, expected or not."""
        return self._violation_tracker.list_violations()

    def expect_violation(
        self, operation: str | None = None, rule: str | None = None
    ) -> AbstractContextManager[None]:
        """Let a block break the contract: of this operation, by this rule.

        Raises ``AssertionError`` at its end if it did not.
        """
        return self._violation_tracker.expect(operation, rule)

    def check(self) -> None:
        """Raise ``UnexpectedViolation`` if there was one since the last check."""
        self._violation_tracker.check()

    def export(self) -> JsonObject:
        """Seed, clock and log: with the fixtures, all that this world is."""
        return self._server.call(self._hosted.world.to_json)

    def _get_next_change(self) -> int | None:
        return self._server.call(self._hosted.world.next_change)

    def _get_service(self, api: str) -> Service:
        services = self._server.worlds.services
        if api not in services:
            raise UnknownName("API", api, tuple(services))
        return services[api]
