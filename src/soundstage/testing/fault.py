"""A fault that a test has injected."""

from types import TracebackType
from typing import Self

from soundstage.server.faults.rules import Rule
from soundstage.server.worlds import Hosted
from soundstage.testing.server import Server
from soundstage.types import Document


class Fault:
    """A rule among the world's faults; as a context manager it goes at the end."""

    def __init__(self, server: Server, hosted: Hosted, rule: Rule) -> None:
        self._server, self._hosted, self._rule = server, hosted, rule
        self.id = rule.id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    @property
    def hits(self) -> int:
        """How many requests it has struck."""
        return self._server.do(lambda: self._rule.hits)

    def remove(self) -> None:
        """Let it strike no more; once is enough, twice does no harm."""

        def removed() -> None:
            if self._rule in list(self._hosted.faults):
                self._hosted.faults.remove(self.id)

        self._server.do(removed)


def injected(server: Server, hosted: Hosted, wanted: Document) -> Fault:
    """A fault with what is wanted of it; what is None is not. Raises ``Problem``."""
    said = {name: value for name, value in wanted.items() if value is not None}
    rule = server.do(lambda: hosted.faults.add(server.worlds.services, said))
    return Fault(server, hosted, rule)
