"""The clock: read it, set its speed, turn it forward."""

from soundstage.apis.api import Answer, Call, Handler
from soundstage.server.problems import Problem
from soundstage.server.worlds import Worlds
from soundstage.world.clock import instant_of, rfc3339, span_of
from soundstage.world.log import Advance
from soundstage.world.world import World


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the clock of the world that is addressed."""
    return {
        "getClock": lambda call: _clock(call.world),
        "setSpeed": set_speed,
        "advanceClock": advance,
    }


def set_speed(call: Call) -> Answer:
    """Let time go by at this speed from now on."""
    call.world.run_at(call.body["speed"])
    return _clock(call.world)


def advance(call: Call) -> Answer:
    """Turn the clock forward by a span, to an instant, or to the next change."""
    try:
        call.world.apply(Advance(_span(call)))
    except ValueError as error:
        raise Problem(409, str(error)) from error
    return _clock(call.world)


def _span(call: Call) -> int:
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


def _clock(world: World) -> Answer:
    upcoming = world.next_change()
    return Answer(
        {
            "now": rfc3339(world.clock.now()),
            "speed": world.clock.speed,
            "next": None if upcoming is None else rfc3339(upcoming),
        }
    )
