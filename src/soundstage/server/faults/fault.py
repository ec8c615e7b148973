"""What a fault is: a failure that is injected into a valid exchange."""

from dataclasses import dataclass
from typing import ClassVar

from soundstage.apis.api import Answer, Api
from soundstage.server.faults.wire import Wire
from soundstage.server.message import Message
from soundstage.types import Document
from soundstage.world.chance import Chance

HEADER = b"soundstage-fault"
"""Names, in an answer, the rule by which a fault struck."""


class Fault:
    """A kind of fault. What it does not care for is left as it is.

    A kind is a frozen dataclass whose fields are its options. ``OPTIONS`` are the
    properties of these options, as JSON Schemas with their defaults; ``RULES`` is what
    else their schema says.
    """

    NAME: ClassVar[str]
    ABOUT: ClassVar[str]
    ANSWERS: ClassVar[bool] = True  # at least a status goes out
    OPTIONS: ClassVar[Document] = {}
    RULES: ClassVar[Document] = {}

    def behind(self) -> int:
        """By how many milliseconds the handler reads too early."""
        return 0

    def instead(self, _api: Api) -> Answer | None:
        """The answer that takes the handler's place, whatever the contract says."""
        return None

    def after(self, message: Message) -> Message:
        """What goes out in place of an answer that was found valid."""
        return message

    async def deliver(self, message: Message, wire: Wire, _chance: Chance) -> None:
        """Send the answer, in a fashion."""
        await wire.send_all(message)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault on a request: by which rule, with its own chance."""

    rule: str
    fault: Fault
    chance: Chance

    def written(self, message: Message) -> Message:
        """The answer as it is to go out; it says that it is a fault's."""
        return self.fault.after(message).with_header(HEADER, self.rule.encode())

    async def deliver(self, message: Message, wire: Wire) -> None:
        """Send it."""
        await self.fault.deliver(message, wire, self.chance)
