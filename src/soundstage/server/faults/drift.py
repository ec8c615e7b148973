"""An answer that breaks the contract: the server has changed, the client has not."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

import orjson

from soundstage.server.faults.fault import Fault
from soundstage.server.message import Message
from soundstage.types import Document, Json

log = logging.getLogger("soundstage")


@dataclass(frozen=True, slots=True)
class Drift(Fault):
    """Changes one field of an answer that was found valid."""

    NAME = "drift"
    ABOUT = (
        "A field that breaks the contract: a JSON pointer, with * for every item of a "
        "list, and what becomes of the field."
    )
    OPTIONS: ClassVar[Document] = {
        "field": {"type": "string", "pattern": "^(/([^~/]|~[01])*)+$"},
        "change": {"enum": ["missing", "wrong_type", "null", "unknown_enum", "extra"]},
    }
    RULES: ClassVar[Document] = {"required": ["field", "change"]}

    field: str
    change: str

    def after(self, message: Message) -> Message:
        try:
            body = orjson.loads(message.body)
        except orjson.JSONDecodeError:
            return message
        *outer, last = map(_unescaped, self.field[1:].split("/"))
        found = 0
        for place in list(_places(body, outer)):
            for key in list(_keys(place, last, extra=self.change == "extra")):
                _change(place, key, self.change)
                found += 1
        if not found and message.status < HTTPStatus.BAD_REQUEST:
            log.warning("the fault drift found no %s in an answer", self.field)
        return message.with_body(orjson.dumps(body))


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _places(value: Json, steps: list[str]) -> Iterator[Json]:
    """Every value to which these steps lead."""
    if not steps:
        yield value
        return
    for key in _keys(value, steps[0]):
        yield from _places(value[key], steps[1:])


def _keys(value: Json, step: str, *, extra: bool = False) -> Iterator[str | int]:
    """What a step means in this value: a name, an index, or every index."""
    match value:
        case dict() if extra or step in value:
            yield step
        case list() if step == "*":
            yield from reversed(range(len(value)))
        case list() if step.isdecimal() and int(step) < len(value):
            yield int(step)


def _change(place: Json, key: str | int, change: str) -> None:
    if change == "missing":
        del place[key]
    elif change == "extra":
        place[key] = "a field that the contract does not have"
    elif change == "null":
        place[key] = None
    elif change == "unknown_enum":
        place[key] = "soundstage_unknown"
    else:
        place[key] = _of_another_type(place[key])


def _of_another_type(value: Json) -> Json:
    match value:
        case bool() | int() | float():
            return f"not a number: {value}"
        case str():
            return {"was": value}
        case list():
            return {}
        case dict():
            return []
        case _:
            return {"was": None}
