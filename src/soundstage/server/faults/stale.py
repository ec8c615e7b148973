"""A read that is behind: eventual consistency."""

from dataclasses import dataclass
from typing import ClassVar

from soundstage.server.faults.fault import Fault
from soundstage.types import Document
from soundstage.world.clock import span_of


@dataclass(frozen=True, slots=True)
class Stale(Fault):
    """Lets the handler see the world as it was a moment ago."""

    NAME = "stale"
    ABOUT = (
        "The world as it was so long ago, by its own clock: what is newer is not "
        "visible yet."
    )
    OPTIONS: ClassVar[Document] = {
        "lag": {"type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$"}
    }
    RULES: ClassVar[Document] = {"required": ["lag"]}

    lag: str

    def behind(self) -> int:
        return span_of(self.lag)
