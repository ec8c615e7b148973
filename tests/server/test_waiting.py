"""Handlers that wait: what wakes them, and what cancels them."""

import asyncio
import time

import pytest
from live import played, soon, turns

from soundstage.apis.api import Conflict, Response
from soundstage.world.clock import DAY, SECOND
from soundstage.world.commands import Advance, Interrupt, Plan, Reset, Start
from soundstage.world.errors import UnknownName
from support.strategies import NOW


def waiting(at=None):
    """A handler that waits once."""

    async def wait(call):
        later = await call.wait_for_change(at)
        return Response({"at": later.now - NOW, "commands": len(later.world.log)})

    return wait


async def until_over(call):
    """A handler that waits until the newest run is over."""
    run = list(call.world.state("small").runs.values())[-1].records[0]
    while run.as_of(call.now)["n"] < 2:
        call = await call.wait_for_change(run.next_change(call.now))
    return Response({"at": call.now - NOW})


def test_a_wait_ends_at_its_instant():
    async def steps(live):
        pending = live.ask()
        await turns()
        assert not pending.done()
        live.world.apply(Advance(10 * SECOND))
        assert (await pending).json() == {"at": 10_000, "commands": 1}

    played(steps, wait=waiting(NOW + 10_000))


def test_a_wait_for_an_instant_that_is_past_is_none():
    async def steps(live):
        assert (await live.ask()).json()["at"] == 0

    played(steps, wait=waiting(NOW))


def test_a_moving_clock_brings_the_instant_by_itself():
    async def wait(call):
        later = await call.wait_for_change(call.now + 10_000)
        return Response({"span": later.now - call.now})

    async def steps(live):
        assert (await live.ask()).json()["span"] >= 10_000

    played(steps, wait=wait, speed=100)


def test_a_frozen_clock_waits_until_it_goes():
    async def steps(live):
        pending = live.ask()
        await asyncio.sleep(0.05)
        assert not pending.done()
        live.world.set_speed(1000)
        assert (await pending).json()["commands"] == 0

    played(steps, wait=waiting(NOW + 10_000))


@pytest.mark.parametrize("speed", [1e-300, 0.001, 1])
def test_a_slow_clock_may_take_its_time(speed):
    async def steps(live):
        pending = live.ask()
        await turns()
        assert not pending.done()
        live.world.set_speed(0)
        assert (await pending).status_code == 200

    played(steps, wait=waiting(NOW + DAY * 365), speed=speed)


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.apply(Start("small")),
        lambda world: world.apply(Advance(0)),
        lambda world: world.apply(Plan("small", "story")),
        lambda world: world.set_speed(0),
        lambda world: world.set_speed(1e-9),
        lambda world: world.apply(Reset()),
    ],
    ids=["start", "advance", "plan", "same speed", "speed", "reset"],
)
def test_any_change_ends_a_wait(change):
    async def steps(live):
        pending = [live.ask(), live.ask()]
        await turns()
        assert not any(each.done() for each in pending)
        change(live.world)
        for each in pending:
            assert (await each).status_code == 200

    played(steps, wait=waiting(None))


def test_a_command_that_fails_wakes_no_waiter():
    async def steps(live):
        pending = live.ask()
        await turns()
        with pytest.raises(UnknownName):
            live.world.apply(Interrupt("small", "nobody", "e"))
        await turns()
        assert not pending.done()
        live.world.apply(Advance(0))
        await pending

    played(steps, wait=waiting(None))


def test_a_change_that_came_while_the_handler_was_busy_is_not_missed():
    async def busy(call):
        await turns(10)
        return await waiting()(call)

    async def steps(live):
        pending = live.ask()
        await turns(8)
        live.world.apply(Start("small"))
        assert (await pending).json()["commands"] == 1

    played(steps, wait=busy)


def test_a_handler_may_wait_again_and_again():
    async def steps(live):
        live.world.apply(Start("small"))
        pending = live.ask()
        for _ in range(9):
            await turns()
            live.world.apply(Advance(SECOND))
        await turns()
        assert not pending.done()
        live.world.apply(Advance(SECOND))
        assert (await pending).json() == {"at": 10_000}

    played(steps, wait=until_over)


def test_an_error_of_a_waiting_handler_is_rendered_as_usual():
    async def refuse(call):
        await call.wait_for_change(None)
        raise Conflict("too late")

    async def steps(live):
        pending = live.ask()
        await turns()
        live.world.apply(Advance(0))
        assert (await pending).status_code == 409
        assert (await pending).json()["detail"] == "too late"

    played(steps, wait=refuse)


# Cancellation


def restored(live):
    live.worlds.import_world(live.worlds.default, live.world.to_json())


def deleted(live):
    live.worlds.delete("other")


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (lambda live: live.worlds.default.reset(), "default"),
        (restored, "default"),
        (deleted, "other"),
        (lambda live: live.worlds.close(), "default"),
        (lambda live: live.worlds.close(), "other"),
    ],
    ids=["reset", "import", "delete", "stop", "stop of another"],
)
def test_waiters_are_cancelled(action, name):
    cancelled = []

    async def wait(call):
        try:
            await call.wait_for_change(None)
        except asyncio.CancelledError:
            cancelled.append(call.now)
            raise

    async def steps(live):
        pending = live.ask(f"/~{name}/wait")
        await turns()
        action(live)
        response = await pending
        assert (response.status_code, cancelled) == (503, [NOW])
        assert response.json()["detail"] == (
            "waiting was cancelled: the world was reset, or the server stops"
        )

    played(steps, wait=wait)


def test_after_a_reset_and_an_import_one_may_wait_again():
    async def steps(live):
        live.worlds.default.reset()
        restored(live)
        pending = live.ask()
        await turns()
        live.world.apply(Advance(0))
        assert (await pending).status_code == 200

    played(steps, wait=waiting(None))


@pytest.mark.parametrize("name", ["default", "other", "made_too_late"])
def test_new_waiters_are_rejected_once_the_server_stops(name):
    """A request whose body comes in slowly may get to its handler after that."""

    async def steps(live):
        live.worlds.get_or_create("other")
        live.worlds.close()
        response = await asyncio.wait_for(live.ask(f"/~{name}/wait"), 1)
        assert response.status_code == 503

    played(steps, wait=waiting(None))


def test_a_deleted_world_rejects_waiters():
    async def steps(live):
        hosted = live.worlds.get_or_create("other")
        live.worlds.delete("other")
        live.worlds._by_name["other"] = hosted
        assert (await asyncio.wait_for(live.ask("/~other/wait"), 1)).status_code == 503

    played(steps, wait=waiting(None))


def test_a_disconnect_cancels_the_handler():
    states = []

    async def wait(call):
        states.append("waits")
        try:
            await call.wait_for_change(None)
        finally:
            states.append("gone")

    async def steps(live):
        _, writer = await live.connect("/wait")
        await soon(lambda: states)
        writer.close()
        await soon(live.worlds.default.journal.entries)
        assert states == ["waits", "gone"]
        (entry,) = live.worlds.default.journal.entries()
        assert entry.status is None

    played(steps, socket=True, wait=wait)


def test_a_timeout_in_process_cancels_the_handler():
    gone = []

    async def wait(call):
        try:
            await call.wait_for_change(None)
        finally:
            gone.append(call)

    async def steps(live):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(live.ask(), 0.05)
        await turns()
        assert gone

    played(steps, wait=wait)


def test_a_server_that_stops_responds_to_waiting_requests_at_once():
    async def steps(live):
        reader, writer = await live.connect("/wait", b"Connection: close\r\n")
        await asyncio.sleep(0.1)
        live.listening.stop()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()

    started = time.monotonic()
    played(steps, socket=True, wait=waiting(None))
    assert time.monotonic() - started < 5


# A world whose clock has gone too far


def test_a_world_whose_clock_has_gone_too_far_is_rejected_until_it_is_reset():
    async def steps(live):
        pending = live.ask()
        await turns()
        live.world.clock.advance(40 * DAY)  # as if it had run so fast
        live.worlds.default.waiters.notify_all()
        responses = [await pending, await live.ask(), await live.ask("/_soundstage/clock")]
        for response in responses:
            assert response.status_code == 409
            assert "reset this world" in response.json()["detail"]
        assert (await live.ask("/_soundstage/worlds/default/reset", data={})).is_success
        assert (await live.ask("/_soundstage/clock")).is_success

    played(steps, cron="* * * * *", wait=waiting(None))
