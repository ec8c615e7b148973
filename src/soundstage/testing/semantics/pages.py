"""Pages tile a list: no item stands on two of them, and none between them."""

import json
from collections.abc import Iterable

from soundstage.testing.semantics.described import Parameter
from soundstage.testing.semantics.seen import Seen, plain_name
from soundstage.types import Document

_PAGE = frozenset("page pagenumber".split())
_OFFSET = frozenset("offset skip".split())
_SIZE = frozenset("itemsperpage limit pagesize perpage size pagelimit".split())
_TOTAL = frozenset("nbitems total totalcount totalitems".split())


def pages_tile(seen: Seen) -> str | None:
    """More items than were asked for, an item on two pages, or one that is on none."""
    size = _named(seen, _SIZE)
    place = _named(seen, _PAGE | _OFFSET)
    if not seen.ok or size is None or place is None or not seen.items:
        return None
    most = _number(seen, size)
    if most is None:
        return None
    if len(seen.items) > most:
        return f"{size.name} is {most}, and there are {len(seen.items)} items"
    return _next_page(seen, place, most) or _both_at_once(seen, place, size, most)


def _next_page(seen: Seen, place: Parameter, most: int) -> str | None:
    here = _number(seen, place)
    here = _first(place) if here is None else here
    step = most if plain_name(place.plain) in _OFFSET else 1
    follows = seen.asked_with(place, here + step)
    if not follows.ok:
        return None
    known = _texts(seen.items)
    twice = [text for text in _texts(follows.items) if text in known]
    if twice and len({*known}) == len(known):
        return f"an item is on this page and on the next one: {twice[0][:200]}"
    before, after = _total(seen.got), _total(follows.got)
    if None not in {before, after} and before != after:
        return f"there are {before} items, and on the next page there are {after}"
    if len(seen.items) < most and follows.items:
        return "this page is not full, and there is another one after it"
    return None


def _both_at_once(
    seen: Seen, place: Parameter, size: Parameter, most: int
) -> str | None:
    """Held against a page of twice the size, where that begins at the same item."""
    here = _number(seen, place)
    by_offset = plain_name(place.plain) in _OFFSET
    first = here is None or here == _first(place)
    if 2 * most > size.schema.get("maximum", 2 * most) or not (by_offset or first):
        return None
    begin = _first(place) if here is None else here
    follows = seen.asked_with(place, begin + (most if by_offset else 1))
    both = seen.asked_with(size, 2 * most)
    if not (follows.ok and both.ok):
        return None
    if _texts(both.items) != _texts(seen.items) + _texts(follows.items):
        return f"two pages of {most} items are not one page of {2 * most}"
    return None


def _named(seen: Seen, names: frozenset[str]) -> Parameter | None:
    fitting = (p for p in seen.operation.parameters if plain_name(p.plain) in names)
    return next(fitting, None)


def _number(seen: Seen, parameter: Parameter) -> int | None:
    sent = seen.values(parameter)
    text = sent[-1] if sent else str(parameter.schema.get("default", ""))
    return int(text) if text.isdecimal() else None


def _first(place: Parameter) -> int:
    if plain_name(place.plain) in _OFFSET:
        return 0
    first = place.schema.get("default", place.schema.get("minimum"))
    return first if isinstance(first, int) else 1


def _texts(items: Iterable[Document]) -> list[str]:
    return [json.dumps(item, sort_keys=True) for item in items]


def _total(body: object) -> int | None:
    """How many items the answer says there are, itself or one level below."""
    nodes = [body, *body.values()] if isinstance(body, dict) else []
    for node in nodes:
        for name, value in node.items() if isinstance(node, dict) else ():
            if plain_name(name) in _TOTAL and isinstance(value, int):
                return value
    return None
