"""A body as it is kept: its beginning at least, read as far as it can be."""

from dataclasses import dataclass

import orjson

from soundstage.openapi.body import essence
from soundstage.types import Json


@dataclass(frozen=True, slots=True)
class Payload:
    """A body, or the beginning of a long one; ``size`` is the whole one's."""

    data: bytes
    size: int
    media_type: str

    @property
    def is_truncated(self) -> bool:
        """Whether the end is missing."""
        return len(self.data) < self.size

    @property
    def json(self) -> Json:
        """The JSON value; ``None`` if it is none, or was cut."""
        kind = essence(self.media_type)
        if self.is_truncated or (kind and not kind.endswith(("/json", "+json"))):
            return None
        try:
            return orjson.loads(self.data)
        except orjson.JSONDecodeError:
            return None

    @property
    def value(self) -> Json:
        """The JSON value, or else the text; ``None`` if it is neither, or was cut."""
        if self.is_truncated or not self.data:
            return None
        value = self.json
        return self.text if value is None and self.data != b"null" else value

    @property
    def text(self) -> str | None:
        """The text; ``None`` if it is none. A cut one may end within a character."""
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            at_the_end = self.is_truncated and error.start > len(self.data) - 4
            return self.data[: error.start].decode() if at_the_end else None
