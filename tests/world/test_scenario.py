"""Scenarios: how a run is drawn from its steps, and what an interruption leaves."""

import pytest
from small import (
    cut,
    drawn_from,
    events,
    fixture_of,
    run_of,
    told,
    versions,
    world_of,
)

from soundstage.world.chance import Extreme, Seeded
from soundstage.world.clock import LATEST
from soundstage.world.errors import FixtureError, IllegalMove, Unknown
from soundstage.world.log import Advance, Interrupt, Start
from soundstage.world.timeline import LONGEST_CHAIN, Cue, drawn
from strategies import NOW

SEEDS = range(20)


@pytest.mark.parametrize(
    ("steps", "versions"),
    [
        ("[{run: {a: 1}}]", [(0, {"a": 1})]),
        ("[{after: 5s, run: {a: 1}}]", [(5000, {"a": 1})]),
        (
            "[{run: {a: 1}}, {after: 1s, run: {b: 2}}, {after: 2s, run: {a: null}}]",
            [(0, {"a": 1}), (1000, {"a": 1, "b": 2}), (3000, {"b": 2})],
        ),
        ("[{run: {a: 1}}, {run: {b: 2}}]", [(0, {"a": 1, "b": 2})]),
        (
            "[{run: {a: 1}}, {after: 0s, run: {a: 2}}, {after: 1ms, run: {a: 3}}]",
            [(0, {"a": 2}), (1, {"a": 3})],
        ),
        (
            "[{run: {}}, {after: 1s}, {after: 1s, run: {t: $at}}]",
            [(0, {}), (2000, {"t": 2000})],
        ),
        (
            "[{after: 1s, run: {}}, {after: 2s, run: {e: $elapsed}}]",
            [(1000, {}), (3000, {"e": 2000})],
        ),
        ("[{run: {size: $size}}]", [(0, {"size": 2})]),
    ],
)
def test_a_step_comes_after_the_one_before_and_patches_the_run(steps, versions):
    assert told(run_of(steps)) == versions


def test_a_step_comes_anywhere_within_its_span():
    steps = "[{run: {}}, {after: 1s..3s, run: {a: 1}}]"
    times = [told(run_of(steps, seed=seed))[1][0] for seed in SEEDS]
    assert all(1000 <= time <= 3000 for time in times)
    assert len(set(times)) > 10


def test_a_record_without_a_name_is_a_new_one_each_time():
    run = run_of("[{run: {}, event: {n: 1}}, {after: 1s, event: [{n: 2}, {n: 3}]}]")
    assert events(run) == [(0, {"n": 1}), (1000, {"n": 2}), (1000, {"n": 3})]
    assert len({record.id for record in run.records}) == 4


def test_a_record_with_a_name_is_made_once_and_then_patched():
    run = run_of("""
    - {run: {}, event/one: {n: 1}}
    - {after: 1s, event/one: {m: 2}, event/two: {n: 3}}
    """)
    one, two = run.records[1:]
    assert (one.name, two.name) == ("one", "two")
    assert versions(one) == [(0, {"n": 1}), (1000, {"n": 1, "m": 2})]
    assert versions(two) == [(1000, {"n": 3})]


def test_a_named_record_can_be_looked_up_by_those_after_it():
    run = run_of("""
    - {run: {}, event/one: {n: 1}}
    - {event: {of: $one.id, n: $one.n, run: $run.id}}
    """)
    one, other = run.records[1:]
    assert other.documents[0]["of"] == one.id
    assert other.documents[0]["n"] == 1
    assert other.documents[0]["run"] == run.id


def test_a_record_starts_with_the_defaults_of_its_kind():
    run = drawn_from("""
    defaults: {run: {a: 1, color: $color}, event: {run: $run.id, t: $at, self: $one.id}}
    scenarios: {story: {steps: [{run: {a: 2}}, {after: 1s, event/one: {b: 1}}]}}
    """)
    assert told(run) == [(0, {"a": 2, "color": "red"})]
    event = run.records[1]
    assert versions(event) == [(1000, {"t": 1000, "self": event.id, "b": 1})]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_repeated_steps_happen_so_many_times(count):
    run = run_of(f"""
    - run: {{}}
    - {{repeat: {count}, steps: [{{after: 1s, event: {{n: $count}}}}]}}
    """)
    assert events(run) == [(1000 * n, {"n": n}) for n in range(1, count + 1)]


def test_a_repeat_is_drawn_between_its_ends():
    steps = "[{run: {}}, {repeat: 2..4, steps: [{event: {}}]}]"
    counts = {len(events(run_of(steps, seed=seed))) for seed in range(40)}
    assert counts == {2, 3, 4}


def test_a_repeat_may_be_as_long_as_an_earlier_draw():
    run = run_of("[{draw: {n: 3}, run: {}}, {repeat: $n, steps: [{event: {}}]}]")
    assert len(events(run)) == 3


def test_a_repeat_draws_at_every_turn():
    run = run_of("""
    - run: {}
    - {repeat: 30, draw: {n: 1..1000}, steps: [{event: {n: $n, m: $n}}]}
    """)
    values = [document for _, document in events(run)]
    assert len({value["n"] for value in values}) > 20
    assert all(value["n"] == value["m"] for value in values)


def test_a_step_without_repeat_draws_once_from_then_on():
    run = run_of("""
    - {draw: {n: 1..1000000}, run: {n: $n}}
    - {event: {n: $n}}
    - {draw: {n: 1..1000000}, event: {n: $n}}
    """)
    first = told(run)[0][1]["n"]
    assert events(run)[0][1]["n"] == first
    assert events(run)[1][1]["n"] != first


def test_repeats_within_repeats_count_by_themselves():
    run = run_of("""
    - run: {}
    - repeat: 2
      steps:
        - {event: {outer: $count}}
        - {repeat: 3, steps: [{event: {inner: $count}}]}
    """)
    inner = [{"inner": n} for n in (1, 2, 3)]
    expected = [{"outer": 1}, *inner, {"outer": 2}, *inner]
    assert [document for _, document in events(run)] == expected


def test_a_count_goes_on_after_a_repeat_within_it():
    run = run_of("""
    - run: {}
    - repeat: 2
      steps: [{repeat: 3, steps: [{after: 1s}]}, {event: {outer: $count}}]
    """)
    assert [document["outer"] for _, document in events(run)] == [1, 2]


def test_a_step_may_repeat_and_then_patch():
    run = run_of("""
    - run: {}
    - {repeat: 2, steps: [{after: 1s, event: {}}], event: {last: 1}}
    """)
    assert events(run) == [(1000, {}), (2000, {}), (2000, {"last": 1})]


# Names


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, 7), ({"n": 9}, 9), ({"n": None}, None), ({"size": 1}, 7)],
)
def test_a_name_that_is_given_wins_over_the_scenarios_own_draw(given, expected):
    text = "scenarios: {story: {draw: {n: 7}, steps: [{run: {n: $n}}]}}"
    assert told(drawn_from(text, **given)) == [(0, {"n": expected})]


def test_a_name_that_is_given_wins_over_the_task():
    assert told(run_of("[{run: {color: $color}}]", color="green")) == [
        (0, {"color": "green"})
    ]


def test_a_draw_may_look_at_the_task_and_at_the_draws_before_it():
    text = "scenarios: {story: {draw: {a: $size, b: $a}, steps: [{run: {b: $b}}]}}"
    assert told(drawn_from(text)) == [(0, {"b": 2})]


def test_a_moment_is_never_hidden_by_a_name():
    assert told(run_of("[{after: 1s, run: {at: $at}}]", at="never")) == [
        (1000, {"at": 1000})
    ]


# Successors

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


def test_a_run_starts_its_successor_at_the_instant_of_the_step():
    first = drawn_from(CHAIN)
    (second,) = first.successors
    (third,) = second.successors
    assert (first.at, second.at, third.at) == (NOW, NOW + 6000, NOW + 8000)
    assert [r.scenario for r in (first, second, third)] == [
        "story",
        "next_one",
        "last_one",
    ]


def test_a_successor_is_told_who_started_it_and_keeps_the_task():
    first = drawn_from(CHAIN, task="other")
    (second,) = first.successors
    (third,) = second.successors
    said = second.records[0].documents[0]
    assert (said["before"], said["n"]) == (first.id, 1)
    said = third.records[0].documents[0]
    assert (said["before"], said["n"], said["color"]) == (second.id, 7, "blue")
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
    run = cut(CHAIN, drawn_from(CHAIN), after)
    assert [successor.scenario for successor in run.successors] == scenarios


def test_a_successor_that_never_began_is_nowhere():
    world = world_of(CHAIN)
    run = world.apply(Start("small", "task", "story"))
    gone = [run.successors[0], run.successors[0].successors[0]]
    world.apply(Interrupt("small", run.id, "cancelled"))
    runs = world.collection("small", "runs")
    assert [document["id"] for document in runs.all(LATEST)] == [run.id]
    assert all(runs.get(each.id, LATEST) is None for each in gone)


def loop(length):
    """A chain of so many runs after the first."""
    steps = "[{run: {}}, {start: {scenario: s%d}}]"
    each = [f"  s{n}: {{steps: {steps % (n + 1)}}}" for n in range(length)]
    return "\n".join(["scenarios:", *each, f"  s{length}: {{steps: [{{run: {{}}}}]}}"])


def test_a_chain_of_runs_may_be_long():
    run = drawn_from(loop(LONGEST_CHAIN), "s0")
    for _ in range(LONGEST_CHAIN):
        (run,) = run.successors
    assert not run.successors


@pytest.mark.parametrize("length", [LONGEST_CHAIN + 1, LONGEST_CHAIN + 10])
def test_a_chain_of_runs_may_not_be_longer(length):
    with pytest.raises(FixtureError, match="more than 64 runs start one another"):
        drawn_from(loop(length), "s0")


def test_a_chain_of_runs_may_not_be_endless():
    text = "scenarios: {story: {steps: [{run: {}, start: {scenario: story}}]}}"
    with pytest.raises(FixtureError, match="in a row") as error:
        drawn_from(text)
    assert error.value.pointer == "/scenarios/story"


# Endings

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
    assert told(cut(ENDED, drawn_from(ENDED), after)) == own


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
    whole = drawn_from(ENDED)
    left = cut(ENDED, whole, after)
    assert [record.name for record in left.records[1:]] == names
    assert [r.id for r in left.records] == [
        r.id for r in whole.records[: len(names) + 1]
    ]


def test_an_ending_goes_on_with_the_records_that_have_a_name():
    left = cut(ENDED, drawn_from(ENDED), 2500)
    assert versions(left.records[1]) == [
        (0, {"open": True}),
        (2000, {"open": True, "half": True}),
        (2500, {"open": False, "half": True, "elapsed": 2500}),
    ]


@pytest.mark.parametrize("after", [-1, 3000, 3001, 10**9])
def test_a_run_that_has_not_begun_or_has_ended_is_not_interrupted(after):
    assert cut(ENDED, drawn_from(ENDED), after) is None


def test_an_ending_may_take_its_time():
    run = cut(ENDED, drawn_from(ENDED), 1500, "slowly")
    assert told(run)[-2:] == [
        (1500, {"status": "live", "cutting": True}),
        (11_500, {"status": "over", "cutting": True}),
    ]
    assert events(run)[-1] == (11_500, {"n": 4})


def test_a_run_that_is_ending_may_be_interrupted_again():
    run = cut(ENDED, drawn_from(ENDED), 1500, "slowly")
    again = cut(ENDED, run, 2000)
    assert told(again)[-1] == (2000, {"status": "over", "cutting": True, "cut": 2000})
    assert events(again)[-1] == (1000, {"n": 1})


def test_an_ending_knows_nothing_of_what_would_have_come():
    text = """
    scenarios: {story: {steps: [{run: {}}, {after: 1s, event/late: {n: 1}}]}}
    endings: {cancelled: [{run: {late: $late.id}}]}
    """
    with pytest.raises(FixtureError, match=r"\$late.id stands for nothing here"):
        cut(text, drawn_from(text), 500)


def test_an_ending_that_is_not_there_is_unknown():
    with pytest.raises(
        Unknown, match="no ending 'crushed'; there are: cancelled, slowly"
    ):
        cut(ENDED, drawn_from(ENDED), 500, "crushed")


# Lifecycles

MOVES = "{run.status: {begins: [new], moves: {new: [live], live: [over]}}}"


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (["live"], "run.status begins as 'live'; legal is: new"),
        (["over"], "run.status begins as 'over'; legal is: new"),
        ([5], "run.status begins as 5; legal is: new"),
        (["new", "over"], "run.status goes from 'new' to 'over'; legal is: live"),
        (["new", "live", "new"], "goes from 'live' to 'new'; legal is: over"),
        (
            ["new", "live", "over", "live"],
            "goes from 'over' to 'live'; legal is: nothing: that state is final",
        ),
        (["new", "lost"], "goes from 'new' to 'lost'; legal is: live"),
    ],
)
@pytest.mark.parametrize("after", ["0s", "1s"])
def test_a_move_that_the_lifecycle_lacks_is_illegal(states, message, after):
    steps = ", ".join(
        f"{{after: {after}, run: {{status: {state}}}}}" for state in states
    )
    text = f"lifecycle: {MOVES}\nscenarios: {{story: {{steps: [{steps}]}}}}"
    with pytest.raises(IllegalMove, match=message) as error:
        drawn_from(text)
    wrong = len(states) - 1
    assert error.value.pointer == f"/scenarios/story/steps/{wrong}/run"


def test_a_state_may_be_said_again():
    steps = ", ".join(
        f"{{after: 1s, run: {{status: {s}}}}}" for s in ("new", "new", "live")
    )
    text = f"lifecycle: {MOVES}\nscenarios: {{story: {{steps: [{steps}]}}}}"
    assert len(told(drawn_from(text))) == 3


def test_two_fields_of_a_kind_may_each_have_a_lifecycle():
    text = """
    lifecycle:
      run.phase: {begins: [a], moves: {a: [b]}}
      run.status: {begins: [new], moves: {new: [live]}}
    scenarios: {story: {steps: [{run: {phase: wrong, status: new}}]}}
    """
    with pytest.raises(IllegalMove, match=r"run.phase begins as 'wrong'"):
        drawn_from(text)


def test_other_kinds_may_have_a_lifecycle_too():
    text = """
    lifecycle: {event.state: {begins: [a], moves: {a: [b]}}}
    scenarios: {story: {steps: [{run: {}, event/e: {state: a}}, {event/e: {state: c}}]}}
    """
    with pytest.raises(IllegalMove, match=r"event.state goes from 'a' to 'c'"):
        drawn_from(text)


# What cannot be drawn


@pytest.mark.parametrize(
    ("steps", "message", "pointer"),
    [
        ("[{after: 1s}]", "never makes a record of kind 'run'", ""),
        ("[{run: {a: $b}}]", "$b stands for nothing here", "/steps/0/run/a"),
        (
            "[{run: {a: text}}, {run: {a: {add: 1}}}]",
            "a value does not fit",
            "/steps/1/run",
        ),
        (
            "[{run: {a: 1}}, {run: {a: {append: 1}}}]",
            "a value does not fit",
            "/steps/1/run",
        ),
        ("[{draw: {n: {add: x}}, run: {}}]", "a value does not fit", "/steps/0/draw/n"),
        ("[{run: {}}, {repeat: $color, steps: [{run: {}}]}]", "not 'red'", "/steps/1"),
        (
            "[{run: {}}, {repeat: 1, steps: [{run: {}}]}, {run: {n: $count}}]",
            "$count stands for nothing here",
            "/steps/2/run/n",
        ),
        ("[{run: {}}, {repeat: -1, steps: [{run: {}}]}]", "not -1", "/steps/1"),
    ],
)
def test_what_cannot_be_drawn_says_why_and_where(steps, message, pointer):
    with pytest.raises(FixtureError) as error:
        run_of(steps)
    assert message in error.value.message
    assert error.value.pointer.startswith(f"/scenarios/story{pointer}")


@pytest.mark.parametrize(
    ("task", "scenario", "message"),
    [
        ("nobody", "story", "there is no task 'nobody'; there are: task, other"),
        ("task", "nothing", "there is no scenario 'nothing'; there are: story"),
    ],
)
def test_a_task_or_scenario_that_is_not_there_is_unknown(task, scenario, message):
    script = fixture_of("scenarios: {story: {steps: [{run: {}}]}}").script
    with pytest.raises(Unknown, match=message):
        drawn(script, Cue(task, scenario, NOW), Seeded(0))


def test_a_run_takes_the_identifier_it_is_given():
    script = fixture_of("scenarios: {story: {steps: [{run: {}, event: {}}]}}").script
    run = drawn(script, Cue("task", "story", NOW, "my-id"), Seeded(0))
    assert run.id == "my-id" == run.records[0].documents[0]["id"]
    assert run.records[1].documents[0]["run"] == "my-id"
    assert run.records[1].id != "my-id"


def test_a_run_ends_when_the_years_do():
    script = fixture_of("""
    scenarios: {story: {steps: [{run: {}}, {after: 1d, run: {a: 1}}]}}
    """).script
    run = drawn(script, Cue("task", "story", LATEST - 1000), Seeded(0))
    assert run.records[0].times == (LATEST - 1000, LATEST)


def test_a_trail_leads_from_each_version_to_its_patch():
    text = """
    scenarios:
      story: {steps: [{run: {}, event/one: {}}, {after: 1s, event: [{}, {}]}]}
    """
    trail = {}
    script = fixture_of(text).script
    run = drawn(script, Cue("task", "story", NOW), Extreme(0), trail)
    steps = "/scenarios/story/steps"
    assert [trail[r.id, r.began] for r in run.records] == [
        f"{steps}/0/run",
        f"{steps}/0/event~1one",
        f"{steps}/1/event/0",
        f"{steps}/1/event/1",
    ]
