"""Deadlines: they end a run that stays too long in a state."""

import pytest
from small import fixture_of, generate_from, interrupt_after, own_versions, world_of

from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import Advance, Interrupt, Patch, Start
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.values import to_duration
from support.strategies import NOW

TEXT = """
lifecycle:
  run.status:
    begins: [queued]
    moves: {queued: [live, over], live: [queued, over]}
scenarios:
  story:
    steps:
      - run: {status: queued}
        event: {n: 1}
      - after: 10s
        run: {status: live}
        event: {n: 2}
      - after: 20s
        run: {status: over}
        event: {n: 3}
  retried:
    steps:
      - play: waits
      - after: 5s
        run: {status: live}
      - after: 5s
        run: {status: queued}
      - after: 1h
        run: {status: over}
  waits: {steps: [{run: {status: queued}}]}
  parent:
    steps:
      - run: {status: queued}
      - after: 2s
        start: {scenario: story}
      - after: 2s
        start: {scenario: story}
      - after: 1h
        run: {status: over}
endings:
  expired: {of: [queued], steps: [{run: {status: over, by: expired}}]}
  stopped: {of: [live], steps: [{run: {status: over, by: stopped}}]}
  failed: [{run: {status: over, by: failed}}]
  requeued: [{run: {status: queued, requeued: $at}}, {after: 20s, run: {status: over}}]
  warned:
    of: [queued]
    steps: [{run: {warned: $at}}, {after: 1h, run: {status: over}}]
"""


def started(deadlines, scenario="story"):
    world = world_of(TEXT)
    return world, world.apply(Start("small", None, scenario, deadlines=deadlines))


def last(run):
    at, document = own_versions(run)[-1]
    return at, document.get("by")


@pytest.mark.parametrize(
    ("deadlines", "end"),
    [
        ({}, (30_000, None)),
        ({"expired": 0}, (0, "expired")),
        ({"expired": 9_999}, (9_999, "expired")),
        ({"expired": 10_000}, (30_000, None)),
        ({"stopped": 19_999}, (29_999, "stopped")),
        ({"stopped": 20_000}, (30_000, None)),
        ({"failed": 12_000}, (12_000, "failed")),
        ({"expired": 12_000, "failed": 20_000}, (20_000, "failed")),
        ({"failed": 20_000, "stopped": 5_000}, (15_000, "stopped")),
        ({"failed": 5_000, "expired": 5_000}, (5_000, "failed")),
        ({"expired": 5_000, "failed": 5_000}, (5_000, "expired")),
        ({"failed": MAX_TIMESTAMP}, (30_000, None)),
    ],
)  # fmt: skip
def test_a_run_is_ended_when_it_has_been_too_long_in_a_state(deadlines, end):
    _, run = started(deadlines)
    assert last(run) == end
    assert run.records[0].timestamps[-1] == run.records[-1].timestamps[-1] or end[1]
    assert all(record.created_at <= NOW + end[0] for record in run.records)


@pytest.mark.parametrize(
    ("ttl", "end"), [(9_000, (3_610_000, None)), (11_000, (11_000, "expired"))]
)
def test_a_deadline_counts_from_the_first_time_in_the_state(ttl, end):
    _, run = started({"expired": ttl}, "retried")
    assert last(run) == end


def test_a_run_may_hit_a_second_deadline_after_the_first():
    _, run = started({"warned": 3_000, "expired": 8_000})
    assert own_versions(run)[1:] == [
        (3_000, {"status": "queued", "warned": 3_000}),
        (8_000, {"status": "over", "warned": 3_000, "by": "expired"}),
    ]


def test_a_deadline_ends_a_run_once():
    _, run = started({"warned": 3_000})
    assert [at for at, _ in own_versions(run)] == [0, 3_000, 3_603_000]


@pytest.mark.parametrize(
    ("after", "ending", "end"),
    [
        (2_000, "warned", (15_000, "expired")),  # it stays with the run
        (12_000, "requeued", (15_000, "expired")),
        (20_000, "requeued", (40_000, None)),  # it was not in the state by then
    ],
)
def test_a_deadline_stays_with_a_run_that_is_interrupted(after, ending, end):
    world, run = started({"expired": 15_000})
    world.apply(Advance(after))
    assert last(world.apply(Interrupt("small", run.id, ending))) == end


@pytest.mark.parametrize("after", [2_000, 8_999])
def test_a_deadline_to_come_is_not_forgotten_when_the_run_is_interrupted(after):
    world, run = started({"expired": 9_000})
    world.apply(Advance(after))
    run = world.apply(Interrupt("small", run.id, "warned"))
    run = world.apply(Interrupt("small", run.id, "requeued"))
    assert last(run) == (9_000, "expired")


def test_a_deadline_that_was_hit_is_not_hit_again():
    world, run = started({"warned": 3_000})
    for span in (3_000, 1_000):
        world.apply(Advance(span))
        run = world.apply(Interrupt("small", run.id, "requeued"))
    assert sum(version.get("warned") != 3_000 for _, version in own_versions(run)) == 1
    assert last(run) == (24_000, None)


def test_a_deadline_never_rewrites_the_past_of_a_run_that_was_edited():
    world, run = started({"expired": 15_000})
    world.apply(Advance(12_000))
    world.apply(Patch("small", "runs", run.id, {"status": "queued"}))
    world.apply(Advance(8_000))
    assert last(world.apply(Interrupt("small", run.id, "requeued"))) == (40_000, None)


def test_a_run_that_a_deadline_has_ended_is_over():
    world, run = started({"expired": 5_000})
    world.apply(Advance(5_000))
    assert world.apply(Interrupt("small", run.id, "failed")) is None


@pytest.mark.parametrize(
    ("ttl", "begun"), [(1_999, 0), (2_000, 1), (3_999, 1), (4_000, 2), (10_000, 2)]
)
def test_what_a_run_has_started_before_its_deadline_stays(ttl, begun):
    world, run = started({"expired": ttl}, "parent")
    assert [s.started_at - NOW for s in run.successors] == [2_000, 4_000][:begun]
    assert len(world.state("small").runs) == 1 + begun


def test_a_task_has_deadlines_for_its_runs_which_a_start_may_set_otherwise():
    text = TEXT + "tasks: {task: {deadlines: {expired: 4s, stopped: 5s}}, other: {}}"
    world = world_of(text)
    ends = [
        last(world.apply(Start("small", task, "story", deadlines=given)))
        for task, given in [
            ("task", {}), ("other", {}), ("task", {"expired": 3_000}),
            ("task", {"expired": MAX_TIMESTAMP}),
        ]
    ]  # fmt: skip
    assert ends == [
        (4_000, "expired"), (30_000, None), (3_000, "expired"), (15_000, "stopped")
    ]  # fmt: skip


def test_history_keeps_deadlines_too():
    text = """
tasks: {task: {scenario: story, deadlines: {expired: 4s}}}
history: [{task: task, ago: 1h}]
"""
    (run,) = world_of(TEXT + text).state("small").runs.values()
    assert run.records[0].versions[-1]["by"] == "expired"


def test_a_deadline_needs_an_ending():
    with pytest.raises(UnknownName, match="no ending 'crushed'; there are: expired"):
        started({"crushed": 5})


@pytest.mark.parametrize(
    ("task", "message", "pointer"),
    [
        (
            "{deadlines: {crushed: 5m}}",
            "there is no ending 'crushed'; there are: expired, stopped, failed",
            "/deadlines/crushed",
        ),
        (
            "{deadlines: {expired: soon}}",
            "'soon' is not a duration such as 250ms",
            "/deadlines/expired",
        ),
        ("{deadlines: {expired: -5}}", "'-5' is not a duration", "/deadlines/expired"),
        (
            "{scenario: tale}",
            "there is no scenario 'tale'; there are: story, retried",
            "/scenario",
        ),
    ],
)
def test_the_pointer_of_a_mistake_in_a_task_is_reported(task, message, pointer):
    with pytest.raises(FixtureError) as error:
        fixture_of(TEXT + f"tasks: {{task: {task}}}")
    assert message in error.value.message
    assert error.value.pointer == f"/tasks/task{pointer}"


# Endings that are for some states only


@pytest.mark.parametrize(
    ("ending", "after", "by"),
    [
        ("expired", 9_999, "expired"),
        ("expired", 10_000, None),
        ("stopped", 9_999, None),
        ("stopped", 10_000, "stopped"),
        ("stopped", 30_000, None),
        ("failed", 0, "failed"),
        ("failed", 29_999, "failed"),
    ],
)
def test_an_ending_is_for_runs_in_its_states_only(ending, after, by):
    run = interrupt_after(TEXT, generate_from(TEXT), after, ending)
    assert (run and last(run)) == (by and (after, by))


@pytest.mark.parametrize(
    ("value", "span"),
    [(0, 0), (250, 250), ("30s", 30_000), ("2m", 120_000), (True, None), (-1, None),
     (1.5, None), (None, None), ("1", None), ("1w", None), ([], None)],
)  # fmt: skip
def test_a_duration_is_milliseconds_or_a_text(value, span):
    if span is None:
        with pytest.raises(ValueError, match="not a duration"):
            to_duration(value)
    else:
        assert to_duration(value) == span
