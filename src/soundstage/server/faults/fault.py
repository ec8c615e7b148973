"""What a fault is: a failure that is injected into a valid exchange."""

from dataclasses import dataclass
from typing import ClassVar

from soundstage.apis.api import Api, Response
from soundstage.server.faults.connection import ClientConnection
from soundstage.server.message import EncodedResponse
from soundstage.types import Document
from soundstage.world.random import Chance

FAULT_HEADER = b"soundstage-fault"
"""Names, in an answer, the rule by which a fault struck."""


class Fault:
    """A kind of fault. What it does not care for is left as it is.

    A kind is a frozen dataclass whose fields are its options. ``OPTIONS`` are the
    properties of these options, as JSON Schemas with their defaults; ``RULES`` is what
    else their schema says.
    """

    NAME: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    SENDS_RESPONSE: ClassVar[bool] = True  # at least a status goes out
    OPTIONS: ClassVar[Document] = {}
    SCHEMA_KEYWORDS: ClassVar[Document] = {}

    def read_lag_ms(self) -> int:
        """By how many milliseconds the handler reads too early."""
        return 0

    def replace_response(self, _api: Api) -> Response | None:
        """The answer that takes the handler's place, whatever the contract says."""
        return None

    def transform_response(self, response: EncodedResponse) -> EncodedResponse:
        """What goes out in place of an answer that was found valid."""
        return response

    async def send(
        self, response: EncodedResponse, connection: ClientConnection, _random: Chance
    ) -> None:
        """Send the answer, in a fashion."""
        await connection.send_all(response)


@dataclass(frozen=True, slots=True)
class AppliedFault:
    """A fault on a request: by which rule, with its own chance."""

    rule_id: str
    fault: Fault
    random: Chance

    def transform(self, response: EncodedResponse) -> EncodedResponse:
        """The answer as it is to go out; it says that it is a fault's."""
        return self.fault.transform_response(response).with_header(
            FAULT_HEADER, self.rule_id.encode()
        )

    async def send(
        self, response: EncodedResponse, connection: ClientConnection
    ) -> None:
        """Send it."""
        await self.fault.send(response, connection, self.random)
