"""Changes of a contract, and the table of rules that classifies them.

Requests are contravariant: accepting fewer values breaks existing clients. Responses
are covariant: returning more values breaks them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from soundstage.types import Json

# "answer" is part of the rule names and locations that users see: it stays.
REQUEST, RESPONSE = "request", "answer"


class ValueSetChange(Enum):
    """How the set of values that a schema accepts has changed."""

    NARROWED = "narrowed"
    WIDENED = "widened"
    CHANGED = "changed"  # some values were added and others removed


BREAKING = {
    (REQUEST, ValueSetChange.NARROWED),
    (REQUEST, ValueSetChange.CHANGED),
    (RESPONSE, ValueSetChange.WIDENED),
    (RESPONSE, ValueSetChange.CHANGED),
}

FACET_DESCRIPTIONS = {
    "type": "the JSON types",
    "enum": "the values (`enum`, `const`)",
    "range": "`minimum`, `maximum` and their exclusive forms",
    "length": "`minLength`, `maxLength`",
    "item-count": "`minItems`, `maxItems`",
    "property-count": "`minProperties`, `maxProperties`",
    "pattern": "`pattern`",
    "format": "`format`",
    "multiple": "`multipleOf`",
    "uniqueness": "`uniqueItems`",
    "alternatives": "the branches of `oneOf` and `anyOf`",
    "condition": "`not`, `if` and other keywords, compared literally",
}
"""The compared aspects of a schema, besides its properties."""

_STRUCTURAL_RULES = {
    # rule: (is breaking, description); docs/diff.md has the same table
    "operation-removed": (True, "an operation was removed"),
    "operation-added": (False, "an operation was added"),
    "operation-id-changed": (True, "generated clients use it as the method name"),
    "operation-deprecated": (False, "it is deprecated now"),
    "server-removed": (True, "a base URL was removed"),
    "server-added": (False, "a base URL was added"),
    "parameter-removed": (True, "it is rejected or has no effect"),
    "parameter-added": (False, "an optional one"),
    "parameter-required-added": (True, "existing clients do not send it"),
    "parameter-became-required": (True, "clients may omit it"),
    "parameter-became-optional": (False, "it can be omitted"),
    "parameter-renamed": (False, "a path parameter: the name is only in the document"),
    "parameter-style-changed": (True, "`style`, `explode`, or `schema` for `content`"),
    "parameter-deprecated": (False, "it is deprecated now"),
    "body-removed": (True, "the request body was removed"),
    "body-added": (False, "an optional one"),
    "body-required-added": (True, "existing clients do not send it"),
    "body-became-required": (True, "clients may omit it"),
    "body-became-optional": (False, "it can be omitted"),
    "request-media-type-removed": (True, "bodies of this type are rejected"),
    "request-media-type-added": (False, "bodies of this type are accepted"),
    "answer-media-type-removed": (True, "clients may request it"),
    "answer-media-type-added": (False, "responses may have this type"),
    "status-removed": (True, "clients may expect it"),
    "status-added": (False, "a response was added"),
    "answer-header-removed": (True, "clients may read it"),
    "answer-header-added": (False, "a header was added"),
    "request-property-removed": (True, "it is rejected or has no effect"),
    "request-property-added": (False, "an optional one"),
    "request-required-property-added": (True, "existing clients do not send it"),
    "request-property-became-required": (True, "clients may omit it"),
    "request-property-became-optional": (False, "it can be omitted"),
    "answer-property-removed": (True, "clients may read it"),
    "answer-property-added": (False, "clients ignore unknown properties"),
    "answer-property-became-optional": (True, "clients rely on it"),
    "answer-property-became-required": (False, "it is always present"),
    "request-additional-properties-forbidden": (True, "unknown properties were accepted"),
    "request-additional-properties-allowed": (False, "unknown properties are accepted"),
    "answer-additional-properties-forbidden": (False, "no unknown properties"),
    "answer-additional-properties-allowed": (False, "clients ignore unknown properties"),
    "request-default-changed": (True, "omitting it has another effect"),
    "security-removed": (True, "credentials that sufficed no longer do"),
    "security-added": (False, "other credentials suffice too"),
    "security-scheme-changed": (True, "where or how credentials are sent"),
}


def _iter_facet_rules() -> Iterator[tuple[str, tuple[bool, str]]]:
    for direction in (REQUEST, RESPONSE):
        for facet, description in FACET_DESCRIPTIONS.items():
            for change in ValueSetChange:
                is_breaking = (direction, change) in BREAKING
                yield f"{direction}-{facet}-{change.value}", (is_breaking, description)


RULES: dict[str, tuple[bool, str]] = _STRUCTURAL_RULES | dict(_iter_facet_rules())
"""All rules by name: (is breaking, description)."""


@dataclass(frozen=True, slots=True)
class ContractChange:
    """One change of a contract, for one operation.

    ``location`` is the place in requests and responses (``answer.200.events[].type``),
    ``pointer`` the JSON pointer in the ``document`` (``"old"`` or ``"new"``).
    ``operation`` is ``""`` if the change concerns the whole document.

    >>> change = ContractChange("server-added", "", "servers", "/servers/1", "new", "")
    >>> change.is_breaking
    False
    """

    rule: str
    operation: str
    location: str
    pointer: str
    document: str
    message: str

    @property
    def is_breaking(self) -> bool:
        """Whether clients of the old contract may fail with the new one."""
        return RULES[self.rule][0]

    def to_json(self) -> dict[str, Json]:
        """Return the JSON form that ``soundstage diff --json`` prints."""
        return {
            "rule": self.rule,
            "breaking": self.is_breaking,
            "operation": self.operation or None,
            "at": self.location,
            "pointer": self.pointer,
            "document": self.document,
            "message": self.message,
        }
