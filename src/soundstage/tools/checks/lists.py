"""Checks of list operations: filters, sort order and pages."""

import json
from collections.abc import Iterable, Iterator
from itertools import pairwise

from soundstage.tools.checks.context import CheckContext, format_query_value
from soundstage.tools.checks.operation_spec import OperationSpec, Parameter, normalize_name
from soundstage.types import Json, JsonObject
from soundstage.world.clock import parse_rfc3339

_SORT_NAMES = frozenset("sort sortby sortfield orderby sortkey".split())
_DIRECTION_NAMES = frozenset("order sortorder sortdirection direction sortdir".split())
_PAGE_NAMES = frozenset("page pagenumber".split())
_OFFSET_NAMES = frozenset("offset skip".split())
_SIZE_NAMES = frozenset("itemsperpage limit pagesize perpage size pagelimit".split())
_TOTAL_NAMES = frozenset("nbitems total totalcount totalitems".split())


def check_filters(context: CheckContext) -> str | None:
    """Check that every item has the value that a filter parameter requests.

    A parameter is a filter if items have a property of its name (in another spelling,
    or its plural) and its values are an enum, booleans or identifiers; or if its name
    is ``filter[…]``.
    """
    if not context.is_success or not context.items:
        return None
    for parameter in _iter_filters(context.operation):
        requested = {text.casefold() for text in context.get_values(parameter)}
        # The meaning of an empty value depends on the API.
        if not requested or "" in requested:
            continue
        actual = dict(_iter_item_values(context, parameter))
        wrong = [text for text in actual if text.casefold() not in requested]
        # Without an enum in the document, each value may have a second name.
        is_exact = _has_fixed_values(context.operation, parameter)
        if wrong and (is_exact or len(actual) > 2 * len(requested)):
            values = ", ".join(sorted(requested))
            item = f"{actual[wrong[0]]} = {wrong[0]}"
            return f"{parameter.name} = {values} was requested, but an item has {item}"
    return None


def _iter_item_values(context: CheckContext, parameter: Parameter) -> Iterator[tuple[str, str]]:
    """Yield the filtered values of the items, each with its property name."""
    for item in context.items:
        if name := _find_property(parameter, item):
            yield format_query_value(item[name]), name


def _iter_filters(operation: OperationSpec) -> Iterator[Parameter]:
    path_names = {p.normalized_name for p in operation.parameters if p.location == "path"}
    for parameter in (*operation.parameters, *operation.deep_object_parameters):
        if parameter.location in {"header", "cookie"}:
            continue
        # A path parameter of the same name takes precedence.
        if parameter.location != "path" and parameter.normalized_name in path_names:
            continue
        has_filter_name = parameter.name.startswith("filter[")
        if has_filter_name or _has_fixed_values(operation, parameter):
            yield parameter


def _has_fixed_values(operation: OperationSpec, parameter: Parameter) -> bool:
    """Whether a value of the parameter is written in only one way."""
    schema = parameter.schema
    schema = operation.resolve(schema.get("items", schema))
    return (
        schema.get("type") == "boolean"
        or _has_enum(operation, schema)
        or _is_identifier_name(parameter.normalized_name)
    )


def _has_enum(operation: OperationSpec, schema: JsonObject) -> bool:
    alternatives = (*schema.get("oneOf", ()), *schema.get("anyOf", ()))
    nodes = [schema, *map(operation.resolve, alternatives)]
    return any("enum" in node or "const" in node for node in nodes)


def _is_identifier_name(name: str) -> bool:
    # ``id`` alone is ambiguous: it can belong to the parent or to the item.
    return name.endswith(("id", "name")) and name not in {"id", "name"}


def _find_property(parameter: Parameter, item: JsonObject) -> str | None:
    """Find the scalar property of an item that a parameter filters by."""
    name = parameter.normalized_name
    names = {name, name.removesuffix("s"), name.removesuffix("es")}
    for key, value in item.items():
        if normalize_name(key) in names and not isinstance(value, dict | list):
            return key
    return None


def check_order(context: CheckContext) -> str | None:
    """Check that items are sorted as requested.

    Only numbers and timestamps are compared: the order of text depends on a locale.
    Without a direction, in the request or as a default, both directions pass.
    """
    sort = _find_value(context, _SORT_NAMES)
    if not context.is_success or not sort:
        return None
    name = sort.removeprefix("-")
    keys = [_parse_sort_key(item, name) for item in context.items]
    if None in keys or len({type(key) for key in keys}) != 1:
        return None
    direction = (_find_value(context, _DIRECTION_NAMES) or "").lower()
    if sort.startswith("-"):
        direction = "desc"
    is_ascending = all(one <= other for one, other in pairwise(keys))
    is_descending = all(one >= other for one, other in pairwise(keys))
    if is_ascending if direction.startswith("asc") else is_descending:
        return None
    if not direction.startswith(("asc", "desc")) and is_ascending:
        return None
    return f"the items are not sorted by {name} {direction}".rstrip()


def _find_value(context: CheckContext, names: frozenset[str]) -> str | None:
    """Return the value of the parameter with one of these names, or its default."""
    parameter = _find_parameter(context, names)
    if parameter is None:
        return None
    if values := context.get_values(parameter):
        return values[-1]
    default = parameter.schema.get("default")
    return default if isinstance(default, str) else None


def _parse_sort_key(item: JsonObject, name: str) -> Json:
    """Return a number, or a timestamp (ms since the epoch); ``None`` for the rest."""
    name = normalize_name(name)
    value = next((v for k, v in item.items() if normalize_name(k) == name), None)
    if isinstance(value, str):
        try:
            return parse_rfc3339(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) else None


def check_pages(context: CheckContext) -> str | None:
    """Check that pages neither overlap nor skip items, and respect the page size."""
    size = _find_parameter(context, _SIZE_NAMES)
    position = _find_parameter(context, _PAGE_NAMES | _OFFSET_NAMES)
    if not context.is_success or size is None or position is None:
        return None
    page_size = _get_number(context, size)
    if page_size is None or not context.items:
        return None
    if len(context.items) > page_size:
        count = len(context.items)
        return f"{size.name} is {page_size}, but the page has {count} items"
    return _check_next_page(context, position, page_size) or _check_double_page(
        context, position, size, page_size
    )


def _check_next_page(context: CheckContext, position: Parameter, page_size: int) -> str | None:
    following = _get_next_page(context, position, page_size)
    if not following.is_success:
        return None
    items = _serialize_items(context.items)
    repeated = [text for text in _serialize_items(following.items) if text in items]
    # Lists with equal items have no identity to compare by.
    if repeated and len({*items}) == len(items):
        return f"an item is on this page and on the next one: {repeated[0][:200]}"
    total, next_total = map(_find_total, (context.response_json, following.response_json))
    if None not in {total, next_total} and total != next_total:
        return f"the total is {total}, but on the next page it is {next_total}"
    if len(context.items) < page_size and following.items:
        return "this page is not full, but another one follows"
    return None


def _check_double_page(
    context: CheckContext, position: Parameter, size_parameter: Parameter, page_size: int
) -> str | None:
    """Compare two pages with one page of twice the size, if both start equally."""
    number = _get_number(context, position)
    is_first = number is None or number == _get_first_position(position)
    # By page number, a double page starts elsewhere, except for the first.
    if not (_is_offset(position) or is_first):
        return None
    if 2 * page_size > size_parameter.schema.get("maximum", 2 * page_size):
        return None
    following = _get_next_page(context, position, page_size)
    double = context.repeat_with(size_parameter, 2 * page_size)
    if not (following.is_success and double.is_success):
        return None
    items = _serialize_items([*context.items, *following.items])
    if _serialize_items(double.items) != items:
        return f"two pages of {page_size} items differ from one of {2 * page_size}"
    return None


def _get_next_page(context: CheckContext, position: Parameter, page_size: int) -> CheckContext:
    number = _get_number(context, position)
    if number is None:
        number = _get_first_position(position)
    step = page_size if _is_offset(position) else 1
    return context.repeat_with(position, number + step)


def _find_parameter(context: CheckContext, names: frozenset[str]) -> Parameter | None:
    parameters = context.operation.parameters
    return next((p for p in parameters if p.normalized_name in names), None)


def _get_number(context: CheckContext, parameter: Parameter) -> int | None:
    values = context.get_values(parameter)
    text = values[-1] if values else str(parameter.schema.get("default", ""))
    return int(text) if text.isdecimal() else None


def _is_offset(position: Parameter) -> bool:
    return position.normalized_name in _OFFSET_NAMES


def _get_first_position(position: Parameter) -> int:
    if _is_offset(position):
        return 0
    first = position.schema.get("default", position.schema.get("minimum"))
    return first if isinstance(first, int) else 1


def _serialize_items(items: Iterable[JsonObject]) -> list[str]:
    return [json.dumps(item, sort_keys=True) for item in items]


def _find_total(body: object) -> int | None:
    """Find the total of a response, at the top level or one level below."""
    nodes = [body, *body.values()] if isinstance(body, dict) else []
    for node in nodes:
        for name, value in node.items() if isinstance(node, dict) else ():
            if normalize_name(name) in _TOTAL_NAMES and isinstance(value, int):
                return value
    return None
