"""Successors: runs that other runs start."""

import pytest
from small import generate_from, interrupt_after, world_of

from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import Advance, Interrupt, Put, Start
from soundstage.world.errors import FixtureError
from soundstage.world.run_builder import MAX_CHAIN_LENGTH
from support.strategies import NOW

CHAIN = """
scenarios:
  story:
    steps:
      - run: {}
      - after: 1s
        run: {over: true}
      - after: 5s
        start: {scenario: next_one, with: {before: $run.id, n: 1}}
  next_one:
    draw: {n: 7}
    steps:
      - run: {before: $before, n: $n}
      - after: 2s
        run: {over: true}
        start: {scenario: last_one, with: {before: $run.id}}
  last_one:
    draw: {n: 7}
    steps: [{after: 1s, run: {before: $before, n: $n, color: $color}}]
endings: {cancelled: [{run: {cut: true}}]}
"""


def test_a_run_starts_its_successor_at_the_time_of_the_step():
    first = generate_from(CHAIN)
    (second,) = first.successors
    (third,) = second.successors
    assert (first.started_at, second.started_at, third.started_at) == (
        NOW,
        NOW + 6000,
        NOW + 8000,
    )
    assert [r.scenario for r in (first, second, third)] == [
        "story",
        "next_one",
        "last_one",
    ]


def test_a_successor_has_variables_from_its_predecessor_and_keeps_the_task():
    first = generate_from(CHAIN, task="other")
    (second,) = first.successors
    (third,) = second.successors
    version = second.records[0].versions[0]
    assert (version["before"], version["n"]) == (first.id, 1)
    version = third.records[0].versions[0]
    assert (version["before"], version["n"], version["color"]) == (second.id, 7, "blue")
    assert {first.task, second.task, third.task} == {"other"}


@pytest.mark.parametrize(
    ("after", "which", "left"),
    [
        (500, 0, 1),
        (5999, 0, 1),
        (6000, 0, 3),
        (9000, 0, 3),
        (6000, 1, 2),
        (7999, 1, 2),
        (8000, 1, 3),
        (8000, 2, 3),
    ],
)
def test_an_interrupted_run_starts_no_more_successors(after, which, left):
    world = world_of(CHAIN)
    world.apply(Start("small", "task", "story"))
    chain = list(world.state("small").runs)
    world.apply(Advance(after))
    world.apply(Interrupt("small", chain[which], "cancelled"))
    assert list(world.state("small").runs) == chain[:left]


@pytest.mark.parametrize(("after", "scenarios"), [(5999, []), (6000, ["next_one"])])
def test_an_interrupted_run_knows_the_successors_it_has_started(after, scenarios):
    run = interrupt_after(CHAIN, generate_from(CHAIN), after)
    assert [successor.scenario for successor in run.successors] == scenarios


def test_a_successor_that_never_began_is_not_found():
    world = world_of(CHAIN)
    run = world.apply(Start("small", "task", "story"))
    gone = [run.successors[0], run.successors[0].successors[0]]
    world.apply(Interrupt("small", run.id, "cancelled"))
    runs = world.collection("small", "runs")
    assert [document["id"] for document in runs.all(MAX_TIMESTAMP)] == [run.id]
    assert all(runs.get(each.id, MAX_TIMESTAMP) is None for each in gone)


def test_a_successor_that_an_ending_starts_exists_too():
    start = "{after: 1s, start: {scenario: next_one, with: {before: a}}}"
    again = f"again: [{{run: {{cut: true}}}}, {start}]"
    world = world_of(CHAIN.replace("endings: {", f"endings: {{{again}, "))
    first = world.apply(Start("small", "task", "story"))
    (new,) = world.apply(Interrupt("small", first.id, "again")).successors
    (last,) = new.successors
    assert list(world.state("small").runs) == [first.id, new.id, last.id]
    runs = world.collection("small", "runs").all(MAX_TIMESTAMP)
    assert [run["id"] for run in runs] == [first.id, new.id, last.id]


def test_a_successor_that_was_put_before_it_began_stays():
    world = world_of(CHAIN)
    run = world.apply(Start("small", "task", "story"))
    (early,) = run.successors
    world.apply(Put("small", "runs", early.id, {"early": True}))
    world.apply(Interrupt("small", run.id, "cancelled"))
    assert list(world.state("small").runs) == [run.id]
    assert world.collection("small", "runs").get(early.id, MAX_TIMESTAMP)["early"]


def loop(length):
    """Return a chain of this many runs after the first."""
    steps = "[{run: {}}, {start: {scenario: s%d}}]"
    each = [f"  s{n}: {{steps: {steps % (n + 1)}}}" for n in range(length)]
    return "\n".join(["scenarios:", *each, f"  s{length}: {{steps: [{{run: {{}}}}]}}"])


def test_a_chain_of_runs_may_be_long():
    run = generate_from(loop(MAX_CHAIN_LENGTH), "s0")
    for _ in range(MAX_CHAIN_LENGTH):
        (run,) = run.successors
    assert not run.successors


@pytest.mark.parametrize("length", [MAX_CHAIN_LENGTH + 1, MAX_CHAIN_LENGTH + 10])
def test_a_chain_of_runs_may_not_be_longer(length):
    with pytest.raises(FixtureError, match="more than 64 runs start one another"):
        generate_from(loop(length), "s0")


def test_a_chain_of_runs_may_not_be_endless():
    text = "scenarios: {story: {steps: [{run: {}, start: {scenario: story}}]}}"
    with pytest.raises(FixtureError, match="in a row") as error:
        generate_from(text)
    assert error.value.pointer == "/scenarios/story"
