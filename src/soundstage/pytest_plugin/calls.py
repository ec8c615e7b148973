"""Assertions about the calls of a client, verified against the journal."""

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.expectations import (
    ANY_BODY,
    ExpectedCall,
    VerificationResult,
    verify_called,
    verify_in_order,
    verify_never_called,
)
from soundstage.server.background import BackgroundWorld
from soundstage.server.control.journal import resolve_expected_call
from soundstage.types import Json, JsonObject


def build_call(
    operation: str,
    api: str | None = None,
    parameters: JsonObject | None = None,
    body: Json = ANY_BODY,
) -> JsonObject:
    """Build an expected call in the form of the control API.

    >>> build_call("getRun", parameters={"runID": "7"})
    {'operation': 'getRun', 'with': {'parameters': {'runID': '7'}}}
    """
    arguments: JsonObject = {"parameters": parameters or {}}
    if body is not ANY_BODY:
        arguments["body"] = body
    call = {"operation": operation, "with": arguments}
    return call if api is None else {**call, "api": api}


class CallAssertions:
    """Assertions about the journal of a world.

    An expected call is an operation name or the result of ``build_call``. A failed
    assertion raises ``AssertionError`` with the last exchanges. Raises ``Problem`` for
    an unknown operation.
    """

    def __init__(self, world: BackgroundWorld) -> None:
        self._world = world

    def entries(self, *, only_violations: bool = False) -> list[JournalEntry]:
        """List the exchanges, or only the ones with violations; earliest first."""
        journal = self._world.host.journal
        return self._world.server.call_when_idle(
            lambda: journal.entries(only_violations=only_violations)
        )

    def assert_called(self, expected: JsonObject, times: int | None, at_least: int) -> None:
        """Assert that a call was made exactly ``times`` or ``at_least`` times."""
        __tracebackhide__ = True
        call = self._resolve(expected)
        _assert_ok(verify_called(self.entries(), call, times=times, at_least=at_least))

    def assert_never_called(self, expected: JsonObject) -> None:
        """Assert that a call was not made."""
        __tracebackhide__ = True
        _assert_ok(verify_never_called(self.entries(), self._resolve(expected)))

    def assert_in_order(self, expected: tuple[str | JsonObject, ...]) -> None:
        """Assert that calls were made in this order, with any others between them."""
        __tracebackhide__ = True
        calls = [self._resolve(call) for call in expected]
        _assert_ok(verify_in_order(self.entries(), calls))

    def _resolve(self, expected: str | JsonObject) -> ExpectedCall:
        return resolve_expected_call(self._world.server.worlds, expected)


def _assert_ok(result: VerificationResult) -> None:
    __tracebackhide__ = True
    if not result.ok:
        raise AssertionError(result.text)
