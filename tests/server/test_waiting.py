"""Handlers that wait: what wakes them, and what sends them home."""

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
    async def story(live):
        asked = live.ask()
        await turns()
        assert not asked.done()
        live.world.apply(Advance(10 * SECOND))
        assert (await asked).json() == {"at": 10_000, "commands": 1}

    played(story, wait=waiting(NOW + 10_000))


def test_a_wait_for_an_instant_that_is_past_is_none():
    async def story(live):
        assert (await live.ask()).json()["at"] == 0

    played(story, wait=waiting(NOW))


def test_a_moving_clock_brings_the_instant_by_itself():
    async def wait(call):
        later = await call.wait_for_change(call.now + 10_000)
        return Response({"span": later.now - call.now})

    async def story(live):
        assert (await live.ask()).json()["span"] >= 10_000

    played(story, wait=wait, speed=100)


def test_a_frozen_clock_waits_until_it_goes():
    async def story(live):
        asked = live.ask()
        await asyncio.sleep(0.05)
        assert not asked.done()
        live.world.set_speed(1000)
        assert (await asked).json()["commands"] == 0

    played(story, wait=waiting(NOW + 10_000))


@pytest.mark.parametrize("speed", [1e-300, 0.001, 1])
def test_a_slow_clock_may_take_its_time(speed):
    async def story(live):
        asked = live.ask()
        await turns()
        assert not asked.done()
        live.world.set_speed(0)
        assert (await asked).status_code == 200

    played(story, wait=waiting(NOW + DAY * 365), speed=speed)


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
    async def story(live):
        asked = [live.ask(), live.ask()]
        await turns()
        assert not any(each.done() for each in asked)
        change(live.world)
        for each in asked:
            assert (await each).status_code == 200

    played(story, wait=waiting(None))


def test_a_command_that_fails_wakes_nobody():
    async def story(live):
        asked = live.ask()
        await turns()
        with pytest.raises(UnknownName):
            live.world.apply(Interrupt("small", "nobody", "e"))
        await turns()
        assert not asked.done()
        live.world.apply(Advance(0))
        await asked

    played(story, wait=waiting(None))


def test_a_change_that_came_while_the_handler_was_busy_is_not_missed():
    async def busy(call):
        await turns(10)
        return await waiting()(call)

    async def story(live):
        asked = live.ask()
        await turns(8)
        live.world.apply(Start("small"))
        assert (await asked).json()["commands"] == 1

    played(story, wait=busy)


def test_a_handler_may_wait_again_and_again():
    async def story(live):
        live.world.apply(Start("small"))
        asked = live.ask()
        for _ in range(9):
            await turns()
            live.world.apply(Advance(SECOND))
        await turns()
        assert not asked.done()
        live.world.apply(Advance(SECOND))
        assert (await asked).json() == {"at": 10_000}

    played(story, wait=until_over)


def test_what_a_waiting_handler_refuses_is_worded_as_ever():
    async def refuse(call):
        await call.wait_for_change(None)
        raise Conflict("too late")

    async def story(live):
        asked = live.ask()
        await turns()
        live.world.apply(Advance(0))
        assert (await asked).status_code == 409
        assert (await asked).json()["detail"] == "too late"

    played(story, wait=refuse)


# Who is sent home


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
def test_who_waits_is_sent_home(action, name):
    cancelled = []

    async def wait(call):
        try:
            await call.wait_for_change(None)
        except asyncio.CancelledError:
            cancelled.append(call.now)
            raise

    async def story(live):
        asked = live.ask(f"/~{name}/wait")
        await turns()
        action(live)
        answer = await asked
        assert (answer.status_code, cancelled) == (503, [NOW])
        assert answer.json()["detail"] == (
            "waiting was cancelled: the world was reset, or the server stops"
        )

    played(story, wait=wait)


def test_after_a_reset_and_an_import_one_may_wait_again():
    async def story(live):
        live.worlds.default.reset()
        restored(live)
        asked = live.ask()
        await turns()
        live.world.apply(Advance(0))
        assert (await asked).status_code == 200

    played(story, wait=waiting(None))


@pytest.mark.parametrize("name", ["default", "other", "made_too_late"])
def test_nobody_may_wait_once_the_server_stops(name):
    """A request whose body comes in slowly may get to its handler after that."""

    async def story(live):
        live.worlds.get_or_create("other")
        live.worlds.close()
        answer = await asyncio.wait_for(live.ask(f"/~{name}/wait"), 1)
        assert answer.status_code == 503

    played(story, wait=waiting(None))


def test_nobody_may_wait_for_a_world_that_was_deleted():
    async def story(live):
        hosted = live.worlds.get_or_create("other")
        live.worlds.delete("other")
        live.worlds._by_name["other"] = hosted
        assert (await asyncio.wait_for(live.ask("/~other/wait"), 1)).status_code == 503

    played(story, wait=waiting(None))


def test_a_client_that_goes_takes_its_handler_along():
    states = []

    async def wait(call):
        states.append("waits")
        try:
            await call.wait_for_change(None)
        finally:
            states.append("gone")

    async def story(live):
        _, writer = await live.connect("/wait")
        await soon(lambda: states)
        writer.close()
        await soon(live.worlds.default.journal.entries)
        assert states == ["waits", "gone"]
        (entry,) = live.worlds.default.journal.entries()
        assert entry.status is None

    played(story, socket=True, wait=wait)


def test_a_client_in_process_that_has_no_patience_takes_its_handler_along():
    gone = []

    async def wait(call):
        try:
            await call.wait_for_change(None)
        finally:
            gone.append(call)

    async def story(live):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(live.ask(), 0.05)
        await turns()
        assert gone

    played(story, wait=wait)


def test_a_server_that_stops_answers_who_waits_and_stops_at_once():
    async def story(live):
        reader, writer = await live.connect("/wait", b"Connection: close\r\n")
        await asyncio.sleep(0.1)
        live.listening.stop()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        writer.close()

    began = time.monotonic()
    played(story, socket=True, wait=waiting(None))
    assert time.monotonic() - began < 5


# A world whose clock has gone too far


def test_a_world_that_has_gone_too_far_is_refused_until_it_is_reset():
    async def story(live):
        asked = live.ask()
        await turns()
        live.world.clock.advance(40 * DAY)  # as if it had run so fast
        live.worlds.default.waiters.notify_all()
        answers = [await asked, await live.ask(), await live.ask("/_soundstage/clock")]
        for answer in answers:
            assert answer.status_code == 409
            assert "reset this world" in answer.json()["detail"]
        assert (await live.ask("/_soundstage/worlds/default/reset", data={})).is_success
        assert (await live.ask("/_soundstage/clock")).is_success

    played(story, cron="* * * * *", wait=waiting(None))
