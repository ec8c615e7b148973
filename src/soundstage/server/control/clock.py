"""Control of the clock: read it, set its speed, advance it."""

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.world.clock import format_rfc3339, parse_duration, parse_rfc3339
from soundstage.world.commands import Advance
from soundstage.world.world import World


def build_handlers(_worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of the clock."""
    return {
        "getClock": lambda context: _render_clock(context.world),
        "setSpeed": set_speed,
        "advanceClock": advance_clock,
    }


def set_speed(context: RequestContext) -> Response:
    """Set the speed of the clock from now on: virtual per real time, 0 freezes."""
    context.world.set_speed(context.body["speed"])
    return _render_clock(context.world)


def advance_clock(context: RequestContext) -> Response:
    """Advance the clock by a duration, to a timestamp, or to the next change."""
    try:
        context.world.apply(Advance(_get_duration(context)))
    except ValueError as error:
        raise Problem(409, str(error)) from error
    return _render_clock(context.world)


def _get_duration(context: RequestContext) -> int:
    """Return the requested duration in ms. Raises ``Problem``."""
    now = context.world.clock.now()
    match context.body:
        case {"by": str(duration)}:
            return parse_duration(duration)
        case {"to": "next"}:
            next_change = context.world.next_change()
            if next_change is None:
                raise Problem(409, "no further change is scheduled")
            return next_change - now
        case {"to": str(timestamp)}:
            return parse_rfc3339(timestamp) - now
    raise Problem(400, 'pass a duration as "by" or a timestamp as "to"')


def _render_clock(world: World) -> Response:
    next_change = world.next_change()
    return Response(
        {
            "now": format_rfc3339(world.clock.now()),
            "speed": world.clock.speed,
            "next": None if next_change is None else format_rfc3339(next_change),
        }
    )
