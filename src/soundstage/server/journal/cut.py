"""Values taken out of texts, bodies and JSON, wherever they stand in them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from soundstage.types import Json

MASK = "***"

HEAD = 16
"""So much of a long value gives it away, where a message was cut within it."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Takes values out of texts; ``None`` takes nothing."""

    pattern: re.Pattern[bytes] | None = None

    def bytes(self, data: bytes) -> bytes:
        """A body without the values."""
        return self.pattern.sub(MASK.encode(), data) if self.pattern else data

    def text(self, text: str) -> str:
        """A text without the values."""
        if not self.pattern:
            return text
        return self.bytes(text.encode(errors="replace")).decode(errors="replace")

    def json(self, value: Json) -> Json:
        """A JSON value without the values."""
        if not self.pattern or value is None:
            return value
        try:
            return orjson.loads(self.bytes(orjson.dumps(value)))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            return MASK


def cut_of(values: Iterable[str]) -> Cut:
    """What takes these values out, as they are and as JSON writes them."""
    forms = [form for value in values for form in _forms(value)]
    return Cut(re.compile(b"|".join(forms))) if forms else Cut()


def _forms(value: str) -> Iterator[bytes]:
    written = orjson.dumps(value)[1:-1]
    yield re.escape(value.encode())
    if written != value.encode():
        yield re.escape(written)
    if len(value) > HEAD:
        yield re.escape(value[:HEAD].encode()) + rb"[^\s\"'\\]*"
