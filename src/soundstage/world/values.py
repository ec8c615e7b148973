"""The value forms of fixtures, compiled once to functions that generate values.

The forms are few and closed; docs/fixtures.md lists them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeAlias

import orjson

from soundstage.types import Json, JsonObject
from soundstage.world.clock import DURATION_UNITS, parse_duration
from soundstage.world.errors import FixtureError
from soundstage.world.ids import ID_FORMATS
from soundstage.world.random import RandomSource


class EvaluationContext(Protocol):
    """What a value generator can read while a run is generated."""

    @property
    def random(self) -> RandomSource:
        """The random values of the run."""

    @property
    def timestamp(self) -> int:
        """The timestamp of the step."""

    def resolve(self, name: str) -> Json:
        """Return the value of ``$name``. Raises ``KeyError`` if it is not defined."""


class ConstantContext:
    """A context outside of any run: random values and a timestamp, but no names."""

    def __init__(self, random: RandomSource, timestamp: int) -> None:
        self.random = random
        self.timestamp = timestamp

    def resolve(self, name: str) -> Json:
        """Raise ``KeyError``: no name is defined."""
        raise KeyError(name)


ValueGenerator: TypeAlias = Callable[[EvaluationContext, Json], Json]
"""Generates a value; its second argument is the present value of the field."""

PatchTemplate: TypeAlias = Mapping[str, "PatchTemplate | ValueGenerator | None"]
"""A JSON Merge Patch (RFC 7396) whose leaves are generated; None removes the field."""


def apply_patch(
    document: JsonObject, patch: PatchTemplate, context: EvaluationContext
) -> JsonObject:
    """Return the document with the patch applied."""
    result = dict(document)
    for field, change in patch.items():
        present = result.get(field)
        if change is None:
            result.pop(field, None)
        elif callable(change):
            result[field] = change(context, present)
        else:
            inner = present if isinstance(present, dict) else {}
            result[field] = apply_patch(inner, change, context)
    return result


def merge_patch(document: JsonObject, patch: Mapping[str, Json]) -> JsonObject:
    """Return the document with a JSON Merge Patch (RFC 7396) applied.

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    result = dict(document)
    for field, change in patch.items():
        if change is None:
            result.pop(field, None)
        elif isinstance(change, dict):
            inner = result.get(field)
            result[field] = merge_patch(inner if isinstance(inner, dict) else {}, change)
        else:
            result[field] = change
    return result


def compile_patch(node: Mapping[str, Json], pointer: str) -> PatchTemplate:
    """Compile the node of a patch; ``pointer`` is its JSON pointer, for errors."""
    return {
        field: None
        if value is None
        else compile_patch(value, f"{pointer}/{field}")
        if isinstance(value, dict) and find_form(value) is None
        else compile_value(value, f"{pointer}/{field}")
        for field, value in node.items()
    }


def compile_values(node: Mapping[str, Json], pointer: str) -> dict[str, ValueGenerator]:
    """Compile named values, such as those of ``draw``."""
    return {name: compile_value(v, f"{pointer}/{name}") for name, v in node.items()}


def compile_value(node: Json, pointer: str) -> ValueGenerator:
    """Compile a value. Raises ``FixtureError`` for a malformed form.

    >>> from soundstage.world.random import SeededRandom
    >>> value = compile_value({"any": [1, 2]}, "/draw/n")
    >>> value(ConstantContext(SeededRandom(0), 0), None) in (1, 2)
    True
    """
    match node:
        case str():
            return _compile_text(node, pointer)
        case list():
            return _compile_list(node, pointer)
        case dict() if form := find_form(node):
            return form(node, pointer)
        case dict():
            fields = compile_values(node, pointer)
            return lambda context, _: {f: v(context, None) for f, v in fields.items()}
        case _:
            return lambda _context, _present: node


def to_duration(value: Json) -> int:
    """Return the ms of a duration: a number of ms, or a text such as ``2s``.

    Raises ``ValueError``.
    """
    # bool is a subclass of int.
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return parse_duration(str(value))


def compile_duration(node: Json, pointer: str) -> ValueGenerator:
    """Compile a duration: ``2s``, ``1s..4s``, ``$name``, or ``{any: [...]}`` of these.

    The generated value is in ms.
    """
    if isinstance(node, str) and (match := _NAME.fullmatch(node)) and not match[1]:
        return _compile_named_duration(match[2] or match[3], pointer)
    if isinstance(node, dict):
        options = [
            compile_duration(option, f"{pointer}/any/{i}")
            for i, option in _parse_options(node, pointer)
        ]
        return lambda context, present: context.random.choice(options)(context, present)
    try:
        ends = [parse_duration(end) for end in str(node).split("..", 1)]
    except ValueError as error:
        raise FixtureError(str(error), pointer) from error
    low, high = min(ends), max(ends)
    return lambda context, _: context.random.randint(low, high)


def _compile_named_duration(name: str, pointer: str) -> ValueGenerator:
    def generate(context: EvaluationContext, _present: Json) -> Json:
        value = _resolve(context, name, pointer)
        try:
            return to_duration(value)
        except ValueError as error:
            raise FixtureError(f"${name}: {error}", pointer) from error

    return generate


def _parse_options(node: Mapping[str, Json], pointer: str) -> Iterable[tuple[int, Json]]:
    options = node.get("any")
    if not isinstance(options, list) or not options:
        msg = "any takes a list of at least one value"
        raise FixtureError(msg, pointer)
    return enumerate(options)


INTEGER_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)", re.ASCII)
NUMBER_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)", re.ASCII)
_NAME = re.compile(r"\$(?:(\$)|\{([\w.]+)\}|([A-Za-z_]\w*(?:\.\w+)*))", re.ASCII)


def _compile_text(node: str, pointer: str) -> ValueGenerator:
    if match := INTEGER_RANGE.fullmatch(node):
        minimum, maximum = sorted((int(match[1]), int(match[2])))
        return lambda context, _: context.random.randint(minimum, maximum)
    if match := NUMBER_RANGE.fullmatch(node):
        low, high = sorted((float(match[1]), float(match[2])))
        return lambda context, _: context.random.uniform(low, high)
    if (match := _NAME.fullmatch(node)) and not match[1]:
        # A name alone has the value itself, of any type; inside a text, its text.
        name = match[2] or match[3]
        return lambda context, _: _resolve(context, name, pointer)
    if "$" in node:
        return lambda context, _: _NAME.sub(
            lambda m: m[1] or str(_resolve(context, m[2] or m[3], pointer)), node
        )
    return lambda _context, _present: node


def _resolve(context: EvaluationContext, name: str, pointer: str) -> Json:
    try:
        return context.resolve(name)
    except KeyError as error:
        raise FixtureError(f"${name} is not defined here", pointer) from error


def _compile_list(node: list[Json], pointer: str) -> ValueGenerator:
    values = [compile_value(v, f"{pointer}/{i}") for i, v in enumerate(node)]
    return lambda context, _: [value(context, None) for value in values]


FormCompiler: TypeAlias = Callable[[Mapping[str, Json], str], ValueGenerator]


def find_form(node: Mapping[str, Json]) -> FormCompiler | None:
    """Return the compiler of a value form; None if the object is a plain value."""
    return _FORMS.get(frozenset(node))


def _compile_any(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    options = [
        compile_value(option, f"{pointer}/any/{i}") for i, option in _parse_options(node, pointer)
    ]
    return lambda context, present: context.random.choice(options)(context, present)


def _compile_fake(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    provider = str(node["fake"])

    def generate(context: EvaluationContext, _present: Json) -> Json:
        try:
            return context.random.text(provider)
        except FixtureError as error:
            raise FixtureError(error.message, pointer) from error

    return generate


def _compile_id(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    id_format = ID_FORMATS.get(str(node["id"]))
    if id_format is None:
        known = ", ".join(ID_FORMATS)
        msg = f"there is no id form {node['id']!r}; there are: {known}"
        raise FixtureError(msg, pointer)
    return lambda context, _: id_format(context.random, context.timestamp)


def _compile_times(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    times = compile_value(node["times"], f"{pointer}/times")
    item = compile_value(node["of"], f"{pointer}/of")
    return lambda context, _: [
        item(context, None) for _ in range(require_count(times(context, None), pointer))
    ]


def _compile_json(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    # Sorted keys: the same value has the same text.
    value = compile_value(node["json"], f"{pointer}/json")
    return lambda context, _: orjson.dumps(
        value(context, None), option=orjson.OPT_SORT_KEYS
    ).decode()


def _compile_add(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    value = compile_value(node["add"], f"{pointer}/add")

    def add(context: EvaluationContext, present: Json) -> Json:
        try:
            return (present or 0) + value(context, None)
        except TypeError as error:
            msg = f"a value does not fit here: {error}"
            raise FixtureError(msg, pointer) from error

    return add


def _compile_append(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    value = compile_value(node["append"], f"{pointer}/append")

    def append(context: EvaluationContext, present: Json) -> Json:
        if not isinstance(present, list | None):
            msg = f"a value does not fit here: {present!r} is no list"
            raise FixtureError(msg, pointer)
        return [*(present or ()), value(context, None)]

    return append


def _compile_literal(node: Mapping[str, Json], _pointer: str) -> ValueGenerator:
    return lambda _context, _present: node["literal"]


_FORMS: dict[frozenset[str], FormCompiler] = {
    frozenset({"any"}): _compile_any,
    frozenset({"fake"}): _compile_fake,
    frozenset({"id"}): _compile_id,
    frozenset({"times", "of"}): _compile_times,
    frozenset({"json"}): _compile_json,
    frozenset({"add"}): _compile_add,
    frozenset({"append"}): _compile_append,
    frozenset({"literal"}): _compile_literal,
}


def require_count(value: Json, pointer: str) -> int:
    """Return the value if it is a count. Raises ``FixtureError`` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"a count is a whole number from 0 up, not {value!r}"
        raise FixtureError(msg, pointer)
    return value


def to_fixture_value(value: Json) -> Json:
    """Return the fixture node that generates this value: the inverse of compiling.

    >>> to_fixture_value({"price": "$5", "range": "1..2"})
    {'price': '$$5', 'range': {'literal': '1..2'}}
    """
    match value:
        case str() if INTEGER_RANGE.fullmatch(value) or NUMBER_RANGE.fullmatch(value):
            return {"literal": value}
        case str():
            return value.replace("$", "$$")
        case list():
            return [to_fixture_value(item) for item in value]
        case dict() if find_form(value):
            return {"literal": value}
        case dict():
            return {name: to_fixture_value(inner) for name, inner in value.items()}
        case _:
            return value


def format_duration(duration: int) -> str:
    """Format ms in the largest unit of which they are a whole number.

    >>> format_duration(90_000), format_duration(1500)
    ('90s', '1500ms')
    """
    unit = next(
        name for name, size in reversed(DURATION_UNITS.items()) if duration and duration % size == 0
    )
    return f"{duration // DURATION_UNITS[unit]}{unit}"
