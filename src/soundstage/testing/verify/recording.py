"""Recorded exchanges: HTTP Archives, and journals as the control API exports them."""

import base64
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from soundstage.contract.violation import DocumentError
from soundstage.testing.har import body_of, each, posted_of
from soundstage.testing.recorded import Headers, Recorded
from soundstage.testing.semantics.described import Catalogue, Described
from soundstage.types import Document, Json

_WORLD = re.compile(r"^/~[^/]+(?=/)")
"""How a path may begin on a Soundstage server."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A recorded exchange, found in the contract; its URL is relative to the API."""

    operation: Described
    exchange: Recorded

    @property
    def name(self) -> str:
        """What to call it in a report."""
        return f"{self.exchange.method} {self.exchange.url}"


def load_recording(path: Path) -> list[Recorded]:
    """The exchanges of a file, with absolute URLs. Raises ``DocumentError``."""
    try:
        document = json.loads(path.read_bytes())
        match document:
            case {"log": _}:
                return each(document, _of_har)
            case {"entries": list(entries)}:
                return [_of_journal(entry) for entry in entries]
    except OSError as error:
        raise DocumentError(
            f"cannot be read: {error.strerror}", file=str(path)
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"is no HTTP Archive and no journal: {error!r}"
        raise DocumentError(message, file=str(path)) from error
    raise DocumentError("is no HTTP Archive and no journal", file=str(path))


def _of_har(entry: Document) -> Recorded:
    request, response = entry["request"], entry["response"]
    return Recorded(
        method=request["method"].upper(),
        url=request["url"],
        request_headers=_headers(request.get("headers")),
        request_body=posted_of(request.get("postData")),
        status=int(response["status"]),
        headers=_headers(response.get("headers")),
        body=body_of(response.get("content") or {}),
    )


def _of_journal(entry: Document) -> Recorded:
    return Recorded(
        method=entry["method"],
        url=entry["path"],
        request_headers=_headers(entry["headers"]),
        request_body=_shown(entry["body"]),
        status=entry["status"] or 0,
        headers=_headers(entry["answer_headers"]),
        body=_shown(entry["answer_body"]),
    )


def _shown(body: Document | None) -> bytes:
    match body:
        case {"json": value}:
            return json.dumps(value, ensure_ascii=False).encode()
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(text)}:
            return base64.b64decode(text)
    return b""


def _headers(nodes: Json) -> Headers:
    return tuple((str(node["name"]), str(node["value"])) for node in nodes or ())


def placed(exchange: Recorded, catalogue: Catalogue, bases: list[str]) -> Kept | None:
    """The exchange as one with the API; ``None`` if the contract has no such path.

    ``bases`` are paths below which the API may have stood when it was recorded.
    """
    parts = urlsplit(exchange.url)
    query = f"?{parts.query}" if parts.query else ""
    whole = _WORLD.sub("", parts.path)
    for base in bases:
        if not whole.startswith(base):
            continue
        path = whole[len(base) :]
        if operation := catalogue.of(exchange.method, path):
            return Kept(operation, replace(exchange, url=path + query))
    return None


def bases_of(document: Document, name: str) -> list[str]:
    """Where the API may stand: at the root, at its servers, on a Soundstage server."""
    servers = (server.get("url", "") for server in document.get("servers", ()))
    paths = {urlsplit(url).path.rstrip("/") for url in servers}
    return ["", f"/{name}", *sorted(paths - {""})]
