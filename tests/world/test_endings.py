"""What an interruption leaves of a run, and what it adds."""

import pytest
from small import (
    events,
    generate_from,
    interrupt_after,
    own_versions,
    versions,
    world_of,
)

from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import Advance, Interrupt, Start
from soundstage.world.errors import FixtureError, UnknownName

ENDED = """
lifecycle:
  run.status: {begins: [new], moves: {new: [live, over], live: [over]}}
scenarios:
  story:
    steps:
      - run: {status: new}
        event/root: {open: true}
      - after: 1s
        run: {status: live}
        event: {n: 1}
      - after: 1s
        event/root: {half: true}
        event/late: {n: 2}
      - after: 1s
        run: {status: over}
        event/root: {open: false}
      - after: 1s
        event: {n: 3}
endings:
  cancelled:
    - run: {status: over, cut: $at}
      event/root: {open: false, elapsed: $elapsed}
  slowly:
    - run: {cutting: true}
    - after: 10s
      run: {status: over}
      event: {n: 4}
"""


@pytest.mark.parametrize(
    ("after", "own"),
    [
        (0, [(0, {"status": "over", "cut": 0})]),
        (500, [(0, {"status": "new"}), (500, {"status": "over", "cut": 500})]),
        (1000, [(0, {"status": "new"}), (1000, {"status": "over", "cut": 1000})]),
        (
            2999,
            [
                (0, {"status": "new"}),
                (1000, {"status": "live"}),
                (2999, {"status": "over", "cut": 2999}),
            ],
        ),
    ],
)
def test_an_ending_replaces_the_rest_of_the_run(after, own):
    assert own_versions(interrupt_after(ENDED, generate_from(ENDED), after)) == own


@pytest.mark.parametrize(
    ("after", "names"),
    [
        (999, ["root"]),
        (1000, ["root", None]),
        (1999, ["root", None]),
        (2000, ["root", None, "late"]),
    ],
)
def test_an_interrupted_run_keeps_the_records_that_had_begun(after, names):
    whole = generate_from(ENDED)
    left = interrupt_after(ENDED, whole, after)
    assert [record.name for record in left.records[1:]] == names
    assert [r.id for r in left.records] == [r.id for r in whole.records[: len(names) + 1]]


def test_an_ending_goes_on_with_the_records_that_have_a_name():
    left = interrupt_after(ENDED, generate_from(ENDED), 2500)
    assert versions(left.records[1]) == [
        (0, {"open": True}),
        (2000, {"open": True, "half": True}),
        (2500, {"open": False, "half": True, "elapsed": 2500}),
    ]


@pytest.mark.parametrize("after", [-1, 3000, 3001, 10**9])
def test_a_run_that_has_not_begun_or_has_ended_is_not_interrupted(after):
    assert interrupt_after(ENDED, generate_from(ENDED), after) is None


def test_an_ending_may_take_its_time():
    run = interrupt_after(ENDED, generate_from(ENDED), 1500, "slowly")
    assert own_versions(run)[-2:] == [
        (1500, {"status": "live", "cutting": True}),
        (11_500, {"status": "over", "cutting": True}),
    ]
    assert events(run)[-1] == (11_500, {"n": 4})


def test_what_an_ending_adds_is_listed():
    world = world_of(ENDED)
    run = world.apply(Start("small"))
    world.apply(Advance(1500))
    run = world.apply(Interrupt("small", run.id, "slowly"))
    listed = world.collection("small", "events").children(run.id, MAX_TIMESTAMP)
    assert [event.get("n") for event in listed] == [None, 1, 4]


def test_a_run_that_is_ending_may_be_interrupted_again():
    run = interrupt_after(ENDED, generate_from(ENDED), 1500, "slowly")
    again = interrupt_after(ENDED, run, 2000)
    assert own_versions(again)[-1] == (
        2000,
        {"status": "over", "cutting": True, "cut": 2000},
    )
    assert events(again)[-1] == (1000, {"n": 1})


def test_an_ending_does_not_see_names_from_the_replaced_future():
    text = """
    scenarios: {story: {steps: [{run: {}}, {after: 1s, event/late: {n: 1}}]}}
    endings: {cancelled: [{run: {late: $late.id}}]}
    """
    with pytest.raises(FixtureError, match=r"\$late.id is not defined here"):
        interrupt_after(text, generate_from(text), 500)


def test_an_undefined_ending_is_unknown():
    with pytest.raises(UnknownName, match="no ending 'crushed'; there are: cancelled, slowly"):
        interrupt_after(ENDED, generate_from(ENDED), 500, "crushed")


NAMED = """
lifecycle:
  run.status: {begins: [new], moves: {new: [over]}}
scenarios:
  story:
    draw: {n: 1..1000}
    steps:
      - run: {status: new}
      - after: 1m
        run: {status: over, n: $n}
endings:
  played:
    - play: $scenario
  drawn:
    draw: {n: 1..1000}
    steps:
      - run: {status: over, n: $n}
"""


@pytest.mark.parametrize("ending", ["played", "drawn"])
def test_explicit_variables_override_those_of_an_ending(ending):
    run = generate_from(NAMED, n=5000)
    assert own_versions(interrupt_after(NAMED, run, 10, ending))[-1][1]["n"] == 5000
