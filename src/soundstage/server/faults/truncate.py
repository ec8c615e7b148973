"""A body that ends too early."""

from dataclasses import dataclass
from typing import ClassVar

from soundstage.server.faults.fault import Fault
from soundstage.server.faults.wire import Wire
from soundstage.server.message import Message
from soundstage.types import Document
from soundstage.world.chance import Chance


@dataclass(frozen=True, slots=True)
class Truncate(Fault):
    """Sends a part of the body, and closes the connection."""

    NAME = "truncate"
    ABOUT = "The full content-length, this share of the body, then the end."
    OPTIONS: ClassVar[Document] = {
        "share": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.5,
        }
    }

    share: float

    async def deliver(self, message: Message, wire: Wire, _chance: Chance) -> None:
        await wire.start(message)
        await wire.send_part(message.body[: int(len(message.body) * self.share)])
        await wire.finish()
