"""Faults of time: late, slow or missing responses, and reads of the past.

Delays are in milliseconds of real time, except the lag of ``Stale``.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import ClassVar

from soundstage.server.faults.connection import ClientConnection
from soundstage.server.faults.fault import Fault
from soundstage.server.message import EncodedResponse
from soundstage.types import JsonObject
from soundstage.world.clock import MINUTE, parse_duration
from soundstage.world.random import RandomSource

MAX_HANG_MS = 10 * MINUTE
"""After this time, a client that still waits is disconnected."""

_DELAY = {"type": "integer", "minimum": 0, "maximum": 600_000}
_POSITIVE_DELAY = {"type": "integer", "minimum": 1, "maximum": 600_000}
_P99_QUANTILE = NormalDist().inv_cdf(0.99)


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """Waits before the response is sent."""

    NAME = "latency"
    DESCRIPTION = (
        "A delayed response, in milliseconds of real time: fixed (ms), uniformly "
        "distributed (least, most) or lognormally distributed (median, p99)."
    )
    OPTIONS: ClassVar[JsonObject] = {
        "ms": _DELAY,
        "least": _DELAY,
        "most": _DELAY,
        "median": _POSITIVE_DELAY,
        "p99": _POSITIVE_DELAY,
    }
    SCHEMA_KEYWORDS: ClassVar[JsonObject] = {
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
        self, response: EncodedResponse, connection: ClientConnection, random: RandomSource
    ) -> None:
        await connection.pause(self.sample_delay_ms(random))
        await connection.send_all(response)

    def sample_delay_ms(self, random: RandomSource) -> int:
        """Return one delay of the distribution."""
        if self.least is not None and self.most is not None:
            return random.randint(*sorted((self.least, self.most)))
        if self.median is not None and self.p99 is not None:
            # The quantiles 0 and 1 of a normal distribution are infinite.
            quantile = NormalDist().inv_cdf(random.uniform(0.000_001, 0.999_999))
            factor: float = (self.p99 / self.median) ** (quantile / _P99_QUANTILE)
            return round(self.median * factor)
        return self.ms or 0


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """Sends the headers at once, and the body in pieces with a pause before each."""

    NAME = "slow"
    DESCRIPTION = "The body in this number of pieces, over ms of real time."
    OPTIONS: ClassVar[JsonObject] = {
        "ms": {"type": "integer", "minimum": 1, "maximum": 600_000},
        "pieces": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10},
    }
    SCHEMA_KEYWORDS: ClassVar[JsonObject] = {"required": ["ms"]}

    ms: int
    pieces: int

    async def send(
        self, response: EncodedResponse, connection: ClientConnection, _random: RandomSource
    ) -> None:
        body, pieces = response.body, self.pieces
        bounds = [len(body) * i // pieces for i in range(pieces + 1)]
        await connection.send_start(response)
        for start, end in pairwise(bounds):
            await connection.pause(self.ms // pieces)
            await connection.send_chunk(body[start:end])
        await connection.send_chunk(b"", last=True)


@dataclass(frozen=True, slots=True)
class Timeout(Fault):
    """Calls the handler and sends no response."""

    NAME = "timeout"
    SENDS_RESPONSE = False
    DESCRIPTION = "No response: the request is carried out, and the client times out."

    async def send(
        self, _response: EncodedResponse, connection: ClientConnection, _random: RandomSource
    ) -> None:
        await connection.hang(MAX_HANG_MS)


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """Calls the handler and resets the connection."""

    NAME = "reset"
    SENDS_RESPONSE = False
    DESCRIPTION = "A TCP reset in place of the response; the request is carried out."

    async def send(
        self, _response: EncodedResponse, connection: ClientConnection, _random: RandomSource
    ) -> None:
        await connection.reset()


@dataclass(frozen=True, slots=True)
class Stale(Fault):
    """Lets the handler read the world as of an earlier time: eventual consistency."""

    NAME = "stale"
    DESCRIPTION = (
        "The world as of a duration ago, by its own clock: newer changes are not visible yet."
    )
    OPTIONS: ClassVar[JsonObject] = {
        "lag": {"type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$"}
    }
    SCHEMA_KEYWORDS: ClassVar[JsonObject] = {"required": ["lag"]}

    lag: str

    def read_lag_ms(self) -> int:
        return parse_duration(self.lag)
