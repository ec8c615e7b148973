"""Facets: the comparable aspects of a schema, each with its own order of strictness."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from soundstage.openapi.enums import canonical_json
from soundstage.openapi.schema import JSON_TYPES
from soundstage.tools.diff.changes import ValueSetChange
from soundstage.types import Json

KeywordParser = Callable[[Json], Json]
ValueFormatter = Callable[[Json], str]


@dataclass(frozen=True, slots=True)
class Facet:
    """One aspect of a schema, for example its types or its minimum.

    ``rule_word`` is its part of a rule name, ``keywords`` the schema keywords with
    their parsers, ``default`` the value without any keyword. ``intersect`` combines two
    values; ``is_wider`` is true if the first accepts what the second does not.

    >>> FACETS["maximum"].compare((9, 0), (8, 0))
    <ValueSetChange.NARROWED: 'narrowed'>
    """

    name: str
    rule_word: str
    keywords: Mapping[str, KeywordParser]
    default: Json
    intersect: Callable[[Json, Json], Json]
    is_wider: Callable[[Json, Json], bool]
    format_value: ValueFormatter

    def compare(self, old: Json, new: Json) -> ValueSetChange | None:
        """Classify the change from one value to another; ``None`` if there is none."""
        narrowed, widened = self.is_wider(old, new), self.is_wider(new, old)
        if narrowed and widened:
            return ValueSetChange.CHANGED
        if narrowed:
            return ValueSetChange.NARROWED
        return ValueSetChange.WIDENED if widened else None


def _create_value_set(
    name: str, default: Json, format_value: ValueFormatter, **keywords: KeywordParser
) -> Facet:
    """A facet whose value is the set of accepted values."""
    return Facet(name, name, keywords, default, _intersect_sets, _is_wider_set, format_value)


def _intersect_sets(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return one & other


def _is_wider_set(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """Whether ``one`` has a member that ``other`` lacks; ``None`` is the full set."""
    if one is None or other is None:
        return one is None and other is not None
    return bool(one - other)


def _create_lower_bound(name: str, rule_word: str, **keywords: KeywordParser) -> Facet:
    def is_wider(one: tuple[float, int], other: tuple[float, int]) -> bool:
        return one < other

    return Facet(name, rule_word, keywords, NO_LOWER_BOUND, max, is_wider, _format_bound)


def _create_upper_bound(name: str, rule_word: str, **keywords: KeywordParser) -> Facet:
    def is_wider(one: tuple[float, int], other: tuple[float, int]) -> bool:
        return one > other

    return Facet(name, rule_word, keywords, NO_UPPER_BOUND, min, is_wider, _format_bound)


def _create_requirement(name: str, **keywords: KeywordParser) -> Facet:
    """A facet whose value is a set of conditions that must all be met."""

    def intersect(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
        return one | other

    def is_wider(one: frozenset[str], other: frozenset[str]) -> bool:
        return bool(other - one)

    return Facet(name, name, keywords, frozenset(), intersect, is_wider, _format_set)


# A bound is (number, offset): an exclusive bound sorts just inside an inclusive one.
NO_LOWER_BOUND, NO_UPPER_BOUND = (float("-inf"), 0), (float("inf"), 0)


def _parse_types(value: Json) -> frozenset[str]:
    types = frozenset(value if isinstance(value, list) else [value])
    # In JSON Schema every integer is a number too.
    return types | {"integer"} if "number" in types else types


def _parse_text(value: Json) -> frozenset[str]:
    return frozenset({str(value)})


def _parse_format(value: str) -> frozenset[str]:
    """A set of formats; every float is a double too."""
    return frozenset({value, "double"} if value == "float" else {value})


def _format_set(values: frozenset[str] | None) -> str:
    return "anything" if values is None else ", ".join(sorted(values)) or "nothing"


def _format_types(types: frozenset[str]) -> str:
    if types == JSON_TYPES:
        return "anything"
    return _format_set(types - {"integer"} if "number" in types else types)


def _format_bound(bound: tuple[float, int]) -> str:
    if bound in {NO_LOWER_BOUND, NO_UPPER_BOUND}:
        return "none"
    return f"{bound[0]}{', exclusive' if bound[1] else ''}"


def _parse_inclusive_bound(value: Json) -> tuple[Json, int]:
    return value, 0


FACETS = {
    facet.name: facet
    for facet in (
        _create_value_set("type", JSON_TYPES, _format_types, type=_parse_types),
        _create_value_set(
            "enum",
            None,
            _format_set,
            enum=lambda values: frozenset(map(canonical_json, values)),
            const=lambda value: frozenset({canonical_json(value)}),
        ),
        _create_lower_bound(
            "minimum", "range", minimum=_parse_inclusive_bound, exclusiveMinimum=lambda n: (n, 1)
        ),
        _create_upper_bound(
            "maximum", "range", maximum=_parse_inclusive_bound, exclusiveMaximum=lambda n: (n, -1)
        ),
        _create_lower_bound("minLength", "length", minLength=_parse_inclusive_bound),
        _create_upper_bound("maxLength", "length", maxLength=_parse_inclusive_bound),
        _create_lower_bound("minItems", "item-count", minItems=_parse_inclusive_bound),
        _create_upper_bound("maxItems", "item-count", maxItems=_parse_inclusive_bound),
        _create_lower_bound(
            "minProperties", "property-count", minProperties=_parse_inclusive_bound
        ),
        _create_upper_bound(
            "maxProperties", "property-count", maxProperties=_parse_inclusive_bound
        ),
        _create_requirement("pattern", pattern=_parse_text),
        _create_requirement("format", format=_parse_format),
        _create_requirement("multiple", multipleOf=_parse_text),
        _create_requirement(
            "uniqueness", uniqueItems=lambda value: frozenset({"unique"} if value else ())
        ),
        _create_requirement("condition"),
    )
}
"""All facets by name; two of them may share a word in rule names."""
