"""A connection that is reset."""

from dataclasses import dataclass

from soundstage.server.faults.fault import Fault
from soundstage.server.faults.wire import Wire
from soundstage.server.message import Message
from soundstage.world.chance import Chance


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """Carries the request out and resets the connection."""

    NAME = "reset"
    ANSWERS = False
    ABOUT = "A TCP reset in place of the answer; the request is carried out."

    async def deliver(self, _message: Message, wire: Wire, _chance: Chance) -> None:
        await wire.reset()
