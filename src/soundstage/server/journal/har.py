"""A journal as an HTTP Archive (HAR 1.2), which browsers and proxies open.

What HAR has no word for stands in fields that begin with ``_``, as it asks for.
"""

import base64
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from importlib.metadata import version
from io import StringIO

import harfile
import orjson

from soundstage.contract.parameter import query_of
from soundstage.server.journal.entry import Entry
from soundstage.server.journal.payload import Payload
from soundstage.types import Document
from soundstage.world.clock import rfc3339

HTTP = "HTTP/1.1"


def har_of(entries: Sequence[Entry]) -> Document:
    """The archive. Exchanges start at their virtual time and take the wall's."""
    out = StringIO()
    creator = harfile.Creator("Soundstage", version("soundstage"))
    with harfile.HarFile(out, creator=creator) as archive:
        for entry in entries:
            archive.add_entry(
                startedDateTime=rfc3339(entry.at),
                time=entry.took,
                request=_request(entry),
                response=_response(entry),
                timings=harfile.Timings(send=0, wait=entry.took, receive=0),
                comment=_comment(entry),
            )
    document: Document = orjson.loads(out.getvalue())
    for written, entry in zip(document["log"]["entries"], entries, strict=True):
        written.update(_own(entry))
    return document


def _own(entry: Entry) -> Document:
    return {
        "_number": entry.number,
        "_wall": rfc3339(entry.wall),
        "_api": entry.api,
        "_operation": entry.operation,
        "_parameters": dict(entry.parameters),
        "_violations": [violation.as_json() for violation in entry.violations],
        "_fault": entry.fault,
    }


def _comment(entry: Entry) -> str:
    notes = [entry.operation or "no operation"]
    notes += map(str, entry.violations)
    if entry.fault:
        notes.append(f"fault {entry.fault}")
    return "; ".join(notes)


def _request(entry: Entry) -> harfile.Request:
    query = entry.path.partition("?")[2]
    return harfile.Request(
        method=entry.method,
        url=entry.base_url + entry.path,
        httpVersion=HTTP,
        headers=_records(entry.headers),
        queryString=_records(_pairs(query)),
        postData=_post_data(entry.body),
        bodySize=entry.body.size,
    )


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return query_of(query.encode("latin-1"))
    except UnicodeDecodeError:
        return [(query, "")]


def _records(pairs: Iterable[tuple[str, str]]) -> list[harfile.Record]:
    return [harfile.Record(name, value) for name, value in pairs]


def _post_data(body: Payload) -> harfile.PostData | None:
    if not body.data:
        return None
    text, encoding = _written(body)
    notes = ", ".join(filter(None, (encoding, _cut(body))))
    return harfile.PostData(body.media_type, text=text, comment=notes or None)


def _response(entry: Entry) -> harfile.Response:
    """HAR knows no exchange without an answer; its readers take status 0 for one."""
    status = entry.status or 0
    text, encoding = _written(entry.answer)
    headers = dict(entry.answer_headers)
    return harfile.Response(
        status=status,
        statusText=HTTPStatus(status).phrase if status in _PHRASES else "",
        httpVersion=HTTP,
        headers=_records(entry.answer_headers),
        content=harfile.Content(
            size=entry.answer.size,
            mimeType=entry.answer.media_type,
            text=text,
            encoding=encoding,
            comment=_cut(entry.answer),
        ),
        redirectURL=headers.get("location", ""),
        bodySize=entry.answer.size,
    )


_PHRASES = frozenset(HTTPStatus)


def _written(body: Payload) -> tuple[str, str | None]:
    """A body as text, and how it is encoded if it is none."""
    text = body.text
    if text is not None:
        return text, None
    return base64.b64encode(body.data).decode(), "base64"


def _cut(body: Payload) -> str | None:
    return f"cut: {len(body.data)} of {body.size} bytes" if body.is_cut else None
