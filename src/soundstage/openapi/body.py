"""Bodies: the media types of a request or response, each with its schema."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import orjson

from soundstage.openapi.errors import DocumentError, UnsupportedMediaType, Violation
from soundstage.openapi.schema import Direction, Schema, compile_schema, possible_types
from soundstage.types import Json, JsonObject

JSON_LINES = frozenset({"application/x-ndjson", "application/jsonl"})
"""Media types with one JSON value per line; their schema is that of the whole list."""

EVENT_STREAM = "text/event-stream"
"""Server-sent events; their schema is that of the list of events, or of the text."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bodies of one media type: text if ``is_text``, otherwise JSON."""

    media_type: str
    schema: Schema
    is_text: bool

    def parse(self, raw: bytes) -> Json:
        """Parse the bytes of a body. Raises ``ValueError``."""
        if self.is_text:
            return raw.decode()
        if essence(self.media_type) in JSON_LINES:
            return [orjson.loads(line) for line in raw.splitlines() if line.strip()]
        if essence(self.media_type) == EVENT_STREAM:
            return list(parse_events(raw.decode()))
        return orjson.loads(raw)


Contents = Mapping[str, Content]
"""Contents by media type, in lower case."""


class _LazyContents(Mapping[str, Content]):
    """Contents that are compiled at their first use.

    Most of a document describes responses, and most of these are never sent.
    """

    def __init__(self, compilers: Mapping[str, Callable[[], Content]]) -> None:
        self._compilers = compilers
        self._compiled: dict[str, Content] = {}

    def __getitem__(self, media_type: str) -> Content:
        content = self._compiled.get(media_type)
        if content is None:
            content = self._compiled[media_type] = self._compilers[media_type]()
        return content

    def __iter__(self) -> Iterator[str]:
        return iter(self._compilers)

    def __len__(self) -> int:
        return len(self._compilers)


_EVENT_LINE = re.compile(r"\r\n|\n|\r")


def parse_events(text: str) -> Iterator[JsonObject]:
    r"""Parse server-sent events (HTML Standard, 9.2.6) whose ``data`` is JSON.

    An incomplete event at the end is ignored. Raises ``ValueError``.

    >>> list(parse_events('id: 7\ndata: {"a": 1}\n\n'))
    [{'id': 7, 'data': {'a': 1}}]
    """
    event: dict[str, list[str]] = {}
    for line in _EVENT_LINE.split(text.removeprefix("\ufeff"))[:-1]:
        name, _, value = line.partition(":")
        if not line and "data" in event:
            yield _build_event(event)
        if not line:
            event = {}
        elif name:  # a line that begins with a colon is a comment
            event.setdefault(name, []).append(value.removeprefix(" "))


def _build_event(fields: Mapping[str, list[str]]) -> JsonObject:
    others = {name: values[-1] for name, values in fields.items() if name != "data"}
    numbers = {
        name: int(others[name]) for name in ("id", "retry") if others.get(name, "").isdecimal()
    }
    return {**others, **numbers, "data": orjson.loads("\n".join(fields["data"]))}


def compile_contents(
    document: JsonObject, node: JsonObject, pointer: str, direction: Direction
) -> Contents:
    """Compile the ``content`` of a request body or a response."""
    return _LazyContents(
        {
            essence(media_type): partial(
                _compile_content, document, media_type, media, pointer, direction
            )
            for media_type, media in node.get("content", {}).items()
        }
    )


def _compile_content(
    document: JsonObject, media_type: str, media: JsonObject, pointer: str, direction: Direction
) -> Content:
    place = f"{pointer}/content/{media_type.replace('/', '~1')}/schema"
    schema = compile_schema(document, media.get("schema", {}), place, direction)
    is_text = "string" in possible_types(schema.root, schema.root)
    key = essence(media_type)
    if not (is_text or is_json(key) or key.startswith("text/") or key in JSON_LINES):
        msg = f"the media type {media_type} is not supported for bodies"
        raise DocumentError(msg, place)
    return Content(media_type, schema, is_text and not is_json(key))


@lru_cache(256)  # few are in use, and every request looks one up
def essence(content_type: str) -> str:
    """Return the essence of a media type (MIME Sniffing Standard, 4.2).

    >>> essence("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()


def find_content(contents: Contents, content_type: str) -> Content | None:
    """Find the content of a media type, or of the most specific range that has it."""
    media_type = essence(content_type)
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if content := contents.get(name):
            return content
    return None


def is_json(media_type: str) -> bool:
    """Return whether bodies of a media type (its essence) are JSON."""
    return media_type == "application/json" or media_type.endswith("+json")


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The request body of an operation."""

    required: bool
    contents: Contents

    def content_for(self, content_type: str | None) -> Content:
        """Return the content of a media type; the first if the client sends none.

        Raises ``UnsupportedMediaType``.
        """
        if content_type is None:
            return next(iter(self.contents.values()))
        if content := find_content(self.contents, content_type):
            return content
        supported = ", ".join(c.media_type for c in self.contents.values())
        message = f"the media type {content_type!r} is not supported, only {supported}"
        raise UnsupportedMediaType(Violation("body", "media type", message))

    def parse(self, content_type: str | None, raw: bytes) -> tuple[Json, list[Violation]]:
        """Parse and validate a body. Raises ``UnsupportedMediaType``."""
        if not raw:
            if not self.required:
                return None, []
            return None, [Violation("body", "required", "a body is required")]
        content = self.content_for(content_type)
        try:
            value = content.parse(raw)
        except UnicodeDecodeError:
            return None, [Violation("body", "encoding", "the body is not UTF-8")]
        except orjson.JSONDecodeError as error:
            return None, [Violation("body", "json", f"the body is not JSON: {error}")]
        # Most bodies are valid, which is_valid finds faster than find_violations.
        if content.schema.is_valid(value):
            return value, []
        return value, content.schema.find_violations(value, "body")


def compile_request_body(document: JsonObject, node: JsonObject, pointer: str) -> RequestBody:
    """Compile a request body from its OpenAPI object (its reference followed)."""
    contents = compile_contents(document, node, pointer, Direction.REQUEST)
    if not contents:
        raise DocumentError("a request body needs at least one media type", pointer)
    return RequestBody(node.get("required", False), contents)
