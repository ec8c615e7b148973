"""A journal as an HTTP Archive (HAR 1.2), which browsers and proxies open.

What HAR has no word for stands in fields that begin with ``_``, as it asks for.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from importlib.metadata import version
from io import StringIO
from typing import TypeVar

import harfile
import orjson

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.payload import Payload
from soundstage.openapi.parameters import query_of
from soundstage.types import Document, Json
from soundstage.world.clock import rfc3339

HTTP_VERSION = "HTTP/1.1"


def build_har(entries: Sequence[JournalEntry]) -> Document:
    """The archive. Exchanges start at their virtual time and take the wall's."""
    out = StringIO()
    creator = harfile.Creator("Soundstage", version("soundstage"))
    with harfile.HarFile(out, creator=creator) as archive:
        for entry in entries:
            archive.add_entry(
                startedDateTime=rfc3339(entry.timestamp),
                time=entry.duration_ms,
                request=_build_request(entry),
                response=_build_response(entry),
                timings=harfile.Timings(send=0, wait=entry.duration_ms, receive=0),
                comment=_build_comment(entry),
            )
    document: Document = orjson.loads(out.getvalue())
    for written, entry in zip(document["log"]["entries"], entries, strict=True):
        written.update(_build_extension_fields(entry))
    return document


def _build_extension_fields(entry: JournalEntry) -> Document:
    return {
        "_number": entry.number,
        "_wall": rfc3339(entry.wall_time),
        "_api": entry.api,
        "_operation": entry.operation,
        "_parameters": dict(entry.parameters),
        "_violations": [violation.as_json() for violation in entry.violations],
        "_fault": entry.fault,
    }


def _build_comment(entry: JournalEntry) -> str:
    notes = [entry.operation or "no operation"]
    notes += map(str, entry.violations)
    if entry.fault:
        notes.append(f"fault {entry.fault}")
    return "; ".join(notes)


def _build_request(entry: JournalEntry) -> harfile.Request:
    query = entry.path.partition("?")[2]
    return harfile.Request(
        method=entry.method,
        url=entry.base_url + entry.path,
        httpVersion=HTTP_VERSION,
        headers=_build_name_value_records(entry.request_headers),
        queryString=_build_name_value_records(_parse_query(query)),
        postData=_build_post_data(entry.request_body),
        bodySize=entry.request_body.size,
    )


def _parse_query(query: str) -> list[tuple[str, str]]:
    try:
        return query_of(query.encode("latin-1"))
    except UnicodeDecodeError:
        return [(query, "")]


def _build_name_value_records(pairs: Iterable[tuple[str, str]]) -> list[harfile.Record]:
    return [harfile.Record(name, value) for name, value in pairs]


def _build_post_data(body: Payload) -> harfile.PostData | None:
    if not body.data:
        return None
    text, encoding = _encode_har_text(body)
    notes = ", ".join(filter(None, (encoding, _describe_truncation(body))))
    return harfile.PostData(body.media_type, text=text, comment=notes or None)


def _build_response(entry: JournalEntry) -> harfile.Response:
    """HAR knows no exchange without an answer; its readers take status 0 for one."""
    status = entry.status or 0
    text, encoding = _encode_har_text(entry.response_body)
    headers = dict(entry.response_headers)
    return harfile.Response(
        status=status,
        statusText=HTTPStatus(status).phrase if status in _KNOWN_STATUSES else "",
        httpVersion=HTTP_VERSION,
        headers=_build_name_value_records(entry.response_headers),
        content=harfile.Content(
            size=entry.response_body.size,
            mimeType=entry.response_body.media_type,
            text=text,
            encoding=encoding,
            comment=_describe_truncation(entry.response_body),
        ),
        redirectURL=headers.get("location", ""),
        bodySize=entry.response_body.size,
    )


_KNOWN_STATUSES = frozenset(HTTPStatus)


def _encode_har_text(body: Payload) -> tuple[str, str | None]:
    """A body as text, and how it is encoded if it is none."""
    text = body.text
    if text is not None:
        return text, None
    return base64.b64encode(body.data).decode(), "base64"


def _describe_truncation(body: Payload) -> str | None:
    return f"cut: {len(body.data)} of {body.size} bytes" if body.is_truncated else None


T = TypeVar("T")


def read_entries(har: Json, parse_entry: Callable[[Document], T]) -> list[T]:
    """What is read of every entry. Raises ``ValueError`` for what is no archive."""
    try:
        return [parse_entry(entry) for entry in har["log"]["entries"]]
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"is no HTTP Archive: it lacks {error}"
        raise ValueError(msg) from error


def decode_content(content: Document) -> bytes:
    """The body of an answer; nothing for what is not Base64 as it says."""
    text: str = content.get("text") or ""
    if content.get("encoding") != "base64":
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


def decode_post_data(data: Document | None) -> bytes:
    """The body of a request; ours says in the comment that it is in Base64."""
    data = data or {}
    text = data.get("text")
    said = {data.get("encoding"), *(data.get("comment") or "").split(", ")}
    return decode_content(
        {"text": text, "encoding": "base64" if "base64" in said else None}
    )
