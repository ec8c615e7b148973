"""Why something cannot be covered: a YAML file of exceptions, each with its reason."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from soundstage.exchange.coverage import RESPONSE_PREFIX
from soundstage.openapi.document import load_document
from soundstage.openapi.enums import canonical_json
from soundstage.openapi.errors import format_pointer
from soundstage.openapi.schema import Schema
from soundstage.tools.coverage.items import PARAMETER, STATUS, CoverageItem
from soundstage.types import JsonObject

_TEXT_SCHEMA: Final = {"type": "string", "minLength": 1}

_ENTRY_SCHEMA: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["api", "operation", "reason"],
    "properties": {
        "api": _TEXT_SCHEMA,
        "operation": _TEXT_SCHEMA,
        "status": {"type": ["string", "integer"]},
        "parameter": _TEXT_SCHEMA,
        "at": _TEXT_SCHEMA,
        "values": {"type": "array", "minItems": 1},
        "reason": _TEXT_SCHEMA,
    },
    "dependentRequired": {"values": ["at"]},
}

_FILE_SCHEMA: Final = {
    "type": "object",
    "additionalProperties": False,
    "required": ["exceptions"],
    "properties": {"exceptions": {"type": "array", "items": _ENTRY_SCHEMA}},
}


@dataclass(frozen=True, slots=True)
class Exemption:
    """What need not be covered. ``*`` in a name stands for any text.

    A status has with it the values of its answer, a parameter its own; an operation has
    everything. ``place`` says where in the file it stands.
    """

    source: str
    api: str
    operation: str
    reason: str
    status: str | None = None
    parameter: str | None = None
    location: str | None = None
    values: frozenset[str] | None = None

    def matches_api(self, api: str) -> bool:
        """Whether it may be about an API."""
        return _matches_pattern(self.api, api)

    def matches(self, api: str, operation: str, item: CoverageItem) -> bool:
        """Whether an item is excused."""
        if not (
            _matches_pattern(self.api, api)
            and _matches_pattern(self.operation, operation)
        ):
            return False
        if self.status is not None:
            return _matches_item(
                self.status, STATUS, RESPONSE_PREFIX + self.status, item
            )
        if self.parameter is not None:
            return _matches_item(self.parameter, PARAMETER, self.parameter, item)
        if self.location is None:
            return True
        chosen = self.values is None or item.value in self.values
        return (
            bool(item.value) and chosen and _matches_pattern(self.location, item.name)
        )

    def __str__(self) -> str:
        named = (self.status, self.parameter, self.location)
        what = next((name for name in named if name is not None), "")
        words = (f"{self.source}:", self.api, self.operation, what)
        return " ".join(filter(None, words))


def load_exemptions(path: Path) -> list[Exemption]:
    """The exceptions of a file. Raises ``DocumentError`` with file and line."""
    source = load_document(path)
    for violation in Schema(_FILE_SCHEMA, "").find_violations(
        source.document, "exceptions"
    ):
        raise source.error_at(violation.message, format_pointer(violation.path))
    result = []
    for i, node in enumerate(source.document["exceptions"]):
        pointer = f"/exceptions/{i}"
        if len(node.keys() & {"status", "parameter", "at"}) > 1:
            message = "an exception is for one of status, parameter and at"
            raise source.error_at(message, pointer)
        line = source.error_at("", pointer).line
        result.append(_parse_exemption(f"{path}:{line}", node))
    return result


def _parse_exemption(source: str, node: JsonObject) -> Exemption:
    return Exemption(
        source=source,
        api=node["api"],
        operation=node["operation"],
        reason=node["reason"],
        status=str(node["status"]) if "status" in node else None,
        parameter=node.get("parameter"),
        location=node.get("at"),
        values=frozenset(map(canonical_json, node["values"]))
        if "values" in node
        else None,
    )


def _matches_item(name: str, kind: str, location: str, item: CoverageItem) -> bool:
    """Whether an item has this name, or is a value that stands within it."""
    if item.kind == kind:
        return _matches_pattern(name, item.name)
    inner = (location, f"{location}.*", f"{location}[*")
    return bool(item.value) and any(_matches_pattern(one, item.name) for one in inner)


def _matches_pattern(pattern: str, name: str) -> bool:
    if "*" not in pattern:
        return pattern == name
    return _compile_pattern(pattern).fullmatch(name) is not None


@cache
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
