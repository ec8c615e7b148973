"""An order holds: items come as they were asked to be sorted."""

from itertools import pairwise

from soundstage.tools.checks.context import CheckContext, normalize_name
from soundstage.tools.checks.operation_spec import Parameter
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of

_SORT_NAMES = frozenset("sort sortby sortfield orderby sortkey".split())
_DIRECTION_NAMES = frozenset("order sortorder sortdirection direction sortdir".split())


def order_holds(context: CheckContext) -> str | None:
    """Two items in the wrong order.

    Numbers and moments are judged; texts are not, whose order is a matter of language.
    Where no direction was said, and the document has no default, either will do.
    """
    by = _find_value(context, _SORT_NAMES)
    if not context.is_success or not by:
        return None
    name = by.removeprefix("-")
    keys = [_parse_sort_key(item, name) for item in context.items]
    if None in keys or len({type(key) for key in keys}) != 1:
        return None
    direction = (
        "desc"
        if by[0] == "-"
        else (_find_value(context, _DIRECTION_NAMES) or "").lower()
    )
    rising = all(one <= other for one, other in pairwise(keys))
    falling = all(one >= other for one, other in pairwise(keys))
    if rising if direction.startswith("asc") else falling:
        return None
    if not direction.startswith(("asc", "desc")) and rising:
        return None
    return f"the items are not sorted by {name} {direction}".rstrip()


def _find_value(context: CheckContext, names: frozenset[str]) -> str | None:
    """The value of the parameter that has one of these names, or its default."""
    for parameter in context.operation.parameters:
        if normalize_name(parameter.property_name) in names:
            values = context.get_values(parameter)
            return values[-1] if values else _get_default(parameter)
    return None


def _get_default(parameter: Parameter) -> str | None:
    default = parameter.schema.get("default")
    return default if isinstance(default, str) else None


def _parse_sort_key(item: Document, name: str) -> Json:
    """What an item is sorted by; ``None`` if that cannot be told."""
    value = next(
        (v for k, v in item.items() if normalize_name(k) == normalize_name(name)), None
    )
    if isinstance(value, str):
        try:
            return instant_of(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) else None
