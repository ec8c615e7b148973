"""Scenarios: generation of a run from its steps."""

import pytest
from small import (
    events,
    fixture_of,
    generate_from,
    own_versions,
    run_of,
    versions,
)

from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.random import BoundaryRandom, SeededRandom
from soundstage.world.run_builder import GenerationContext, generate_run
from soundstage.world.scenario import RunRequest
from support.strategies import NOW

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
    assert own_versions(run_of(steps)) == versions


def test_a_step_comes_anywhere_within_its_range():
    steps = "[{run: {}}, {after: 1s..3s, run: {a: 1}}]"
    times = [own_versions(run_of(steps, seed=seed))[1][0] for seed in SEEDS]
    assert all(1000 <= time <= 3000 for time in times)
    assert len(set(times)) > 10


def test_a_step_may_set_the_identifier_of_a_new_record():
    run = run_of("[{run: {id: mine}}, {event/one: {id: $given}}]", given="first")
    assert run.id == "mine"
    assert [record.id for record in run.records] == ["mine", "first"]
    assert run.records[1].versions[0] == {"run": "mine", "id": "first"}


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
    assert other.versions[0]["of"] == one.id
    assert other.versions[0]["n"] == 1
    assert other.versions[0]["run"] == run.id


def test_the_elapsed_time_is_that_of_the_record_itself():
    run = run_of("""
    - {run: {e: $elapsed}, event/one: {e: $elapsed}}
    - {after: 2s, event: {e: $elapsed}}
    - {after: 1s, event/one: {f: $elapsed}, event: {e: $elapsed}}
    """)
    assert own_versions(run) == [(0, {"e": 0})]
    assert events(run) == [
        (3000, {"e": 0, "f": 3000}),
        (2000, {"e": 0}),
        (3000, {"e": 0}),
    ]


def test_a_record_starts_with_the_defaults_of_its_type():
    run = generate_from("""
    defaults: {run: {a: 1, color: $color}, event: {run: $run.id, t: $at, self: $one.id}}
    scenarios: {story: {steps: [{run: {a: 2}}, {after: 1s, event/one: {b: 1}}]}}
    """)
    assert own_versions(run) == [(0, {"a": 2, "color": "red"})]
    event = run.records[1]
    assert versions(event) == [(1000, {"t": 1000, "self": event.id, "b": 1})]


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_steps_are_repeated_as_often_as_requested(count):
    run = run_of(f"""
    - run: {{}}
    - {{repeat: {count}, steps: [{{after: 1s, event: {{n: $count}}}}]}}
    """)
    assert events(run) == [(1000 * n, {"n": n}) for n in range(1, count + 1)]


def test_a_repeat_count_is_generated_within_its_range():
    steps = "[{run: {}}, {repeat: 2..4, steps: [{event: {}}]}]"
    counts = {len(events(run_of(steps, seed=seed))) for seed in range(40)}
    assert counts == {2, 3, 4}


def test_a_repeat_count_may_be_an_earlier_variable():
    run = run_of("[{draw: {n: 3}, run: {}}, {repeat: $n, steps: [{event: {}}]}]")
    assert len(events(run)) == 3


def test_a_repeat_generates_its_variables_each_time():
    run = run_of("""
    - run: {}
    - {repeat: 30, draw: {n: 1..1000}, steps: [{event: {n: $n, m: $n}}]}
    """)
    values = [document for _, document in events(run)]
    assert len({value["n"] for value in values}) > 20
    assert all(value["n"] == value["m"] for value in values)


def test_a_step_without_repeat_generates_its_variables_once():
    run = run_of("""
    - {draw: {n: 1..1000000}, run: {n: $n}}
    - {event: {n: $n}}
    - {draw: {n: 1..1000000}, event: {n: $n}}
    """)
    first = own_versions(run)[0][1]["n"]
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
def test_an_explicit_variable_overrides_that_of_the_scenario(given, expected):
    text = "scenarios: {story: {draw: {n: 7}, steps: [{run: {n: $n}}]}}"
    assert own_versions(generate_from(text, **given)) == [(0, {"n": expected})]


def test_an_explicit_variable_overrides_that_of_the_task():
    assert own_versions(run_of("[{run: {color: $color}}]", color="green")) == [
        (0, {"color": "green"})
    ]


def test_a_variable_may_refer_to_the_task_and_to_earlier_variables():
    text = "scenarios: {story: {draw: {a: $size, b: $a}, steps: [{run: {b: $b}}]}}"
    assert own_versions(generate_from(text)) == [(0, {"b": 2})]


def test_a_variable_never_hides_a_timestamp_format():
    assert own_versions(run_of("[{after: 1s, run: {at: $at}}]", at="never")) == [
        (1000, {"at": 1000})
    ]


# What cannot be drawn


@pytest.mark.parametrize(
    ("steps", "message", "pointer"),
    [
        ("[{after: 1s}]", "never makes a record of kind 'run'", ""),
        ("[{run: {a: $b}}]", "$b is not defined here", "/steps/0/run/a"),
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
            "$count is not defined here",
            "/steps/2/run/n",
        ),
        ("[{run: {}}, {repeat: -1, steps: [{run: {}}]}]", "not -1", "/steps/1"),
    ],
)
def test_an_invalid_step_is_reported_with_its_reason_and_pointer(steps, message, pointer):
    with pytest.raises(FixtureError) as error:
        run_of(steps)
    assert message in error.value.message
    assert error.value.pointer.startswith(f"/scenarios/story{pointer}")


@pytest.mark.parametrize(
    ("task", "scenario", "message"),
    [
        ("unknown", "story", "there is no task 'unknown'; there are: task, other"),
        ("task", "nothing", "there is no scenario 'nothing'; there are: story"),
    ],
)
def test_an_undefined_task_or_scenario_is_unknown(task, scenario, message):
    script = fixture_of("scenarios: {story: {steps: [{run: {}}]}}").definitions
    with pytest.raises(UnknownName, match=message):
        generate_run(GenerationContext(script, SeededRandom(0)), RunRequest(task, scenario, NOW))


def test_a_run_takes_the_requested_identifier():
    script = fixture_of("scenarios: {story: {steps: [{run: {}, event: {}}]}}").definitions
    run = generate_run(
        GenerationContext(script, SeededRandom(0)),
        RunRequest("task", "story", NOW, "my-id"),
    )
    assert run.id == "my-id" == run.records[0].versions[0]["id"]
    assert run.records[1].versions[0]["run"] == "my-id"
    assert run.records[1].id != "my-id"


def test_a_run_ends_when_the_years_do():
    script = fixture_of("""
    scenarios: {story: {steps: [{run: {}}, {after: 1d, run: {a: 1}}]}}
    """).definitions
    run = generate_run(
        GenerationContext(script, SeededRandom(0)),
        RunRequest("task", "story", MAX_TIMESTAMP - 1000),
    )
    assert run.records[0].timestamps == (MAX_TIMESTAMP - 1000, MAX_TIMESTAMP)


def test_provenance_maps_each_version_to_its_patch():
    text = """
    scenarios:
      story: {steps: [{run: {}, event/one: {}}, {after: 1s, event: [{}, {}]}]}
    """
    trail = {}
    script = fixture_of(text).definitions
    run = generate_run(
        GenerationContext(script, BoundaryRandom(0), provenance=trail),
        RunRequest("task", "story", NOW),
    )
    steps = "/scenarios/story/steps"
    assert [trail[r.id, r.created_at] for r in run.records] == [
        f"{steps}/0/run",
        f"{steps}/0/event~1one",
        f"{steps}/1/event/0",
        f"{steps}/1/event/1",
    ]
