"""Pages tile a list: no item stands on two of them, and none between them."""

import json
from collections.abc import Iterable

from soundstage.tools.checks.context import CheckContext, normalize_name
from soundstage.tools.checks.operation_spec import Parameter
from soundstage.types import Document

_PAGE_NAMES = frozenset("page pagenumber".split())
_OFFSET_NAMES = frozenset("offset skip".split())
_SIZE_NAMES = frozenset("itemsperpage limit pagesize perpage size pagelimit".split())
_TOTAL_NAMES = frozenset("nbitems total totalcount totalitems".split())


def pages_tile(context: CheckContext) -> str | None:
    """More items than were asked for, an item on two pages, or one that is on none."""
    size = _find_parameter(context, _SIZE_NAMES)
    place = _find_parameter(context, _PAGE_NAMES | _OFFSET_NAMES)
    if not context.is_success or size is None or place is None or not context.items:
        return None
    most = _get_number(context, size)
    if most is None:
        return None
    if len(context.items) > most:
        return f"{size.name} is {most}, and there are {len(context.items)} items"
    return _check_next_page(context, place, most) or _check_double_page(
        context, place, size, most
    )


def _check_next_page(
    context: CheckContext, position: Parameter, page_size: int
) -> str | None:
    here = _get_number(context, position)
    here = _get_first_position(position) if here is None else here
    step = page_size if normalize_name(position.property_name) in _OFFSET_NAMES else 1
    follows = context.repeat_with(position, here + step)
    if not follows.is_success:
        return None
    known = _serialize_items(context.items)
    twice = [text for text in _serialize_items(follows.items) if text in known]
    if twice and len({*known}) == len(known):
        return f"an item is on this page and on the next one: {twice[0][:200]}"
    before, after = (
        _find_total(context.response_json),
        _find_total(follows.response_json),
    )
    if None not in {before, after} and before != after:
        return f"there are {before} items, and on the next page there are {after}"
    if len(context.items) < page_size and follows.items:
        return "this page is not full, and there is another one after it"
    return None


def _check_double_page(
    context: CheckContext,
    position: Parameter,
    size_parameter: Parameter,
    page_size: int,
) -> str | None:
    """Held against a page of twice the size, where that begins at the same item."""
    here = _get_number(context, position)
    by_offset = normalize_name(position.property_name) in _OFFSET_NAMES
    first = here is None or here == _get_first_position(position)
    if 2 * page_size > size_parameter.schema.get("maximum", 2 * page_size) or not (
        by_offset or first
    ):
        return None
    begin = _get_first_position(position) if here is None else here
    follows = context.repeat_with(position, begin + (page_size if by_offset else 1))
    both = context.repeat_with(size_parameter, 2 * page_size)
    if not (follows.is_success and both.is_success):
        return None
    if _serialize_items(both.items) != _serialize_items(
        context.items
    ) + _serialize_items(follows.items):
        return f"two pages of {page_size} items are not one page of {2 * page_size}"
    return None


def _find_parameter(context: CheckContext, names: frozenset[str]) -> Parameter | None:
    fitting = (
        p
        for p in context.operation.parameters
        if normalize_name(p.property_name) in names
    )
    return next(fitting, None)


def _get_number(context: CheckContext, parameter: Parameter) -> int | None:
    sent = context.get_values(parameter)
    text = sent[-1] if sent else str(parameter.schema.get("default", ""))
    return int(text) if text.isdecimal() else None


def _get_first_position(position: Parameter) -> int:
    if normalize_name(position.property_name) in _OFFSET_NAMES:
        return 0
    first = position.schema.get("default", position.schema.get("minimum"))
    return first if isinstance(first, int) else 1


def _serialize_items(items: Iterable[Document]) -> list[str]:
    return [json.dumps(item, sort_keys=True) for item in items]


def _find_total(body: object) -> int | None:
    """How many items the answer says there are, itself or one level below."""
    nodes = [body, *body.values()] if isinstance(body, dict) else []
    for node in nodes:
        for name, value in node.items() if isinstance(node, dict) else ():
            if normalize_name(name) in _TOTAL_NAMES and isinstance(value, int):
                return value
    return None
