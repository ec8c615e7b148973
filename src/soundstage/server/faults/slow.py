"""A body that trickles in."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from soundstage.server.faults.fault import Fault
from soundstage.server.faults.wire import Wire
from soundstage.server.message import Message
from soundstage.types import Document
from soundstage.world.chance import Chance


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """Sends the headers at once, and the body in pieces with pauses before each."""

    NAME = "slow"
    ABOUT = "The body in so many pieces, over so many milliseconds of the wall."
    OPTIONS: ClassVar[Document] = {
        "ms": {"type": "integer", "minimum": 1, "maximum": 600_000},
        "pieces": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10},
    }
    RULES: ClassVar[Document] = {"required": ["ms"]}

    ms: int
    pieces: int

    async def deliver(self, message: Message, wire: Wire, _chance: Chance) -> None:
        body, pieces = message.body, self.pieces
        ends = [len(body) * i // pieces for i in range(pieces + 1)]
        await wire.start(message)
        for start, end in pairwise(ends):
            await wire.pause(self.ms // pieces)
            await wire.send_part(body[start:end])
        await wire.send_part(b"", last=True)
