"""The clock: read it, set its speed, turn it forward."""

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.world.clock import instant_of, rfc3339, span_of
from soundstage.world.commands import Advance
from soundstage.world.world import World


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the clock of the world that is addressed."""
    return {
        "getClock": lambda call: _render_clock(call.world),
        "setSpeed": set_speed,
        "advanceClock": advance_clock,
    }


def set_speed(call: RequestContext) -> Response:
    """Let time go by at this speed from now on."""
    call.world.run_at(call.body["speed"])
    return _render_clock(call.world)


def advance_clock(call: RequestContext) -> Response:
    """Turn the clock forward by a span, to an instant, or to the next change."""
    try:
        call.world.apply(Advance(_get_duration(call)))
    except ValueError as error:
        raise Problem(409, str(error)) from error
    return _render_clock(call.world)


def _get_duration(call: RequestContext) -> int:
    now = call.world.clock.now()
    match call.body:
        case {"by": str(span)}:
            return span_of(span)
        case {"to": "next"}:
            upcoming = call.world.next_change()
            if upcoming is None:
                raise Problem(409, "nothing changes by itself any more")
            return upcoming - now
        case {"to": str(instant)}:
            return instant_of(instant) - now
    raise Problem(400, 'say "by" a span or "to" an instant')


def _render_clock(world: World) -> Response:
    upcoming = world.next_change()
    return Response(
        {
            "now": rfc3339(world.clock.now()),
            "speed": world.clock.speed,
            "next": None if upcoming is None else rfc3339(upcoming),
        }
    )
