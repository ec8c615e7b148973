"""An order holds: items come as they were asked to be sorted."""

from itertools import pairwise

from soundstage.testing.semantics.described import Parameter
from soundstage.testing.semantics.seen import Seen, plain_name
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of

_BY = frozenset("sort sortby sortfield orderby sortkey".split())
_DIRECTION = frozenset("order sortorder sortdirection direction sortdir".split())


def order_holds(seen: Seen) -> str | None:
    """Two items in the wrong order.

    Numbers and moments are judged; texts are not, whose order is a matter of language.
    Where no direction was said, and the document has no default, either will do.
    """
    by = _said(seen, _BY)
    if not seen.ok or not by:
        return None
    name = by.removeprefix("-")
    keys = [_key(item, name) for item in seen.items]
    if None in keys or len({type(key) for key in keys}) != 1:
        return None
    direction = "desc" if by[0] == "-" else (_said(seen, _DIRECTION) or "").lower()
    rising = all(one <= other for one, other in pairwise(keys))
    falling = all(one >= other for one, other in pairwise(keys))
    if rising if direction.startswith("asc") else falling:
        return None
    if not direction.startswith(("asc", "desc")) and rising:
        return None
    return f"the items are not sorted by {name} {direction}".rstrip()


def _said(seen: Seen, names: frozenset[str]) -> str | None:
    """The value of the parameter that has one of these names, or its default."""
    for parameter in seen.operation.parameters:
        if plain_name(parameter.plain) in names:
            values = seen.values(parameter)
            return values[-1] if values else _default(parameter)
    return None


def _default(parameter: Parameter) -> str | None:
    default = parameter.schema.get("default")
    return default if isinstance(default, str) else None


def _key(item: Document, name: str) -> Json:
    """What an item is sorted by; ``None`` if that cannot be told."""
    value = next(
        (v for k, v in item.items() if plain_name(k) == plain_name(name)), None
    )
    if isinstance(value, str):
        try:
            return instant_of(value)
        except ValueError:
            return None
    return value if isinstance(value, int | float) else None
