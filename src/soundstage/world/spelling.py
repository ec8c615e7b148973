"""Values as a fixture has to write them, so that they stand for themselves."""

from soundstage.types import Json
from soundstage.world.clock import UNITS
from soundstage.world.value import REAL, WHOLE, form_of


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
