"""Filters of chunks: conditions on fields, combined by must, must_not and should."""

from collections.abc import Callable, Mapping

from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.geometry import is_in_box, is_in_circle, is_in_polygon, parse_point
from soundstage.apis.trieve.model import normalize_time
from soundstage.types import Json, JsonObject

_STORED_NAMES = {"timestamp": "time_stamp"}

_COMPARISONS: dict[str, Callable[[Json, Json], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}

_SHAPE_PREDICATES = {
    "geo_bounding_box": is_in_box,
    "geo_polygon": is_in_polygon,
    "geo_radius": is_in_circle,
}


def matches(chunk: JsonObject, memberships: Mapping[str, Json], chunk_filter: JsonObject) -> bool:
    """Whether a chunk matches a filter; a filter without conditions matches all.

    ``memberships`` are the chunk's ``group_ids`` and ``group_tracking_ids``. Raises
    ``RejectedRequest`` for an invalid date.

    >>> condition = {"field": "tag_set", "match_any": ["red", "blue"]}
    >>> matches({"tag_set": ["red"]}, {}, {"must": [condition]})
    True
    """
    subject = {**chunk, **memberships}
    # All conditions are evaluated, so an invalid one is rejected wherever it is.
    results = {
        name: [_satisfies(subject, c) for c in chunk_filter.get(name) or ()]
        for name in ("must", "must_not", "should")
    }
    return (
        all(results["must"])
        and not any(results["must_not"])
        and (not results["should"] or any(results["should"]))
    )


def _satisfies(subject: JsonObject, condition: JsonObject) -> bool:
    if "field" not in condition:
        ids = [i.lower() for i in condition.get("ids") or ()]
        tracking_ids = condition.get("tracking_ids") or ()
        return subject["id"] in ids or subject.get("tracking_id") in tracking_ids
    operands = {
        name: condition[name] for name in _CONDITION_TESTS if condition.get(name) is not None
    }
    if "match_any" in operands:
        # The real server ignores match_all next to match_any.
        operands.pop("match_all", None)
    values = _get_values(subject, condition["field"])
    return bool(operands) and all(
        _CONDITION_TESTS[name](values, operand) for name, operand in operands.items()
    )


def _get_values(subject: JsonObject, path: str) -> list[Json]:
    """Return a field's values; a path such as ``metadata.a.b`` enters objects."""
    value: Json = subject
    for step in _STORED_NAMES.get(path, path).split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _matches_any(values: list[Json], expected: list[Json]) -> bool:
    return any(_is_equal(value, one) for value in values for one in expected)


def _matches_all(values: list[Json], expected: list[Json]) -> bool:
    return all(_matches_any(values, [one]) for one in expected)


def _is_equal(value: Json, expected: Json) -> bool:
    # In JSON 1 equals 1.0, as in Python, but 1 differs from true.
    return isinstance(value, bool) == isinstance(expected, bool) and value == expected


def _matches_boolean(
    values: list[Json],
    expected: bool,  # noqa: FBT001 - a JSON value
) -> bool:
    return any(value is expected for value in values)


def _matches_range(values: list[Json], bounds: JsonObject) -> bool:
    numbers = (v for v in values if isinstance(v, int | float) and not isinstance(v, bool))
    return any(_is_within_bounds(number, bounds) for number in numbers)


def _matches_date_range(values: list[Json], bounds: JsonObject) -> bool:
    try:
        # The stored form of a time sorts as text in the order of time.
        normalized = {
            name: normalize_time(bounds[name])
            for name in _COMPARISONS
            if bounds.get(name) is not None
        }
    except ValueError as error:
        raise RejectedRequest("Invalid timestamp format") from error
    texts = (value for value in values if isinstance(value, str))
    return any(_is_within_bounds(text, normalized) for text in texts)


def _is_within_bounds(value: Json, bounds: JsonObject) -> bool:
    return all(
        compare(value, bounds[name])
        for name, compare in _COMPARISONS.items()
        if bounds.get(name) is not None
    )


def _make_shape_test(name: str) -> Callable[[list[Json], Json], bool]:
    def matches_shape(values: list[Json], shape: JsonObject) -> bool:
        points = (parse_point(value) for value in values if isinstance(value, dict))
        return any(point is not None and _SHAPE_PREDICATES[name](point, shape) for point in points)

    return matches_shape


_CONDITION_TESTS: dict[str, Callable[[list[Json], Json], bool]] = {
    "match_any": _matches_any,
    "match_all": _matches_all,
    "boolean": _matches_boolean,
    "range": _matches_range,
    "date_range": _matches_date_range,
    **{name: _make_shape_test(name) for name in _SHAPE_PREDICATES},
}
