"""HTTP Archives (HAR 1.2): read, written, and appended to.

Properties that HAR does not define have names that begin with ``_``, as it requires.
"""

import base64
import binascii
from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path

import orjson

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.payload import Payload
from soundstage.exchange.recorded import HeaderList, RecordedExchange
from soundstage.openapi.parameters import parse_query
from soundstage.types import Json, JsonObject
from soundstage.world.clock import format_rfc3339, parse_rfc3339

HTTP_VERSION = "HTTP/1.1"

_KNOWN_STATUSES = frozenset(HTTPStatus)

_NO_TIMINGS = {
    "send": 0,
    "wait": 0,
    "receive": 0,
    **dict.fromkeys(("blocked", "dns", "connect", "ssl"), -1),  # not applicable
}


def build_har(entries: Iterable[JournalEntry]) -> JsonObject:
    """Return the archive of these exchanges.

    They start at their virtual time; their duration is that of the wall clock.

    >>> build_har([])["log"]["version"]
    '1.2'
    """
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "Soundstage", "version": version("soundstage")},
            "browser": {"name": "", "version": ""},
            "entries": [_build_entry(entry) for entry in entries],
        }
    }


def _build_entry(entry: JournalEntry) -> JsonObject:
    notes = [entry.operation or "no operation", *map(str, entry.violations)]
    if entry.fault:
        notes.append(f"fault {entry.fault}")
    return {
        "startedDateTime": format_rfc3339(entry.timestamp),
        "time": entry.duration_ms,
        "request": _build_request(entry),
        "response": _build_response(entry),
        "timings": {**_NO_TIMINGS, "wait": entry.duration_ms},
        "cache": {},
        "comment": "; ".join(notes),
        "_number": entry.number,
        "_wall": format_rfc3339(entry.wall_time),
        "_api": entry.api,
        "_operation": entry.operation,
        "_parameters": dict(entry.parameters),
        "_violations": [violation.to_json() for violation in entry.violations],
        "_fault": entry.fault,
    }


def _build_request(entry: JournalEntry) -> JsonObject:
    body = entry.request_body
    request: JsonObject = {
        "method": entry.method,
        "url": entry.base_url + entry.path,
        "httpVersion": HTTP_VERSION,
        "cookies": [],
        "headers": _build_pairs(entry.request_headers),
        "queryString": _build_pairs(_parse_query(entry.path.partition("?")[2])),
        "headersSize": -1,
        "bodySize": body.size,
    }
    if body.data:
        text, encoding = _encode_text(body)
        request["postData"] = {"mimeType": body.media_type, "text": text}
        # HAR has no encoding for the body of a request, so the comment names it.
        if notes := [note for note in (encoding, _describe_truncation(body)) if note]:
            request["postData"]["comment"] = ", ".join(notes)
    return request


def _parse_query(query: str) -> list[tuple[str, str]]:
    try:
        return parse_query(query.encode("latin-1"))
    except UnicodeDecodeError:
        return [(query, "")]


def _build_response(entry: JournalEntry) -> JsonObject:
    # HAR requires a response. Its readers take status 0 for a missing one.
    status, body = entry.status or 0, entry.response_body
    text, encoding = _encode_text(body)
    content = {
        "size": body.size,
        "mimeType": body.media_type,
        "text": text,
        "encoding": encoding,
        "comment": _describe_truncation(body),
    }
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in _KNOWN_STATUSES else "",
        "httpVersion": HTTP_VERSION,
        "cookies": [],
        "headers": _build_pairs(entry.response_headers),
        "content": {name: v for name, v in content.items() if v is not None},
        "redirectURL": dict(entry.response_headers).get("location", ""),
        "headersSize": -1,
        "bodySize": body.size,
    }


def _build_pairs(pairs: Iterable[tuple[str, str]]) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in pairs]


def _encode_text(body: Payload) -> tuple[str, str | None]:
    """Return a body as text, and its encoding if it is not text itself."""
    text = body.text
    if text is not None:
        return text, None
    return base64.b64encode(body.data).decode(), "base64"


def _describe_truncation(body: Payload) -> str | None:
    return f"cut: {len(body.data)} of {body.size} bytes" if body.is_truncated else None


class HarFile:
    """An HTTP Archive that grows and is complete after each exchange.

    The process may end at any time. Raises ``OSError`` if the file cannot be written.
    """

    _CLOSING = b"\n]}}\n"

    def __init__(self, path: Path) -> None:
        log = build_har([])["log"]
        del log["entries"]
        head = orjson.dumps({"log": log}).removesuffix(b"}}")
        self._file = path.open("wb")
        self._file.write(head + b', "entries": [')
        self._end = self._file.tell()
        self._separator = b"\n"
        self._write_closing()

    def append(self, entry: JournalEntry) -> None:
        """Write one exchange over the closing brackets, and these again after it."""
        # The process may be killed at any time, so the file is always complete.
        self._file.seek(self._end)
        self._file.write(self._separator + orjson.dumps(_build_entry(entry)))
        self._end = self._file.tell()
        self._separator = b",\n"
        self._write_closing()

    def close(self) -> None:
        """Close the file; it is complete already."""
        self._file.close()

    def _write_closing(self) -> None:
        self._file.write(self._CLOSING)
        self._file.flush()


def read_har(document: Json) -> list[RecordedExchange]:
    """Return the exchanges of an archive, whichever program wrote it.

    Raises ``ValueError`` if the document is not an archive.
    """
    try:
        return [_read_entry(entry) for entry in document["log"]["entries"]]
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"is no HTTP Archive: it lacks {error}") from error


def _read_entry(entry: JsonObject) -> RecordedExchange:
    request, response = entry["request"], entry["response"]
    data = request.get("postData") or {}
    content = response.get("content") or {}
    # The encoding of a request body is in a comment: see ``_build_request``.
    notes = {data.get("encoding"), *(data.get("comment") or "").split(", ")}
    duration = entry.get("time")
    return RecordedExchange(
        method=request["method"].upper(),
        url=request["url"],
        request_headers=_read_headers(request.get("headers")),
        request_body=_decode_text(data.get("text"), is_base64="base64" in notes),
        status=int(response["status"] or 0),  # null or 0: no response
        response_headers=_read_headers(response.get("headers")),
        response_body=_decode_text(
            content.get("text"), is_base64=content.get("encoding") == "base64"
        ),
        request_type=data.get("mimeType") or "",
        response_type=content.get("mimeType") or "",
        timestamp=_read_timestamp(entry.get("startedDateTime")),
        duration_ms=round(duration) if isinstance(duration, int | float) else 0,
        api=entry.get("_api"),
    )


def _read_headers(nodes: Json) -> HeaderList:
    pairs = ((str(node["name"]), str(node["value"])) for node in nodes or ())
    # Browsers record the pseudo-headers of HTTP/2, such as ":authority".
    return tuple((name, value) for name, value in pairs if not name.startswith(":"))


def _read_timestamp(text: Json) -> int | None:
    try:
        return parse_rfc3339(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _decode_text(text: str | None, *, is_base64: bool) -> bytes:
    """Return the bytes of a body; none for what is not valid Base64."""
    if not is_base64:
        return (text or "").encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text or "")
    except binascii.Error:
        return b""
