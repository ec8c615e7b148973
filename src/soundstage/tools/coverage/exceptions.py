"""Exemptions from coverage: a YAML file of ``exceptions``, each with a reason."""

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
    """Items that need no coverage; ``*`` in a name matches any text.

    Without ``status``, ``parameter`` and ``location`` it covers a whole operation. A
    status includes the enum values of its response, a parameter its own. ``values`` are
    JSON texts at a location. ``source`` is the file and the line.
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
        """Whether it applies to operations of an API."""
        return _matches_pattern(self.api, api)

    def matches(self, api: str, operation: str, item: CoverageItem) -> bool:
        """Whether it applies to an item of an operation."""
        if not (_matches_pattern(self.api, api) and _matches_pattern(self.operation, operation)):
            return False
        if self.status is not None:
            return _matches_item(self.status, STATUS, RESPONSE_PREFIX + self.status, item)
        if self.parameter is not None:
            return _matches_item(self.parameter, PARAMETER, self.parameter, item)
        if self.location is None:
            return True
        has_value = self.values is None or item.value in self.values
        is_value = bool(item.value)
        return is_value and has_value and _matches_pattern(self.location, item.name)

    def __str__(self) -> str:
        names = (self.status, self.parameter, self.location)
        name = next((name for name in names if name is not None), "")
        words = (f"{self.source}:", self.api, self.operation, name)
        return " ".join(filter(None, words))


def load_exemptions(path: Path) -> list[Exemption]:
    """Load the exemptions of a file. Raises ``DocumentError`` with file and line."""
    file = load_document(path)
    schema = Schema(_FILE_SCHEMA, "")
    for violation in schema.find_violations(file.document, "exceptions"):
        raise file.error_at(violation.message, format_pointer(violation.path))
    exemptions = []
    for i, node in enumerate(file.document["exceptions"]):
        pointer = f"/exceptions/{i}"
        if len(node.keys() & {"status", "parameter", "at"}) > 1:
            message = "an exception is for one of status, parameter and at"
            raise file.error_at(message, pointer)
        # Only errors are mapped to lines of the YAML file.
        line = file.error_at("", pointer).line
        exemptions.append(_parse_exemption(f"{path}:{line}", node))
    return exemptions


def _parse_exemption(source: str, node: JsonObject) -> Exemption:
    values = node.get("values")
    return Exemption(
        source=source,
        api=node["api"],
        operation=node["operation"],
        reason=node["reason"],
        status=str(node["status"]) if "status" in node else None,
        parameter=node.get("parameter"),
        location=node.get("at"),
        values=None if values is None else frozenset(map(canonical_json, values)),
    )


def _matches_item(name: str, kind: str, location: str, item: CoverageItem) -> bool:
    """Whether an item of this kind has this name, or is a value below the location."""
    if item.kind == kind:
        return _matches_pattern(name, item.name)
    patterns = (location, f"{location}.*", f"{location}[*")
    return bool(item.value) and any(_matches_pattern(p, item.name) for p in patterns)


def _matches_pattern(pattern: str, name: str) -> bool:
    # Most patterns are plain names, and there are thousands of comparisons.
    if "*" not in pattern:
        return pattern == name
    return _compile_pattern(pattern).fullmatch(name) is not None


@cache
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
