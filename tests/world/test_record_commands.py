"""Commands that change records and define scenarios."""

from contextlib import suppress

import pytest
from small import versions, world_of

from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import (
    Advance,
    Define,
    Delete,
    Interrupt,
    Patch,
    Put,
    Reset,
    Start,
    parse_entry,
)
from soundstage.world.errors import FixtureError, IllegalTransition, UnknownName
from support.strategies import NOW

LIVE = """
lifecycle: {run.status: {begins: [new], moves: {new: [over]}}}
scenarios:
  story:
    steps:
      - {run: {status: new, n: 1}, event/one: {n: 1}, event/two: {n: 2}}
      - {after: 1s, run: {status: over, m: 2}, event/one: {m: 2}}
endings: {cancelled: [{run: {status: over, cut: true}, event/one: {cut: true}}]}
"""


def live():
    """A world half a second after the start of its only run, and that run."""
    world = world_of(LIVE)
    run = world.apply(Start("small"))
    world.apply(Advance(500))
    return world, run


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Patch, [(0, {"n": 1}), (500, {"n": 9}), (1000, {"n": 9, "m": 2})]),
        (Put, [(0, {"n": 1}), (500, {"n": 9})]),
    ],
)
def test_a_record_is_changed_from_now_on(command, expected):
    world, run = live()
    _, one, _ = run.records
    changed = world.apply(command("small", "events", one.id, {"run": run.id, "n": 9}))
    assert versions(changed) == expected
    events = world.collection("small", "events")
    assert events.get(one.id, MAX_TIMESTAMP) == changed.versions[-1]
    assert [event["id"] for event in events.children(run.id, MAX_TIMESTAMP)] == [
        record.id for record in run.records[1:]
    ]


def test_a_record_is_deleted_from_now_on():
    world, run = live()
    _, one, two = run.records
    world.apply(Delete("small", "events", one.id))
    events = world.collection("small", "events")
    assert events.get(one.id, NOW + 499) == one.versions[0]
    assert events.get(one.id, NOW + 500) is None
    assert events.all(MAX_TIMESTAMP) == events.children(run.id, MAX_TIMESTAMP) == [*two.versions]


def test_a_record_may_be_put_with_a_new_id():
    world, run = live()
    document = {"run": run.id, "n": 3}
    world.apply(Put("small", "events", "mine", document))
    events = world.collection("small", "events")
    assert events.get("mine", NOW + 499) is None
    assert events.children(run.id, MAX_TIMESTAMP)[-1] == {**document, "id": "mine"}


@pytest.mark.parametrize("command", [Patch, Put])
def test_a_record_is_listed_under_the_parent_it_names(command):
    world, run = live()
    with suppress(FixtureError):  # or else the move is refused
        world.apply(command("small", "events", run.records[1].id, {"run": "other"}))
    events = world.collection("small", "events")
    for parent in (run.id, "other"):
        listed = [event for event in events.all(MAX_TIMESTAMP) if event["run"] == parent]
        assert events.children(parent, MAX_TIMESTAMP) == listed


@pytest.mark.parametrize(
    "command",
    [
        Patch("small", "runs", "unknown", {}),
        Delete("small", "runs", "unknown"),
        Patch("small", "things", "x", {}),
        Put("small", "things", "x", {}),
    ],
)
def test_an_unknown_record_is_not_changed(command):
    world, _ = live()
    with pytest.raises(UnknownName):
        world.apply(command)
    assert len(world.log) == 2


@pytest.mark.parametrize("patch", [{"status": "lost"}, {"status": None}])
def test_a_change_that_the_lifecycle_lacks_is_refused(patch):
    world, run = live()
    for command in (Patch, Put):
        with pytest.raises(IllegalTransition):
            world.apply(command("small", "runs", run.id, patch))
    assert len(world.log) == 2
    assert world.collection("small", "runs").get_record(run.id) == run.records[0]


def test_a_change_outlives_an_interruption():
    world, run = live()
    world.apply(Patch("small", "runs", run.id, {"n": 9}))
    world.apply(Delete("small", "events", run.records[2].id))
    world.apply(Interrupt("small", run.id, "cancelled"))
    runs, events = (world.collection("small", name) for name in ("runs", "events"))
    expected = {"id": run.id, "status": "over", "n": 9, "cut": True}
    assert runs.get(run.id, MAX_TIMESTAMP) == expected
    assert [event["n"] for event in events.all(MAX_TIMESTAMP)] == [1]


def test_an_interruption_keeps_the_past_of_a_deleted_record():
    world, run = live()
    _, one, _ = run.records
    world.apply(Delete("small", "events", one.id))
    world.apply(Interrupt("small", run.id, "cancelled"))
    events = world.collection("small", "events")
    assert events.get(one.id, NOW + 499) == one.versions[0]
    assert events.get(one.id, MAX_TIMESTAMP) is None
    assert len(events.all(NOW + 499)) == 2


def test_the_fields_of_a_start_are_in_every_version():
    world = world_of(LIVE)
    run = world.apply(Start("small", fields={"n": 9, "deep": {"a": 1}}))
    extra = {"n": 9, "deep": {"a": 1}}
    assert versions(run.records[0]) == [
        (0, {"status": "new", **extra}),
        (1000, {"status": "over", **extra, "m": 2}),
    ]


def test_a_scenario_may_be_defined_and_redefined():
    world, run = live()
    for n in (1, 2):
        world.apply(Define("small", "story", {"steps": [{"run": {"status": "new", "n": n}}]}))
        again = world.apply(Start("small", None, "story"))
        assert versions(again.records[0]) == [(500, {"status": "new", "n": n})]
    assert world.collection("small", "runs").get_record(run.id) == run.records[0]
    world.apply(Reset())
    assert len(world.apply(Start("small")).records) == 3


@pytest.mark.parametrize(("after", "change"), [(0, 1000), (500, 1000), (999, 1000), (1000, None)])
def test_the_next_change_is_known(after, change):
    world = world_of(LIVE)
    world.apply(Start("small"))
    world.apply(Advance(after))
    assert world.next_change() == (change and NOW + change)


@pytest.mark.parametrize(
    "node",
    [
        {"at": 0, "command": "explode"},
        {"at": 0, "command": "start"},
        {"at": 0, "command": "start", "api": "small", "when": "now"},
    ],
)
def test_an_invalid_log_entry_is_rejected(node):
    with pytest.raises(ValueError, match="command"):
        parse_entry(node)
