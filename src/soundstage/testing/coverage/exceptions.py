"""Why something cannot be covered: a YAML file of exceptions, each with its reason."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from soundstage.contract.document import load
from soundstage.contract.listed import text_of
from soundstage.contract.schema import Schema
from soundstage.contract.violation import pointer_of
from soundstage.server.journal.tally import ANSWER
from soundstage.testing.coverage.item import PARAMETER, STATUS, Item
from soundstage.types import Document

_TEXT: Final = {"type": "string", "minLength": 1}

_ENTRY: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["api", "operation", "reason"],
    "properties": {
        "api": _TEXT,
        "operation": _TEXT,
        "status": {"type": ["string", "integer"]},
        "parameter": _TEXT,
        "at": _TEXT,
        "values": {"type": "array", "minItems": 1},
        "reason": _TEXT,
    },
    "dependentRequired": {"values": ["at"]},
}

_FORMAT: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["exceptions"],
    "properties": {"exceptions": {"type": "array", "items": _ENTRY}},
}


@dataclass(frozen=True, slots=True)
class Except:
    """What need not be covered. ``*`` in a name stands for any text.

    A status has with it the values of its answer, a parameter its own; an operation has
    everything. ``place`` says where in the file it stands.
    """

    place: str
    api: str
    operation: str
    reason: str
    status: str | None = None
    parameter: str | None = None
    at: str | None = None
    texts: frozenset[str] | None = None

    def is_of(self, api: str) -> bool:
        """Whether it may be about an API."""
        return _fits(self.api, api)

    def excuses(self, api: str, operation: str, item: Item) -> bool:
        """Whether an item is excused."""
        if not (_fits(self.api, api) and _fits(self.operation, operation)):
            return False
        if self.status is not None:
            return _fits_here(self.status, STATUS, ANSWER + self.status, item)
        if self.parameter is not None:
            return _fits_here(self.parameter, PARAMETER, self.parameter, item)
        if self.at is None:
            return True
        chosen = self.texts is None or item.text in self.texts
        return bool(item.text) and chosen and _fits(self.at, item.name)

    def __str__(self) -> str:
        named = (self.status, self.parameter, self.at)
        what = next((name for name in named if name is not None), "")
        words = (f"{self.place}:", self.api, self.operation, what)
        return " ".join(filter(None, words))


def load_exceptions(path: Path) -> list[Except]:
    """The exceptions of a file. Raises ``DocumentError`` with file and line."""
    source = load(path)
    for violation in Schema(_FORMAT, "").violations(source.document, "exceptions"):
        raise source.error(violation.message, pointer_of(violation.path))
    result = []
    for i, node in enumerate(source.document["exceptions"]):
        pointer = f"/exceptions/{i}"
        if len(node.keys() & {"status", "parameter", "at"}) > 1:
            message = "an exception is for one of status, parameter and at"
            raise source.error(message, pointer)
        line = source.error("", pointer).line
        result.append(_except(f"{path}:{line}", node))
    return result


def _except(place: str, node: Document) -> Except:
    return Except(
        place=place,
        api=node["api"],
        operation=node["operation"],
        reason=node["reason"],
        status=str(node["status"]) if "status" in node else None,
        parameter=node.get("parameter"),
        at=node.get("at"),
        texts=frozenset(map(text_of, node["values"])) if "values" in node else None,
    )


def _fits_here(name: str, kind: str, at: str, item: Item) -> bool:
    """Whether an item has this name, or is a value that stands within it."""
    if item.kind == kind:
        return _fits(name, item.name)
    inner = (at, f"{at}.*", f"{at}[*")
    return bool(item.text) and any(_fits(one, item.name) for one in inner)


def _fits(pattern: str, name: str) -> bool:
    if "*" not in pattern:
        return pattern == name
    return _compiled(pattern).fullmatch(name) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
