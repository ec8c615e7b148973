"""Read recordings: HTTP Archives (HAR), and journals of the control API."""

import base64
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from soundstage.exchange.har import read_har
from soundstage.exchange.recorded import HeaderList, RecordedExchange
from soundstage.openapi.errors import DocumentError
from soundstage.tools.checks.operation_spec import OperationIndex, OperationSpec
from soundstage.types import Json, JsonObject

_WORLD_PREFIX = re.compile(r"^/~[^/]+(?=/)")
"""The path prefix of a named world on a Soundstage server."""


@dataclass(frozen=True, slots=True)
class MatchedExchange:
    """A recorded exchange with its operation; its URL is relative to the API."""

    operation: OperationSpec
    exchange: RecordedExchange

    @property
    def name(self) -> str:
        """The name in reports: method and URL."""
        return f"{self.exchange.method} {self.exchange.url}"


def load_recording(path: Path) -> list[RecordedExchange]:
    """Load the exchanges of a file. Raises ``DocumentError``."""
    try:
        document = json.loads(path.read_bytes())
        match document:
            case {"log": _}:
                return read_har(document)
            case {"entries": list(entries)}:
                return [_parse_journal_entry(entry) for entry in entries]
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"is neither an HTTP Archive nor a journal: {error!r}"
        raise DocumentError(message, file=str(path)) from error
    raise DocumentError("is neither an HTTP Archive nor a journal", file=str(path))


def _parse_journal_entry(entry: JsonObject) -> RecordedExchange:
    return RecordedExchange(
        method=entry["method"],
        url=entry["path"],
        request_headers=_parse_headers(entry["headers"]),
        request_body=_decode_body(entry["body"]),
        status=entry["status"] or 0,
        response_headers=_parse_headers(entry["answer_headers"]),
        response_body=_decode_body(entry["answer_body"]),
    )


def _decode_body(body: JsonObject | None) -> bytes:
    match body:
        case {"json": value}:
            return json.dumps(value, ensure_ascii=False).encode()
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(text)}:
            return base64.b64decode(text)
    return b""


def _parse_headers(nodes: Json) -> HeaderList:
    return tuple((str(node["name"]), str(node["value"])) for node in nodes or ())


def match_to_operation(
    exchange: RecordedExchange, operations: OperationIndex, base_paths: list[str]
) -> MatchedExchange | None:
    """Match an exchange to its operation; ``None`` if the contract has no such path.

    ``base_paths`` are possible path prefixes of the API in the recording.
    """
    parts = urlsplit(exchange.url)
    query = f"?{parts.query}" if parts.query else ""
    full_path = _WORLD_PREFIX.sub("", parts.path)
    # The recording can be from the vendor, a proxy or a mock.
    for base in base_paths:
        if not full_path.startswith(base):
            continue
        path = full_path[len(base) :]
        if operation := operations.match(exchange.method, path):
            return MatchedExchange(operation, replace(exchange, url=path + query))
    return None


def list_base_paths(document: JsonObject, name: str) -> list[str]:
    """List possible base paths: the root, documented servers, a Soundstage server."""
    servers = (server.get("url", "") for server in document.get("servers", ()))
    paths = {urlsplit(url).path.rstrip("/") for url in servers}
    return ["", f"/{name}", *sorted(paths - {""})]
