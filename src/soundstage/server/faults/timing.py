"""An answer that is late."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import ClassVar

from soundstage.server.faults.connection import ClientConnection
from soundstage.server.faults.fault import Fault
from soundstage.server.message import EncodedResponse
from soundstage.types import Document
from soundstage.world.clock import MINUTE, span_of
from soundstage.world.random import Chance

_DELAY = {"type": "integer", "minimum": 0, "maximum": 600_000}
_POSITIVE_DELAY = {"type": "integer", "minimum": 1, "maximum": 600_000}
_P99_QUANTILE = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """Waits before the answer goes out."""

    NAME = "latency"
    DESCRIPTION = (
        "A late answer, in milliseconds of the wall: fixed (ms), drawn evenly (least, "
        "most), or drawn from a lognormal distribution (median, p99)."
    )
    OPTIONS: ClassVar[Document] = {
        "ms": _DELAY,
        "least": _DELAY,
        "most": _DELAY,
        "median": _POSITIVE_DELAY,
        "p99": _POSITIVE_DELAY,
    }
    SCHEMA_KEYWORDS: ClassVar[Document] = {
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

    async def send(
        self, response: EncodedResponse, connection: ClientConnection, random: Chance
    ) -> None:
        await connection.pause(self.sample_delay_ms(random))
        await connection.send_all(response)

    def sample_delay_ms(self, random: Chance) -> int:
        """Milliseconds of one delay."""
        if self.least is not None and self.most is not None:
            return random.whole(*sorted((self.least, self.most)))
        if self.median is not None and self.p99 is not None:
            share = (
                NormalDist().inv_cdf(random.real(0.000_001, 0.999_999)) / _P99_QUANTILE
            )
            spread: float = (self.p99 / self.median) ** share
            return round(self.median * spread)
        return self.ms or 0


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """Sends the headers at once, and the body in pieces with pauses before each."""

    NAME = "slow"
    DESCRIPTION = "The body in so many pieces, over so many milliseconds of the wall."
    OPTIONS: ClassVar[Document] = {
        "ms": {"type": "integer", "minimum": 1, "maximum": 600_000},
        "pieces": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10},
    }
    SCHEMA_KEYWORDS: ClassVar[Document] = {"required": ["ms"]}

    ms: int
    pieces: int

    async def send(
        self, response: EncodedResponse, connection: ClientConnection, _random: Chance
    ) -> None:
        body, pieces = response.body, self.pieces
        ends = [len(body) * i // pieces for i in range(pieces + 1)]
        await connection.send_start(response)
        for start, end in pairwise(ends):
            await connection.pause(self.ms // pieces)
            await connection.send_chunk(body[start:end])
        await connection.send_chunk(b"", last=True)


MAX_HANG_MS = 10 * MINUTE
"""Then a client that still waits is disconnected."""


@dataclass(frozen=True, slots=True)
class Timeout(Fault):
    """Carries the request out and never says so."""

    NAME = "timeout"
    SENDS_RESPONSE = False
    DESCRIPTION = "No answer: the request is carried out, and the client waits in vain."

    async def send(
        self, _response: EncodedResponse, connection: ClientConnection, _random: Chance
    ) -> None:
        await connection.hang(MAX_HANG_MS)


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """Carries the request out and resets the connection."""

    NAME = "reset"
    SENDS_RESPONSE = False
    DESCRIPTION = "A TCP reset in place of the answer; the request is carried out."

    async def send(
        self, _response: EncodedResponse, connection: ClientConnection, _random: Chance
    ) -> None:
        await connection.reset()


@dataclass(frozen=True, slots=True)
class Stale(Fault):
    """Lets the handler see the world as it was a moment ago."""

    NAME = "stale"
    DESCRIPTION = (
        "The world as it was so long ago, by its own clock: what is newer is not "
        "visible yet."
    )
    OPTIONS: ClassVar[Document] = {
        "lag": {"type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$"}
    }
    SCHEMA_KEYWORDS: ClassVar[Document] = {"required": ["lag"]}

    lag: str

    def read_lag_ms(self) -> int:
        return span_of(self.lag)
