"""Filters of chunks: which fields they look at, and what must be true of these."""

from collections.abc import Callable, Mapping

from soundstage.apis.trieve.geometry import in_box, in_circle, in_polygon, point_of
from soundstage.apis.trieve.refusal import BadRequest
from soundstage.apis.trieve.vocabulary import plain_time_of
from soundstage.types import Document, Json

_RENAMED = {"timestamp": "time_stamp"}

_COMPARISONS: dict[str, Callable[[Json, Json], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}

_SHAPES = {
    "geo_bounding_box": in_box,
    "geo_polygon": in_polygon,
    "geo_radius": in_circle,
}


def matches(chunk: Document, places: Mapping[str, Json], wanted: Document) -> bool:
    """Whether a filter finds a chunk; one without conditions finds all.

    ``places`` are ``group_ids`` and ``group_tracking_ids``. Raises ``BadRequest``.
    """
    subject = {**chunk, **places}
    must = [_holds(subject, c) for c in wanted.get("must") or ()]
    must_not = [_holds(subject, c) for c in wanted.get("must_not") or ()]
    should = [_holds(subject, c) for c in wanted.get("should") or ()]
    return all(must) and not any(must_not) and (not should or any(should))


def _holds(subject: Document, condition: Document) -> bool:
    if "field" not in condition:
        ids = [i.lower() for i in condition.get("ids") or ()]
        tracking_ids = condition.get("tracking_ids") or ()
        return subject["id"] in ids or subject.get("tracking_id") in tracking_ids
    tests = {name: condition.get(name) for name in _TESTS}
    given = {name: test for name, test in tests.items() if test is not None}
    if "match_any" in given:  # it wins over match_all
        given.pop("match_all", None)
    values = _values(subject, condition["field"])
    return bool(given) and all(
        _TESTS[name](values, test) for name, test in given.items()
    )


def _values(subject: Document, path: str) -> list[Json]:
    """What a field holds, as a list; ``metadata.a.b`` leads into the metadata."""
    value: Json = subject
    for step in _RENAMED.get(path, path).split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _any_of(values: list[Json], wanted: list[Json]) -> bool:
    return any(_same(value, one) for value in values for one in wanted)


def _all_of(values: list[Json], wanted: list[Json]) -> bool:
    return all(any(_same(value, one) for value in values) for one in wanted)


def _same(value: Json, wanted: Json) -> bool:
    """JSON knows no difference between 1 and 1.0; Python none between 1 and true."""
    return isinstance(value, bool) == isinstance(wanted, bool) and value == wanted


def _is(values: list[Json], wanted: bool) -> bool:  # noqa: FBT001 - as JSON has it
    return any(value is wanted for value in values)


def _within(values: list[Json], bounds: Document) -> bool:
    numbers = (
        v for v in values if isinstance(v, int | float) and not isinstance(v, bool)
    )
    return any(_bounded(number, bounds) for number in numbers)


def _between(values: list[Json], bounds: Document) -> bool:
    """Moments as the server writes them, which sort as they follow one another."""
    try:
        plain = {
            name: plain_time_of(bounds[name])
            for name in _COMPARISONS
            if bounds.get(name) is not None
        }
    except ValueError as error:
        raise BadRequest("Invalid timestamp format") from error
    moments = (value for value in values if isinstance(value, str))
    return any(_bounded(moment, plain) for moment in moments)


def _bounded(value: Json, bounds: Document) -> bool:
    return all(
        compare(value, bounds[name])
        for name, compare in _COMPARISONS.items()
        if bounds.get(name) is not None
    )


def _shaped(name: str) -> Callable[[list[Json], Json], bool]:
    def inside(values: list[Json], shape: Document) -> bool:
        points = (point_of(value) for value in values if isinstance(value, dict))
        return any(
            point is not None and _SHAPES[name](point, shape) for point in points
        )

    return inside


_TESTS: dict[str, Callable[[list[Json], Json], bool]] = {
    "match_any": _any_of,
    "match_all": _all_of,
    "boolean": _is,
    "range": _within,
    "date_range": _between,
    **{name: _shaped(name) for name in _SHAPES},
}
