"""What a client has asked, held against what a test says that it did."""

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.expectations import (
    ANY_BODY,
    ExpectedCall,
    VerificationResult,
    verify_called,
    verify_in_order,
    verify_never_called,
)
from soundstage.server.background import BackgroundServer
from soundstage.server.control.journal import resolve_expected_call
from soundstage.server.hosts import WorldHost
from soundstage.types import Json, JsonObject


def build_call(
    operation: str,
    api: str | None = None,
    parameters: JsonObject | None = None,
    body: Json = ANY_BODY,
) -> JsonObject:
    """A call as the control API has it."""
    said: JsonObject = {"parameters": parameters or {}}
    if body is not ANY_BODY:
        said["body"] = body
    wanted = {"operation": operation, "with": said}
    return wanted if api is None else {**wanted, "api": api}


class CallAssertions:
    """The journal of a world. A wanted call is the name of an operation or a ``call``.

    What is asserted raises ``AssertionError`` with the last exchanges, and ``Problem``
    for an operation that is not there.
    """

    def __init__(self, server: BackgroundServer, world_host: WorldHost) -> None:
        self._server, self._world_host = server, world_host

    def entries(self, *, only_violations: bool = False) -> list[JournalEntry]:
        """The exchanges, or those only that broke a contract; the earliest first."""
        journal = self._world_host.journal
        # Who has just seen a connection being cut is ahead of the journal.
        return self._server.call_when_idle(
            lambda: journal.entries(only_violations=only_violations)
        )

    def assert_called(
        self, expected: JsonObject, times: int | None, at_least: int
    ) -> None:
        """Exactly so many times, or at least so many."""
        __tracebackhide__ = True
        one = self._resolve(expected)
        _assert_ok(verify_called(self.entries(), one, times=times, at_least=at_least))

    def assert_never_called(self, expected: JsonObject) -> None:
        """Not at all."""
        __tracebackhide__ = True
        _assert_ok(verify_never_called(self.entries(), self._resolve(expected)))

    def assert_in_order(self, expected: tuple[str | JsonObject, ...]) -> None:
        """One after the other; others may lie between."""
        __tracebackhide__ = True
        _assert_ok(
            verify_in_order(self.entries(), [self._resolve(one) for one in expected])
        )

    def _resolve(self, expected: str | JsonObject) -> ExpectedCall:
        return resolve_expected_call(self._server.worlds, expected)


def _assert_ok(result: VerificationResult) -> None:
    __tracebackhide__ = True
    if not result.ok:
        raise AssertionError(result.text)
