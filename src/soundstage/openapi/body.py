"""Bodies: the media types that an operation takes or gives, each with its schema."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import orjson

from soundstage.openapi.errors import DocumentError, Unsupported, Violation
from soundstage.openapi.schema import Schema, Side, compile_schema, types_of
from soundstage.types import Document, Json

LINES = frozenset({"application/x-ndjson", "application/jsonl"})
"""Media types of one JSON value a line; their schema is that of the list of all."""

EVENTS = "text/event-stream"
"""Server-sent events; their schema is that of the list of all, or of the text."""


@dataclass(frozen=True, slots=True)
class Content:
    """One media type: ``text`` if its bodies are texts, else they are JSON."""

    media_type: str
    schema: Schema
    text: bool

    def read(self, raw: bytes) -> Json:
        """The value of these bytes. Raises ``ValueError``."""
        if self.text:
            return raw.decode()
        if essence(self.media_type) in LINES:
            return [orjson.loads(line) for line in raw.splitlines() if line.strip()]
        if essence(self.media_type) == EVENTS:
            return list(events_of(raw.decode()))
        return orjson.loads(raw)


Contents = Mapping[str, Content]


class _Compiled(Mapping[str, Content]):
    """Contents by media type in lower case, each compiled when it is asked for.

    Most of a document is answers, and most of them are never given.
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


def events_of(text: str) -> Iterator[Document]:
    """Server-sent events (HTML Standard, 9.2.6), whose ``data`` is JSON.

    An event that is not complete is none. Raises ``ValueError``.
    """
    event: dict[str, list[str]] = {}
    for line in _EVENT_LINE.split(text.removeprefix("\ufeff"))[:-1]:
        name, _, value = line.partition(":")
        if not line and "data" in event:
            yield _event(event)
        if not line:
            event = {}
        elif name:
            event.setdefault(name, []).append(value.removeprefix(" "))


_EVENT_LINE = re.compile(r"\r\n|\n|\r")


def _event(fields: Mapping[str, list[str]]) -> Document:
    others = {name: values[-1] for name, values in fields.items() if name != "data"}
    numbers = {
        name: int(others[name])
        for name in ("id", "retry")
        if others.get(name, "").isdecimal()
    }
    return {**others, **numbers, "data": orjson.loads("\n".join(fields["data"]))}


def compile_contents(
    document: Document, node: Document, pointer: str, side: Side
) -> Contents:
    """The ``content`` of a request body or a response."""
    return _Compiled(
        {
            essence(media_type): partial(
                _content, document, media_type, media, pointer, side
            )
            for media_type, media in node.get("content", {}).items()
        }
    )


def _content(
    document: Document, media_type: str, media: Document, pointer: str, side: Side
) -> Content:
    place = f"{pointer}/content/{media_type.replace('/', '~1')}/schema"
    schema = compile_schema(document, media.get("schema", {}), place, side)
    is_text = "string" in types_of(schema.document, schema.document)
    key = essence(media_type)
    if not (is_text or is_json(key) or key.startswith("text/") or key in LINES):
        msg = f"bodies in {media_type} are not served"
        raise DocumentError(msg, place)
    return Content(media_type, schema, is_text and not is_json(key))


@lru_cache(256)  # there are few, and each is asked for with every request
def essence(content_type: str) -> str:
    """``application/json`` of ``Application/JSON; charset=utf-8``."""
    return content_type.partition(";")[0].strip().lower()


def content_of(contents: Contents, content_type: str) -> Content | None:
    """The content of a media type, or of the narrowest range that it is in."""
    media_type = essence(content_type)
    for name in (media_type, f"{media_type.partition('/')[0]}/*", "*/*"):
        if content := contents.get(name):
            return content
    return None


def is_json(media_type: str) -> bool:
    """Whether bodies of a media type (its essence) are JSON values."""
    return media_type == "application/json" or media_type.endswith("+json")


@dataclass(frozen=True, slots=True)
class Body:
    """The request body of an operation."""

    required: bool
    contents: Contents

    def content(self, content_type: str | None) -> Content:
        """The content of a media type; the first where the client names none."""
        if content_type is None:
            return next(iter(self.contents.values()))
        if content := content_of(self.contents, content_type):
            return content
        taken = ", ".join(c.media_type for c in self.contents.values())
        message = f"a body in {content_type!r} is not taken here, only {taken}"
        raise Unsupported(Violation("body", "media type", message))

    def checked(
        self, content_type: str | None, raw: bytes
    ) -> tuple[Json, list[Violation]]:
        """The value and what is wrong with it. Raises ``Unsupported``."""
        if not raw:
            if not self.required:
                return None, []
            return None, [Violation("body", "required", "a body is required")]
        content = self.content(content_type)
        try:
            value = content.read(raw)
        except UnicodeDecodeError:
            return None, [Violation("body", "encoding", "the body is not UTF-8")]
        except orjson.JSONDecodeError as error:
            return None, [Violation("body", "json", f"the body is not JSON: {error}")]
        if content.schema.is_valid(value):
            return value, []
        return value, content.schema.violations(value, "body")


def compile_body(document: Document, node: Document, pointer: str) -> Body:
    """A request body from its OpenAPI object (its reference followed)."""
    contents = compile_contents(document, node, pointer, Side.REQUEST)
    if not contents:
        raise DocumentError("a request body has at least one media type", pointer)
    return Body(node.get("required", False), contents)
