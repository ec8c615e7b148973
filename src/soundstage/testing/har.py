"""HTTP Archives (HAR 1.2) as they are read: ours, a browser's, another proxy's."""

import base64
import binascii
from collections.abc import Callable
from typing import TypeVar

from soundstage.types import Document, Json

T = TypeVar("T")


def each(har: Json, read: Callable[[Document], T]) -> list[T]:
    """What is read of every entry. Raises ``ValueError`` for what is no archive."""
    try:
        return [read(entry) for entry in har["log"]["entries"]]
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"is no HTTP Archive: it lacks {error}"
        raise ValueError(msg) from error


def body_of(content: Document) -> bytes:
    """The body of an answer; nothing for what is not Base64 as it says."""
    text: str = content.get("text") or ""
    if content.get("encoding") != "base64":
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


def posted_of(data: Document | None) -> bytes:
    """The body of a request; ours says in the comment that it is in Base64."""
    data = data or {}
    text = data.get("text")
    said = {data.get("encoding"), *(data.get("comment") or "").split(", ")}
    return body_of({"text": text, "encoding": "base64" if "base64" in said else None})
