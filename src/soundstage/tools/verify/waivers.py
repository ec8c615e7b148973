"""Waivers: accepted findings, each with a reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from soundstage.openapi.document import SourceFile, load_document
from soundstage.tools.verify.findings import FindingKey
from soundstage.types import Json, JsonObject

_PATTERN_FIELDS = ("operation", "status", "rule", "pointer")


@dataclass(frozen=True, slots=True)
class Waiver:
    """Waives findings that match all patterns; an omitted pattern matches anything."""

    operation: str
    status: str
    rule: str
    pointer: str
    reason: str
    line: int | None = None

    def matches(self, key: FindingKey) -> bool:
        """Whether it waives a finding. ``2XX`` matches every success status.

        >>> waiver = Waiver("get*", "4XX", "*", "/items/*/id", "known")
        >>> waiver.matches(FindingKey("getRun", 404, "type", "/items/*/id"))
        True
        """
        status = self.status.upper().replace("X", "?")
        return (
            fnmatchcase(key.operation, self.operation)
            and fnmatchcase(str(key.status), status)
            and fnmatchcase(key.rule, self.rule)
            and fnmatchcase(key.pointer, _escape_pointer(self.pointer))
        )

    def __str__(self) -> str:
        patterns = (f"{name} {getattr(self, name)}" for name in _PATTERN_FIELDS)
        specific = [text for text in patterns if not text.endswith(" *")]
        return ", ".join(specific) or "everything"


def _escape_pointer(pointer: str) -> str:
    """Turn ``*`` into a literal (any list item) and ``**`` into a wildcard."""
    if pointer == "*":
        return pointer
    # In fnmatch patterns, [*] is an asterisk; NUL keeps ** apart meanwhile.
    return pointer.replace("**", "\0").replace("*", "[*]").replace("\0", "*")


def load_waivers(path: Path) -> list[Waiver]:
    """Load the waivers of a file. Raises ``DocumentError`` with the line."""
    source = load_document(path)
    nodes = source.document.get("waivers")
    if not isinstance(nodes, list) or len(source.document) > 1:
        raise source.error_at("must have one key, waivers, with a list")
    return [_parse_waiver(source, node, f"/waivers/{i}") for i, node in enumerate(nodes)]


def _parse_waiver(source: SourceFile, node: Json, pointer: str) -> Waiver:
    if not isinstance(node, dict) or not str(node.get("reason") or "").strip():
        raise source.error_at("a waiver needs a reason", pointer)
    if unknown := node.keys() - {*_PATTERN_FIELDS, "reason"}:
        known = ", ".join(_PATTERN_FIELDS)
        message = f"a waiver has {known} and reason, not {', '.join(sorted(unknown))}"
        raise source.error_at(message, pointer)
    # YAML reads 404 as a number, but patterns are text.
    patterns = {name: str(node.get(name, "*")) for name in _PATTERN_FIELDS}
    line = source.error_at("", pointer).line
    return Waiver(**patterns, reason=str(node["reason"]), line=line)


@dataclass(frozen=True, slots=True)
class WaivedFindings:
    """Remaining findings, waived findings with their waivers, and unused waivers."""

    remaining: tuple[FindingKey, ...]
    waived: tuple[tuple[FindingKey, Waiver], ...]
    unused_waivers: tuple[Waiver, ...]


def apply_waivers(keys: Iterable[FindingKey], waivers: Iterable[Waiver]) -> WaivedFindings:
    """Assign each finding to the first waiver that matches it."""
    waivers = tuple(waivers)
    remaining: list[FindingKey] = []
    waived: list[tuple[FindingKey, Waiver]] = []
    for key in keys:
        match = next((waiver for waiver in waivers if waiver.matches(key)), None)
        if match is None:
            remaining.append(key)
        else:
            waived.append((key, match))
    used = {id(waiver) for _, waiver in waived}
    unused = tuple(waiver for waiver in waivers if id(waiver) not in used)
    return WaivedFindings(tuple(remaining), tuple(waived), unused)


def serialize_waiver(waiver: Waiver) -> JsonObject:
    """Return the JSON form in reports."""
    patterns: JsonObject = {name: getattr(waiver, name) for name in _PATTERN_FIELDS}
    return {**patterns, "reason": waiver.reason, "line": waiver.line}
