"""The base class of faults: failures that are injected into valid exchanges."""

from dataclasses import dataclass
from typing import ClassVar

from soundstage.apis.api import Api, Response
from soundstage.server.faults.connection import ClientConnection
from soundstage.server.message import EncodedResponse
from soundstage.types import JsonObject
from soundstage.world.random import RandomSource

FAULT_HEADER = b"soundstage-fault"
"""Response header with the id of the rule that applied a fault."""


class Fault:
    """A kind of fault; each method changes one phase of an exchange.

    A subclass is a frozen dataclass whose fields are the options of the fault.
    ``OPTIONS`` maps each option to its JSON Schema, with the default; the keywords of
    ``SCHEMA_KEYWORDS`` are added to the schema of all options. A fault that
    ``SENDS_RESPONSE`` sends a status at least.
    """

    NAME: ClassVar[str]
    DESCRIPTION: ClassVar[str]
    SENDS_RESPONSE: ClassVar[bool] = True
    OPTIONS: ClassVar[JsonObject] = {}
    SCHEMA_KEYWORDS: ClassVar[JsonObject] = {}

    def read_lag_ms(self) -> int:
        """Return how far before the present the handler reads (virtual ms)."""
        return 0

    def replace_response(self, _api: Api) -> Response | None:
        """Return a response that is sent without calling the handler, if any.

        It is not validated.
        """
        return None

    def transform_response(self, response: EncodedResponse) -> EncodedResponse:
        """Return what is sent in place of a valid response."""
        return response

    async def send(
        self, response: EncodedResponse, connection: ClientConnection, _random: RandomSource
    ) -> None:
        """Send the response."""
        await connection.send_all(response)


@dataclass(frozen=True, slots=True)
class AppliedFault:
    """A fault that applies to one exchange, with random values of its own."""

    rule_id: str
    fault: Fault
    random: RandomSource

    def transform(self, response: EncodedResponse) -> EncodedResponse:
        """Return the response as it is sent, with a header that names the rule."""
        transformed = self.fault.transform_response(response)
        return transformed.with_header(FAULT_HEADER, self.rule_id.encode())

    async def send(self, response: EncodedResponse, connection: ClientConnection) -> None:
        """Send the response as the fault does."""
        await self.fault.send(response, connection, self.random)


def split_pointer(pointer: str) -> list[str]:
    """Split a JSON pointer (RFC 6901) into its unescaped reference tokens.

    >>> split_pointer("/a~1b/0")
    ['a/b', '0']
    """
    # The order matters: "~01" means "~1".
    tokens = pointer[1:].split("/")
    return [token.replace("~1", "/").replace("~0", "~") for token in tokens]
