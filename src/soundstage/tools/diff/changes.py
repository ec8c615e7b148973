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
    "enum": "the values that are listed (`enum`, `const`)",
    "range": "`minimum`, `maximum` and their exclusive forms",
    "length": "`minLength`, `maxLength`",
    "item-count": "`minItems`, `maxItems`",
    "property-count": "`minProperties`, `maxProperties`",
    "pattern": "`pattern`",
    "format": "`format`",
    "multiple": "`multipleOf`",
    "uniqueness": "`uniqueItems`",
    "alternatives": "the branches of `oneOf` and `anyOf`",
    "condition": "`not`, `if` and other keywords that are compared as they stand",
}
"""The compared aspects of a schema, besides its properties."""

_STRUCTURAL_RULES = {
    # rule: (is breaking, description); docs/diff.md has the same table
    "operation-removed": (True, "an operation is gone"),
    "operation-added": (False, "there is a new operation"),
    "operation-id-changed": (True, "generated clients name their methods by it"),
    "operation-deprecated": (False, "it is deprecated now"),
    "server-removed": (True, "a base URL is gone"),
    "server-added": (False, "there is a new base URL"),
    "parameter-removed": (True, "it is refused, or no longer does anything"),
    "parameter-added": (False, "an optional one"),
    "parameter-required-added": (True, "nobody sends it yet"),
    "parameter-became-required": (True, "it could be left out"),
    "parameter-became-optional": (False, "it need not be sent any more"),
    "parameter-renamed": (False, "of a path: only documents see its name"),
    "parameter-style-changed": (True, "`style`, `explode`, or `schema` for `content`"),
    "parameter-deprecated": (False, "it is deprecated now"),
    "body-removed": (True, "there is no request body any more"),
    "body-added": (False, "an optional one"),
    "body-required-added": (True, "nobody sends it yet"),
    "body-became-required": (True, "it could be left out"),
    "body-became-optional": (False, "it need not be sent any more"),
    "request-media-type-removed": (True, "bodies of it are refused"),
    "request-media-type-added": (False, "bodies may be of it too"),
    "answer-media-type-removed": (True, "clients may ask for it"),
    "answer-media-type-added": (False, "answers may be of it too"),
    "status-removed": (True, "clients may wait for it"),
    "status-added": (False, "an answer that was not documented"),
    "answer-header-removed": (True, "clients may read it"),
    "answer-header-added": (False, "there is a new header"),
    "request-property-removed": (True, "it is refused, or no longer does anything"),
    "request-property-added": (False, "an optional one"),
    "request-required-property-added": (True, "nobody sends it yet"),
    "request-property-became-required": (True, "it could be left out"),
    "request-property-became-optional": (False, "it need not be sent any more"),
    "answer-property-removed": (True, "clients may read it"),
    "answer-property-added": (False, "clients ignore what they do not know"),
    "answer-property-became-optional": (True, "clients rely on it"),
    "answer-property-became-required": (False, "it is always there now"),
    "request-additional-properties-forbidden": (True, "unknown ones were taken"),
    "request-additional-properties-allowed": (False, "unknown ones are taken now"),
    "answer-additional-properties-forbidden": (False, "no unknown ones any more"),
    "answer-additional-properties-allowed": (False, "clients ignore unknown ones"),
    "request-default-changed": (True, "who leaves it out gets something else"),
    "security-removed": (True, "credentials that were enough are not any more"),
    "security-added": (False, "other credentials are enough, too"),
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
