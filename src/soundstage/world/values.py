"""The value forms of fixtures, compiled once to functions that draw them.

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
    """What a value may look at while a run is drawn."""

    @property
    def random(self) -> RandomSource:
        """The run's own draws."""

    @property
    def timestamp(self) -> int:
        """The instant of the step."""

    def resolve(self, name: str) -> Json:
        """What ``$name`` stands for; ``KeyError`` when nothing does."""


class ConstantContext:
    """A scene outside any run: chance and an instant, but nothing to look up."""

    def __init__(self, random: RandomSource, timestamp: int) -> None:
        self.random = random
        self.timestamp = timestamp

    def resolve(self, name: str) -> Json:
        """Raise ``KeyError``: there are no names here."""
        raise KeyError(name)


ValueGenerator: TypeAlias = Callable[[EvaluationContext, Json], Json]
"""Draws a value; its second argument is what the field holds at present."""

PatchTemplate: TypeAlias = Mapping[str, "PatchTemplate | ValueGenerator | None"]
"""A JSON Merge Patch (RFC 7386) whose leaves are drawn; None removes the field."""


def apply_patch(
    document: JsonObject, patch: PatchTemplate, context: EvaluationContext
) -> JsonObject:
    """The document after the patch; the one given stays as it is."""
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
    """The document after a plain JSON Merge Patch; the one given stays as it is."""
    result = dict(document)
    for field, change in patch.items():
        if change is None:
            result.pop(field, None)
        elif isinstance(change, dict):
            inner = result.get(field)
            result[field] = merge_patch(
                inner if isinstance(inner, dict) else {}, change
            )
        else:
            result[field] = change
    return result


def compile_patch(node: Mapping[str, Json], pointer: str) -> PatchTemplate:
    """A patch from its fixture node; ``pointer`` leads there in complaints."""
    return {
        field: None
        if value is None
        else compile_patch(value, f"{pointer}/{field}")
        if isinstance(value, dict) and find_form(value) is None
        else compile_value(value, f"{pointer}/{field}")
        for field, value in node.items()
    }


def compile_values(node: Mapping[str, Json], pointer: str) -> dict[str, ValueGenerator]:
    """Named values, such as a ``draw``."""
    return {name: compile_value(v, f"{pointer}/{name}") for name, v in node.items()}


def compile_value(node: Json, pointer: str) -> ValueGenerator:
    """One value from its fixture node. Raises ``FixtureError`` for a malformed form."""
    match node:
        case str():
            return _text(node, pointer)
        case list():
            return _list(node, pointer)
        case dict() if form := find_form(node):
            return form(node, pointer)
        case dict():
            fields = compile_values(node, pointer)
            return lambda scene, _: {f: v(scene, None) for f, v in fields.items()}
        case _:
            return lambda _scene, _present: node


def to_duration(value: Json) -> int:
    """The ms of a span that is a number of them already, or a text.

    Raises ``ValueError``.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return parse_duration(str(value))


def compile_duration(node: Json, pointer: str) -> ValueGenerator:
    """A duration in ms: ``2s``, ``1s..4s``, ``$name``, or ``{any: [...]}`` of these."""
    if isinstance(node, str) and (match := _NAME.fullmatch(node)) and not match[1]:
        return _named_duration(match[2] or match[3], pointer)
    if isinstance(node, dict):
        options = [
            compile_duration(option, f"{pointer}/any/{i}")
            for i, option in _options(node, pointer)
        ]
        return lambda scene, present: scene.random.choice(options)(scene, present)
    try:
        ends = [parse_duration(end) for end in str(node).split("..", 1)]
    except ValueError as error:
        raise FixtureError(str(error), pointer) from error
    low, high = min(ends), max(ends)
    return lambda scene, _: scene.random.randint(low, high)


def _named_duration(name: str, pointer: str) -> ValueGenerator:
    def draw(scene: EvaluationContext, _present: Json) -> Json:
        value = _resolve(scene, name, pointer)
        try:
            return to_duration(value)
        except ValueError as error:
            raise FixtureError(f"${name}: {error}", pointer) from error

    return draw


def _options(node: Mapping[str, Json], pointer: str) -> Iterable[tuple[int, Json]]:
    options = node.get("any")
    if not isinstance(options, list) or not options:
        msg = "any takes a list of at least one value"
        raise FixtureError(msg, pointer)
    return enumerate(options)


INTEGER_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)", re.ASCII)
NUMBER_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)", re.ASCII)
_NAME = re.compile(r"\$(?:(\$)|\{([\w.]+)\}|([A-Za-z_]\w*(?:\.\w+)*))", re.ASCII)


def _text(node: str, pointer: str) -> ValueGenerator:
    if match := INTEGER_RANGE.fullmatch(node):
        least, most = sorted((int(match[1]), int(match[2])))
        return lambda scene, _: scene.random.randint(least, most)
    if match := NUMBER_RANGE.fullmatch(node):
        low, high = sorted((float(match[1]), float(match[2])))
        return lambda scene, _: scene.random.uniform(low, high)
    if (match := _NAME.fullmatch(node)) and not match[1]:
        name = match[2] or match[3]
        return lambda scene, _: _resolve(scene, name, pointer)
    if "$" in node:
        return lambda scene, _: _NAME.sub(
            lambda m: m[1] or str(_resolve(scene, m[2] or m[3], pointer)), node
        )
    return lambda _scene, _present: node


def _resolve(context: EvaluationContext, name: str, pointer: str) -> Json:
    try:
        return context.resolve(name)
    except KeyError as error:
        msg = f"${name} stands for nothing here"
        raise FixtureError(msg, pointer) from error


def _list(node: list[Json], pointer: str) -> ValueGenerator:
    values = [compile_value(v, f"{pointer}/{i}") for i, v in enumerate(node)]
    return lambda scene, _: [value(scene, None) for value in values]


FormCompiler: TypeAlias = Callable[[Mapping[str, Json], str], ValueGenerator]


def find_form(node: Mapping[str, Json]) -> FormCompiler | None:
    """The value form that a mapping is one of; None if it stands for itself."""
    return _FORMS.get(frozenset(node))


def _any(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    options = [
        compile_value(option, f"{pointer}/any/{i}")
        for i, option in _options(node, pointer)
    ]
    return lambda scene, present: scene.random.choice(options)(scene, present)


def _fake(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    provider = str(node["fake"])

    def draw(scene: EvaluationContext, _present: Json) -> Json:
        try:
            return scene.random.text(provider)
        except FixtureError as error:
            raise FixtureError(error.message, pointer) from error

    return draw


def _id(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    form = ID_FORMATS.get(str(node["id"]))
    if form is None:
        msg = f"there is no id form {node['id']!r}; there are: {', '.join(ID_FORMATS)}"
        raise FixtureError(msg, pointer)
    return lambda scene, _: form(scene.random, scene.timestamp)


def _times(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    times = compile_value(node["times"], f"{pointer}/times")
    item = compile_value(node["of"], f"{pointer}/of")
    return lambda scene, _: [
        item(scene, None) for _ in range(require_count(times(scene, None), pointer))
    ]


def _json(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    value = compile_value(node["json"], f"{pointer}/json")
    return lambda scene, _: orjson.dumps(
        value(scene, None), option=orjson.OPT_SORT_KEYS
    ).decode()


def _add(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    value = compile_value(node["add"], f"{pointer}/add")

    def added(scene: EvaluationContext, present: Json) -> Json:
        try:
            return (present or 0) + value(scene, None)
        except TypeError as error:
            msg = f"a value does not fit here: {error}"
            raise FixtureError(msg, pointer) from error

    return added


def _append(node: Mapping[str, Json], pointer: str) -> ValueGenerator:
    value = compile_value(node["append"], f"{pointer}/append")

    def appended(scene: EvaluationContext, present: Json) -> Json:
        if not isinstance(present, list | None):
            msg = f"a value does not fit here: {present!r} is no list"
            raise FixtureError(msg, pointer)
        return [*(present or ()), value(scene, None)]

    return appended


def _literal(node: Mapping[str, Json], _pointer: str) -> ValueGenerator:
    return lambda _scene, _present: node["literal"]


_FORMS: dict[frozenset[str], FormCompiler] = {
    frozenset({"any"}): _any,
    frozenset({"fake"}): _fake,
    frozenset({"id"}): _id,
    frozenset({"times", "of"}): _times,
    frozenset({"json"}): _json,
    frozenset({"add"}): _add,
    frozenset({"append"}): _append,
    frozenset({"literal"}): _literal,
}


def require_count(value: Json, pointer: str) -> int:
    """The value, if it is a count. Raises ``FixtureError`` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"a count is a whole number from 0 up, not {value!r}"
        raise FixtureError(msg, pointer)
    return value


def to_fixture_value(value: Json) -> Json:
    """What a fixture writes for this value: the inverse of drawing it."""
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
    """``90s``, ``1500ms``: a span in the largest unit that it is a whole number of."""
    unit = next(
        name
        for name, size in reversed(DURATION_UNITS.items())
        if duration and duration % size == 0
    )
    return f"{duration // DURATION_UNITS[unit]}{unit}"
