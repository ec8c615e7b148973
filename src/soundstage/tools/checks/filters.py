"""A filter applies: no item is there that was not asked for."""

from collections.abc import Iterator

from soundstage.tools.checks.context import (
    CheckContext,
    format_query_value,
    normalize_name,
)
from soundstage.tools.checks.operation_spec import OperationSpec, Parameter
from soundstage.types import Document


def filters_apply(context: CheckContext) -> str | None:
    """An item that does not have what a parameter asked for.

    A parameter is a filter where items have a property of its name (in another
    spelling, or the plural of it) and its values are an enum, booleans or identifiers;
    or if it is called ``filter[…]``.
    """
    if not context.is_success or not context.items:
        return None
    for parameter in _iter_filters(context.operation):
        wanted = {text.casefold() for text in context.get_values(parameter)}
        # What an empty text means is for the API to say.
        if not wanted or "" in wanted:
            continue
        there = dict(_iter_item_values(context, parameter))
        wrong = [text for text in there if text.casefold() not in wanted]
        # Where the document has no list of them, each may have two names.
        exact = _has_fixed_values(context.operation, parameter)
        if wrong and (exact or len(there) > 2 * len(wanted)):
            return (
                f"{parameter.name} = {', '.join(sorted(wanted))} was asked for, "
                f"and an item has {there[wrong[0]]} = {wrong[0]}"
            )
    return None


def _iter_item_values(
    context: CheckContext, parameter: Parameter
) -> Iterator[tuple[str, str]]:
    """What items have, and the name under which they have it."""
    for item in context.items:
        if name := _find_property(parameter, item):
            yield format_query_value(item[name]), name


def _iter_filters(operation: OperationSpec) -> Iterator[Parameter]:
    """Where the path says it already, the path wins."""
    in_path = {
        normalize_name(p.property_name)
        for p in operation.parameters
        if p.location == "path"
    }
    for parameter in (*operation.parameters, *operation.deep_object_parameters):
        said = (
            parameter.location != "path"
            and normalize_name(parameter.property_name) in in_path
        )
        called_so = parameter.name.startswith("filter[")
        is_one = called_so or _has_fixed_values(operation, parameter)
        if is_one and not said and parameter.location not in {"header", "cookie"}:
            yield parameter


def _has_fixed_values(operation: OperationSpec, parameter: Parameter) -> bool:
    """Whether a value has one name."""
    schema = parameter.schema
    schema = operation.resolve(schema.get("items", schema))
    return (
        schema.get("type") == "boolean"
        or _has_enum(operation, schema)
        or _is_identifier_name(parameter.property_name)
    )


def _has_enum(operation: OperationSpec, schema: Document) -> bool:
    alternatives = (*schema.get("oneOf", ()), *schema.get("anyOf", ()))
    nodes = [schema, *map(operation.resolve, alternatives)]
    return any("enum" in node or "const" in node for node in nodes)


def _is_identifier_name(name: str) -> bool:
    """``runID``, ``task_name``; ``id`` alone may be the parent's, or the item's."""
    plain = normalize_name(name)
    return plain.endswith(("id", "name")) and plain not in {"id", "name"}


def _find_property(parameter: Parameter, item: Document) -> str | None:
    """The item's property that the parameter is about, if it has one value."""
    name = normalize_name(parameter.property_name)
    fitting = {name, name.removesuffix("s"), name.removesuffix("es")}
    for key, value in item.items():
        if normalize_name(key) in fitting and not isinstance(value, dict | list):
            return key
    return None
