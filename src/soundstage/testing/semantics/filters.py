"""A filter applies: no item is there that was not asked for."""

from collections.abc import Iterator

from soundstage.testing.semantics.described import Described, Parameter
from soundstage.testing.semantics.seen import Seen, plain_name, text_of
from soundstage.types import Document


def filters_apply(seen: Seen) -> str | None:
    """An item that does not have what a parameter asked for.

    A parameter is a filter where items have a property of its name (in another
    spelling, or the plural of it) and its values are an enum, booleans or identifiers;
    or if it is called ``filter[…]``.
    """
    if not seen.ok or not seen.items:
        return None
    for parameter in _filters(seen.operation):
        wanted = {text.casefold() for text in seen.values(parameter)}
        # What an empty text means is for the API to say.
        if not wanted or "" in wanted:
            continue
        there = dict(_values(seen, parameter))
        wrong = [text for text in there if text.casefold() not in wanted]
        # Where the document has no list of them, each may have two names.
        exact = _is_exact(seen.operation, parameter)
        if wrong and (exact or len(there) > 2 * len(wanted)):
            return (
                f"{parameter.name} = {', '.join(sorted(wanted))} was asked for, "
                f"and an item has {there[wrong[0]]} = {wrong[0]}"
            )
    return None


def _values(seen: Seen, parameter: Parameter) -> Iterator[tuple[str, str]]:
    """What items have, and the name under which they have it."""
    for item in seen.items:
        if name := _property(parameter, item):
            yield text_of(item[name]), name


def _filters(operation: Described) -> Iterator[Parameter]:
    """Where the path says it already, the path wins."""
    in_path = {plain_name(p.plain) for p in operation.parameters if p.place == "path"}
    for parameter in (*operation.parameters, *operation.deep):
        said = parameter.place != "path" and plain_name(parameter.plain) in in_path
        called_so = parameter.name.startswith("filter[")
        is_one = called_so or _is_exact(operation, parameter)
        if is_one and not said and parameter.place not in {"header", "cookie"}:
            yield parameter


def _is_exact(operation: Described, parameter: Parameter) -> bool:
    """Whether a value has one name."""
    schema = parameter.schema
    schema = operation.followed(schema.get("items", schema))
    return (
        schema.get("type") == "boolean"
        or _has_enum(operation, schema)
        or _names_something(parameter.plain)
    )


def _has_enum(operation: Described, schema: Document) -> bool:
    alternatives = (*schema.get("oneOf", ()), *schema.get("anyOf", ()))
    nodes = [schema, *map(operation.followed, alternatives)]
    return any("enum" in node or "const" in node for node in nodes)


def _names_something(name: str) -> bool:
    """``runID``, ``task_name``; ``id`` alone may be the parent's, or the item's."""
    plain = plain_name(name)
    return plain.endswith(("id", "name")) and plain not in {"id", "name"}


def _property(parameter: Parameter, item: Document) -> str | None:
    """The item's property that the parameter is about, if it has one value."""
    name = plain_name(parameter.plain)
    fitting = {name, name.removesuffix("s"), name.removesuffix("es")}
    for key, value in item.items():
        if plain_name(key) in fitting and not isinstance(value, dict | list):
            return key
    return None
