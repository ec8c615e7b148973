"""What a client has asked, held against what a test says that it did."""

from soundstage.server.control.journal import wanted_call
from soundstage.server.journal.difference import ANY, Wanted
from soundstage.server.journal.entry import Entry
from soundstage.server.journal.verification import Verdict, called, in_order, never
from soundstage.server.worlds import Hosted
from soundstage.testing.server import Server
from soundstage.types import Document, Json


def call(
    operation: str,
    api: str | None = None,
    parameters: Document | None = None,
    body: Json = ANY,
) -> Document:
    """A call as the control API has it."""
    said: Document = {"parameters": parameters or {}}
    if body is not ANY:
        said["body"] = body
    wanted = {"operation": operation, "with": said}
    return wanted if api is None else {**wanted, "api": api}


class Calls:
    """The journal of a world. A wanted call is the name of an operation or a ``call``.

    What is asserted raises ``AssertionError`` with the last exchanges, and ``Problem``
    for an operation that is not there.
    """

    def __init__(self, server: Server, hosted: Hosted) -> None:
        self._server, self._hosted = server, hosted

    def entries(self, *, violating: bool = False) -> list[Entry]:
        """The exchanges, or those only that broke a contract; the earliest first."""
        journal = self._hosted.journal
        # Who has just seen a connection being cut is ahead of the journal.
        return self._server.do_when_settled(
            lambda: journal.entries(violating=violating)
        )

    def assert_called(self, wanted: Document, times: int | None, at_least: int) -> None:
        """Exactly so many times, or at least so many."""
        __tracebackhide__ = True
        one = self._wanted(wanted)
        _assert(called(self.entries(), one, times=times, at_least=at_least))

    def assert_never(self, wanted: Document) -> None:
        """Not at all."""
        __tracebackhide__ = True
        _assert(never(self.entries(), self._wanted(wanted)))

    def assert_in_order(self, wanted: tuple[str | Document, ...]) -> None:
        """One after the other; others may lie between."""
        __tracebackhide__ = True
        _assert(in_order(self.entries(), [self._wanted(one) for one in wanted]))

    def _wanted(self, wanted: str | Document) -> Wanted:
        return wanted_call(self._server.worlds, wanted)


def _assert(verdict: Verdict) -> None:
    __tracebackhide__ = True
    if not verdict.ok:
        raise AssertionError(verdict.text)
