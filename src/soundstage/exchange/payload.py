"""A recorded body, decoded as far as possible."""

from dataclasses import dataclass

import orjson

from soundstage.openapi.body import essence
from soundstage.types import Json

MAX_CHARACTER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Payload:
    """A body, or the beginning of a long one; ``size`` is that of the whole body.

    >>> Payload(b'{"page": 1}', 11, "application/json").value
    {'page': 1}
    >>> Payload(b'{"page', 11, "application/json").is_truncated
    True
    """

    data: bytes
    size: int
    media_type: str

    @property
    def is_truncated(self) -> bool:
        """Whether the end is missing."""
        return len(self.data) < self.size

    @property
    def json(self) -> Json:
        """The JSON value; None for another media type, or if it is truncated."""
        kind = essence(self.media_type)
        if self.is_truncated or (kind and not kind.endswith(("/json", "+json"))):
            return None
        try:
            return orjson.loads(self.data)
        except orjson.JSONDecodeError:
            return None

    @property
    def value(self) -> Json:
        """The JSON value, or else the text; None if it is neither, or is truncated."""
        if self.is_truncated or not self.data:
            return None
        value = self.json
        return self.text if value is None and self.data != b"null" else value

    @property
    def text(self) -> str | None:
        """The text; None if it is not UTF-8. A truncated character is left out."""
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            is_last = error.start > len(self.data) - MAX_CHARACTER_BYTES
            is_cut = self.is_truncated and is_last
            return self.data[: error.start].decode() if is_cut else None
