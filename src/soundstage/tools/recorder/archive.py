"""What was said, as an HTTP Archive has it: the proxy's, a journal's, a browser's."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from soundstage.exchange.har import read_har
from soundstage.exchange.recorded import RecordedExchange
from soundstage.openapi.body import EVENTS, essence


class Unusable(ValueError):
    """A recording of which nothing can be told; the text says why."""


class Unservable(ValueError):
    """A scenario that lifecycle or contract forbid; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An exchange that has an answer; a stream of events is heard at its end."""

    at: int
    method: str
    path: bytes
    status: int
    media_type: str
    body: bytes


def read_archive(path: Path) -> list[Heard]:
    """The exchanges of an archive in the order of time. Raises ``Unusable``."""
    try:
        exchanges = read_har(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise Unusable(f"{path} is no HTTP Archive: {error}") from error
    except ValueError as error:
        raise Unusable(f"{path}: {error}") from error
    found = [_heard(exchange) for exchange in exchanges if exchange.status]
    return sorted(found, key=lambda one: one.at)


def _heard(exchange: RecordedExchange) -> Heard:
    if exchange.timestamp is None:
        raise Unusable("an exchange has no valid startedDateTime")
    took = exchange.duration_ms if essence(exchange.response_type) == EVENTS else 0
    return Heard(
        at=exchange.timestamp + max(0, took),
        method=exchange.method,
        path=(urlsplit(exchange.url).path or "/").encode(),
        status=exchange.status,
        media_type=exchange.response_type,
        body=exchange.response_body,
    )
