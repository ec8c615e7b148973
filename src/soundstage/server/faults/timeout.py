"""No answer at all."""

from dataclasses import dataclass

from soundstage.server.faults.fault import Fault
from soundstage.server.faults.wire import Wire
from soundstage.server.message import Message
from soundstage.world.chance import Chance
from soundstage.world.clock import MINUTE

LONGEST = 10 * MINUTE
"""Then a client that still waits is disconnected."""


@dataclass(frozen=True, slots=True)
class Timeout(Fault):
    """Carries the request out and never says so."""

    NAME = "timeout"
    ANSWERS = False
    ABOUT = "No answer: the request is carried out, and the client waits in vain."

    async def deliver(self, _message: Message, wire: Wire, _chance: Chance) -> None:
        await wire.hang(LONGEST)
