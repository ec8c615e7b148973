"""The value forms of fixtures, compiled once to functions that draw them.

The forms are few and closed; docs/fixtures.md lists them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeAlias

import orjson

from soundstage.types import Json, JsonObject
from soundstage.world.clock import UNITS, span_of
from soundstage.world.errors import FixtureError
from soundstage.world.ids import FORMS
from soundstage.world.random import Chance


class Scene(Protocol):
    """What a value may look at while a run is drawn."""

    @property
    def chance(self) -> Chance:
        """The run's own draws."""

    @property
    def at(self) -> int:
        """The instant of the step."""

    def look_up(self, name: str) -> Json:
        """What ``$name`` stands for; ``KeyError`` when nothing does."""


class Bare:
    """A scene outside any run: chance and an instant, but nothing to look up."""

    def __init__(self, chance: Chance, at: int) -> None:
        self.chance = chance
        self.at = at

    def look_up(self, name: str) -> Json:
        """Raise ``KeyError``: there are no names here."""
        raise KeyError(name)


Value: TypeAlias = Callable[[Scene, Json], Json]
"""Draws a value; its second argument is what the field holds at present."""

Patch: TypeAlias = Mapping[str, "Patch | Value | None"]
"""A JSON Merge Patch (RFC 7386) whose leaves are drawn; None removes the field."""


def patched(document: JsonObject, patch: Patch, scene: Scene) -> JsonObject:
    """The document after the patch; the one given stays as it is."""
    result = dict(document)
    for field, change in patch.items():
        present = result.get(field)
        if change is None:
            result.pop(field, None)
        elif callable(change):
            result[field] = change(scene, present)
        else:
            inner = present if isinstance(present, dict) else {}
            result[field] = patched(inner, change, scene)
    return result


def merged(document: JsonObject, patch: Mapping[str, Json]) -> JsonObject:
    """The document after a plain JSON Merge Patch; the one given stays as it is."""
    result = dict(document)
    for field, change in patch.items():
        if change is None:
            result.pop(field, None)
        elif isinstance(change, dict):
            inner = result.get(field)
            result[field] = merged(inner if isinstance(inner, dict) else {}, change)
        else:
            result[field] = change
    return result


def compile_patch(node: Mapping[str, Json], pointer: str) -> Patch:
    """A patch from its fixture node; ``pointer`` leads there in complaints."""
    return {
        field: None
        if value is None
        else compile_patch(value, f"{pointer}/{field}")
        if isinstance(value, dict) and form_of(value) is None
        else compile_value(value, f"{pointer}/{field}")
        for field, value in node.items()
    }


def compile_values(node: Mapping[str, Json], pointer: str) -> dict[str, Value]:
    """Named values, such as a ``draw``."""
    return {name: compile_value(v, f"{pointer}/{name}") for name, v in node.items()}


def compile_value(node: Json, pointer: str) -> Value:
    """One value from its fixture node. Raises ``FixtureError`` for a malformed form."""
    match node:
        case str():
            return _text(node, pointer)
        case list():
            return _list(node, pointer)
        case dict() if form := form_of(node):
            return form(node, pointer)
        case dict():
            fields = compile_values(node, pointer)
            return lambda scene, _: {f: v(scene, None) for f, v in fields.items()}
        case _:
            return lambda _scene, _present: node


def as_span(value: Json) -> int:
    """The ms of a span that is a number of them already, or a text.

    Raises ``ValueError``.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return span_of(str(value))


def compile_span(node: Json, pointer: str) -> Value:
    """A duration in ms: ``2s``, ``1s..4s``, ``$name``, or ``{any: [...]}`` of these."""
    if isinstance(node, str) and (match := _NAME.fullmatch(node)) and not match[1]:
        return _named_span(match[2] or match[3], pointer)
    if isinstance(node, dict):
        options = [
            compile_span(option, f"{pointer}/any/{i}")
            for i, option in _options(node, pointer)
        ]
        return lambda scene, present: scene.chance.pick(options)(scene, present)
    try:
        ends = [span_of(end) for end in str(node).split("..", 1)]
    except ValueError as error:
        raise FixtureError(str(error), pointer) from error
    low, high = min(ends), max(ends)
    return lambda scene, _: scene.chance.whole(low, high)


def _named_span(name: str, pointer: str) -> Value:
    def draw(scene: Scene, _present: Json) -> Json:
        value = _looked_up(scene, name, pointer)
        try:
            return as_span(value)
        except ValueError as error:
            raise FixtureError(f"${name}: {error}", pointer) from error

    return draw


def _options(node: Mapping[str, Json], pointer: str) -> Iterable[tuple[int, Json]]:
    options = node.get("any")
    if not isinstance(options, list) or not options:
        msg = "any takes a list of at least one value"
        raise FixtureError(msg, pointer)
    return enumerate(options)


WHOLE = re.compile(r"(-?\d+)\.\.(-?\d+)", re.ASCII)
REAL = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)", re.ASCII)
_NAME = re.compile(r"\$(?:(\$)|\{([\w.]+)\}|([A-Za-z_]\w*(?:\.\w+)*))", re.ASCII)


def _text(node: str, pointer: str) -> Value:
    if match := WHOLE.fullmatch(node):
        least, most = sorted((int(match[1]), int(match[2])))
        return lambda scene, _: scene.chance.whole(least, most)
    if match := REAL.fullmatch(node):
        low, high = sorted((float(match[1]), float(match[2])))
        return lambda scene, _: scene.chance.real(low, high)
    if (match := _NAME.fullmatch(node)) and not match[1]:
        name = match[2] or match[3]
        return lambda scene, _: _looked_up(scene, name, pointer)
    if "$" in node:
        return lambda scene, _: _NAME.sub(
            lambda m: m[1] or str(_looked_up(scene, m[2] or m[3], pointer)), node
        )
    return lambda _scene, _present: node


def _looked_up(scene: Scene, name: str, pointer: str) -> Json:
    try:
        return scene.look_up(name)
    except KeyError as error:
        msg = f"${name} stands for nothing here"
        raise FixtureError(msg, pointer) from error


def _list(node: list[Json], pointer: str) -> Value:
    values = [compile_value(v, f"{pointer}/{i}") for i, v in enumerate(node)]
    return lambda scene, _: [value(scene, None) for value in values]


Form: TypeAlias = Callable[[Mapping[str, Json], str], Value]


def form_of(node: Mapping[str, Json]) -> Form | None:
    """The value form that a mapping is one of; None if it stands for itself."""
    return _FORMS.get(frozenset(node))


def _any(node: Mapping[str, Json], pointer: str) -> Value:
    options = [
        compile_value(option, f"{pointer}/any/{i}")
        for i, option in _options(node, pointer)
    ]
    return lambda scene, present: scene.chance.pick(options)(scene, present)


def _fake(node: Mapping[str, Json], pointer: str) -> Value:
    provider = str(node["fake"])

    def draw(scene: Scene, _present: Json) -> Json:
        try:
            return scene.chance.text(provider)
        except FixtureError as error:
            raise FixtureError(error.message, pointer) from error

    return draw


def _id(node: Mapping[str, Json], pointer: str) -> Value:
    form = FORMS.get(str(node["id"]))
    if form is None:
        msg = f"there is no id form {node['id']!r}; there are: {', '.join(FORMS)}"
        raise FixtureError(msg, pointer)
    return lambda scene, _: form(scene.chance, scene.at)


def _times(node: Mapping[str, Json], pointer: str) -> Value:
    times = compile_value(node["times"], f"{pointer}/times")
    item = compile_value(node["of"], f"{pointer}/of")
    return lambda scene, _: [
        item(scene, None) for _ in range(whole(times(scene, None), pointer))
    ]


def _json(node: Mapping[str, Json], pointer: str) -> Value:
    value = compile_value(node["json"], f"{pointer}/json")
    return lambda scene, _: orjson.dumps(
        value(scene, None), option=orjson.OPT_SORT_KEYS
    ).decode()


def _add(node: Mapping[str, Json], pointer: str) -> Value:
    value = compile_value(node["add"], f"{pointer}/add")

    def added(scene: Scene, present: Json) -> Json:
        try:
            return (present or 0) + value(scene, None)
        except TypeError as error:
            msg = f"a value does not fit here: {error}"
            raise FixtureError(msg, pointer) from error

    return added


def _append(node: Mapping[str, Json], pointer: str) -> Value:
    value = compile_value(node["append"], f"{pointer}/append")

    def appended(scene: Scene, present: Json) -> Json:
        if not isinstance(present, list | None):
            msg = f"a value does not fit here: {present!r} is no list"
            raise FixtureError(msg, pointer)
        return [*(present or ()), value(scene, None)]

    return appended


def _literal(node: Mapping[str, Json], _pointer: str) -> Value:
    return lambda _scene, _present: node["literal"]


_FORMS: dict[frozenset[str], Form] = {
    frozenset({"any"}): _any,
    frozenset({"fake"}): _fake,
    frozenset({"id"}): _id,
    frozenset({"times", "of"}): _times,
    frozenset({"json"}): _json,
    frozenset({"add"}): _add,
    frozenset({"append"}): _append,
    frozenset({"literal"}): _literal,
}


def whole(value: Json, pointer: str) -> int:
    """The value, if it is a count. Raises ``FixtureError`` otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"a count is a whole number from 0 up, not {value!r}"
        raise FixtureError(msg, pointer)
    return value


def spelled(value: Json) -> Json:
    """What a fixture writes for this value: the inverse of drawing it."""
    match value:
        case str() if WHOLE.fullmatch(value) or REAL.fullmatch(value):
            return {"literal": value}
        case str():
            return value.replace("$", "$$")
        case list():
            return [spelled(item) for item in value]
        case dict() if form_of(value):
            return {"literal": value}
        case dict():
            return {name: spelled(inner) for name, inner in value.items()}
        case _:
            return value


def spelled_span(span: int) -> str:
    """``90s``, ``1500ms``: a span in the largest unit that it is a whole number of."""
    unit = next(
        name for name, size in reversed(UNITS.items()) if span and span % size == 0
    )
    return f"{span // UNITS[unit]}{unit}"
