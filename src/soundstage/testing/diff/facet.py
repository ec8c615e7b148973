"""The facets of a schema: how each is read, and when it admits more than another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from soundstage.contract.listed import text_of
from soundstage.contract.schema import JSON_TYPES
from soundstage.testing.diff.change import Direction
from soundstage.types import Json

Read = Callable[[Json], Json]
Show = Callable[[Json], str]


@dataclass(frozen=True, slots=True)
class Facet:
    """One of the things that a schema says.

    ``nothing`` is what it says without a keyword of it, ``both`` what two of them say
    together; ``more`` tells whether the first admits what the second does not.
    """

    name: str
    word: str
    keywords: Mapping[str, Read]
    nothing: Json
    both: Callable[[Json, Json], Json]
    more: Callable[[Json, Json], bool]
    show: Show

    def direction(self, old: Json, new: Json) -> Direction | None:
        """Which way it has gone, if it has."""
        narrowed, widened = self.more(old, new), self.more(new, old)
        if narrowed and widened:
            return Direction.CHANGED
        if narrowed:
            return Direction.NARROWED
        return Direction.WIDENED if widened else None


def _admitted(name: str, nothing: Json, show: Show, **keywords: Read) -> Facet:
    """A set of what is admitted."""
    return Facet(name, name, keywords, nothing, _common, _has_more, show)


def _common(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    return one & other


def _has_more(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    """``None`` is the set of everything."""
    if one is None or other is None:
        return one is None and other is not None
    return bool(one - other)


def _lower(name: str, word: str, **keywords: Read) -> Facet:
    def more(one: tuple[float, int], other: tuple[float, int]) -> bool:
        return one < other

    return Facet(name, word, keywords, LEAST, max, more, _shown_bound)


def _upper(name: str, word: str, **keywords: Read) -> Facet:
    def more(one: tuple[float, int], other: tuple[float, int]) -> bool:
        return one > other

    return Facet(name, word, keywords, MOST, min, more, _shown_bound)


def _demand(name: str, **keywords: Read) -> Facet:
    """A set of demands, all of which are to be met."""

    def both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
        return one | other

    def more(one: frozenset[str], other: frozenset[str]) -> bool:
        return bool(other - one)

    return Facet(name, name, keywords, frozenset(), both, more, _sorted)


LEAST, MOST = (float("-inf"), 0), (float("inf"), 0)


def _types(value: Json) -> frozenset[str]:
    types = frozenset(value if isinstance(value, list) else [value])
    return types | {"integer"} if "number" in types else types


def _text(value: Json) -> frozenset[str]:
    return frozenset({str(value)})


def _format(value: str) -> frozenset[str]:
    """Every float is a double."""
    return frozenset({value, "double"} if value == "float" else {value})


def _sorted(values: frozenset[str] | None) -> str:
    return "anything" if values is None else ", ".join(sorted(values)) or "nothing"


def _shown_types(types: frozenset[str]) -> str:
    if types == JSON_TYPES:
        return "anything"
    return _sorted(types - {"integer"} if "number" in types else types)


def _shown_bound(bound: tuple[float, int]) -> str:
    if bound in {LEAST, MOST}:
        return "none"
    return f"{bound[0]}{', exclusive' if bound[1] else ''}"


def _inclusive(value: Json) -> tuple[Json, int]:
    return value, 0


FACETS = {
    facet.name: facet
    for facet in (
        _admitted("type", JSON_TYPES, _shown_types, type=_types),
        _admitted(
            "enum",
            None,
            _sorted,
            enum=lambda values: frozenset(map(text_of, values)),
            const=lambda value: frozenset({text_of(value)}),
        ),
        _lower(
            "minimum", "range", minimum=_inclusive, exclusiveMinimum=lambda n: (n, 1)
        ),
        _upper(
            "maximum", "range", maximum=_inclusive, exclusiveMaximum=lambda n: (n, -1)
        ),
        _lower("minLength", "length", minLength=_inclusive),
        _upper("maxLength", "length", maxLength=_inclusive),
        _lower("minItems", "item-count", minItems=_inclusive),
        _upper("maxItems", "item-count", maxItems=_inclusive),
        _lower("minProperties", "property-count", minProperties=_inclusive),
        _upper("maxProperties", "property-count", maxProperties=_inclusive),
        _demand("pattern", pattern=_text),
        _demand("format", format=_format),
        _demand("multiple", multipleOf=_text),
        _demand(
            "uniqueness",
            uniqueItems=lambda yes: frozenset({"unique"} if yes else ()),
        ),
        _demand("condition"),
    )
}
"""By name; two of them may be one word in the rules."""
