"""An answer that is late."""

from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

from soundstage.server.faults.fault import Fault
from soundstage.server.faults.wire import Wire
from soundstage.server.message import Message
from soundstage.types import Document
from soundstage.world.chance import Chance

_SPAN = {"type": "integer", "minimum": 0, "maximum": 600_000}
_MORE = {"type": "integer", "minimum": 1, "maximum": 600_000}
_P99 = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """Waits before the answer goes out."""

    NAME = "latency"
    ABOUT = (
        "A late answer, in milliseconds of the wall: fixed (ms), drawn evenly (least, "
        "most), or drawn from a lognormal distribution (median, p99)."
    )
    OPTIONS: ClassVar[Document] = {
        "ms": _SPAN,
        "least": _SPAN,
        "most": _SPAN,
        "median": _MORE,
        "p99": _MORE,
    }
    RULES: ClassVar[Document] = {
        "minProperties": 1,
        "maxProperties": 2,
        "oneOf": [
            {"required": ["ms"], "maxProperties": 1},
            {"required": ["least", "most"]},
            {"required": ["median", "p99"]},
        ],
    }

    ms: int | None = None
    least: int | None = None
    most: int | None = None
    median: int | None = None
    p99: int | None = None

    async def deliver(self, message: Message, wire: Wire, chance: Chance) -> None:
        await wire.pause(self.drawn(chance))
        await wire.send_all(message)

    def drawn(self, chance: Chance) -> int:
        """Milliseconds of one delay."""
        if self.least is not None and self.most is not None:
            return chance.whole(*sorted((self.least, self.most)))
        if self.median is not None and self.p99 is not None:
            share = NormalDist().inv_cdf(chance.real(0.000_001, 0.999_999)) / _P99
            spread: float = (self.p99 / self.median) ** share
            return round(self.median * spread)
        return self.ms or 0
