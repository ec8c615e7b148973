"""What was said, as an HTTP Archive has it: the proxy's, a journal's, a browser's."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from soundstage.exchange.har import decode_content, read_entries
from soundstage.openapi.body import EVENTS, essence
from soundstage.types import Document
from soundstage.world.clock import instant_of


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
        found = read_entries(orjson.loads(path.read_bytes()), _heard)
    except OSError as error:
        raise Unusable(f"cannot read {path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise Unusable(f"{path} is no HTTP Archive: {error}") from error
    except ValueError as error:
        raise Unusable(f"{path}: {error}") from error
    return sorted((one for one in found if one.status), key=lambda one: one.at)


def _heard(entry: Document) -> Heard:
    request, response = entry["request"], entry["response"]
    content = response.get("content") or {}
    media_type = content.get("mimeType") or ""
    took = (entry.get("time") or 0) if essence(media_type) == EVENTS else 0
    return Heard(
        at=instant_of(entry["startedDateTime"]) + round(max(0, took)),
        method=request["method"].upper(),
        path=(urlsplit(request["url"]).path or "/").encode(),
        status=int(response["status"]),
        media_type=media_type,
        body=decode_content(content),
    )
