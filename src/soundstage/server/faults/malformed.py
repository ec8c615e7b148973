"""A body that says it is JSON and is not."""

from dataclasses import dataclass
from typing import ClassVar

from soundstage.server.faults.fault import Fault
from soundstage.server.message import Message
from soundstage.types import Document

_HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>\n"


@dataclass(frozen=True, slots=True)
class Malformed(Fault):
    """Changes the bytes; status, media type and length are those of a good answer."""

    NAME = "malformed"
    ABOUT = (
        "A body that is no JSON: cut in the middle, with a comma too many, a page "
        "of HTML, or empty."
    )
    OPTIONS: ClassVar[Document] = {
        "form": {"enum": ["cut", "comma", "html", "empty"], "default": "cut"}
    }

    form: str

    def after(self, message: Message) -> Message:
        return message.with_body(_broken(message.body, self.form))


def _broken(body: bytes, form: str) -> bytes:
    match form:
        case "comma":
            return body[:-1] + b"," + body[-1:]
        case "html":
            return _HTML
        case "empty":
            return b""
        case _:
            return body[: len(body) // 2]
