"""Parts of the recorder: patches, timestamps, paths of states, YAML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundstage.apis.registry import load_api as module_of
from soundstage.openapi.document import parse_document
from soundstage.tools.recorder import UnusableRecording
from soundstage.tools.recorder.fixture_profile import TimestampFormats
from soundstage.tools.recorder.fixture_writer import (
    add_scenario,
    format_inline,
    format_scenario,
    set_weight_to_zero,
)
from soundstage.tools.recorder.reconstruction import (
    Version,
    apply,
    compress_before,
    diff,
    find_path,
    find_waypoint,
)
from soundstage.tools.recorder.recorder import align_clocks, estimate_speed
from soundstage.world.clock import DAY, format_rfc3339, parse_duration, parse_rfc3339
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.random import SeededRandom
from soundstage.world.record import ApiModel
from soundstage.world.values import (
    ConstantContext,
    compile_value,
    format_duration,
    to_fixture_value,
)

T0 = parse_rfc3339("2026-03-01T10:00:00Z")

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["$at", "1..2", "0.5..1", "yes", "1e5", "0x1f", "a: b", "${x}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.dictionaries(st.sampled_from(["any", "id", "json"]), inner, max_size=1)
    ),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(VALUES)
def test_a_value_on_one_line_of_yaml_is_the_same_value(value):
    assert parse_document(f"key: {format_inline(value)}") == {"key": value}


@given(VALUES)
def test_a_fixture_value_generates_itself(value):
    drawn = compile_value(to_fixture_value(value), "")(ConstantContext(SeededRandom(0), 0), None)
    assert drawn == value
    assert type(drawn) is type(value)


@given(DOCUMENTS, DOCUMENTS)
def test_a_patch_turns_the_old_document_into_the_new(old, new):
    assert apply(old, diff(old, new)) == new


@given(st.integers(1, 10**12))
def test_a_formatted_duration_is_the_same_duration(span):
    assert parse_duration(format_duration(span)) == span


LIFE = Lifecycle(
    "run",
    "status",
    frozenset({"a"}),
    {"a": frozenset("bd"), "b": frozenset("cd"), "c": frozenset("d")},
)


@pytest.mark.parametrize(
    ("old", "new", "way"),
    [
        (None, "a", "a"),
        (None, "d", "ad"),
        (None, "c", "abc"),
        ("a", "d", "d"),
        ("a", "c", "bc"),
        ("a", "a", ""),
        ("d", "a", None),
        ("a", "x", None),
    ],
)
def test_a_path_of_states_is_the_shortest(old, new, way):
    assert find_path(LIFE, old, new) == (None if way is None else list(way))


@pytest.mark.parametrize(
    ("old", "new", "states", "state"),
    [
        ("a", "d", "bc", "b"),
        ("a", "d", "c", "c"),
        (None, "d", "b", "b"),
        ("a", "d", "ad", None),
        ("b", "d", "a", None),
        ("a", "d", "", None),
    ],
)
def test_a_waypoint_is_on_the_path(old, new, states, state):
    assert find_waypoint(LIFE, old, new, frozenset(states)) == state


TIMESTAMPS = [
    ("algolia-ingestion", "2026-03-01T10:00:00Z", ("at", T0)),
    ("algolia-ingestion", "2026-03-01T12:00:00.000+02:00", ("at", T0)),
    ("algolia-ingestion", str(T0), None),
    ("algolia-ingestion", T0, None),
    ("algolia-ingestion", "9999-99-99T00:00:00Z", None),
    ("trieve", "2026-03-01 10:00:00.0 +00:00:00", ("at", T0)),
    ("trigger-dev", f"{T0}000000", ("at_ns", T0)),
    ("trigger-dev", f"{T0}123456", ("at_ns", T0)),
    ("trigger-dev", 2_802_000_000, None),
    ("runwisp", T0, ("at_ms", T0)),
    ("runwisp", True, None),
]


@pytest.mark.parametrize(("api", "value", "parsed"), TIMESTAMPS, ids=str)
def test_timestamps_are_parsed_in_the_formats_of_the_api(api, value, parsed):
    assert TimestampFormats(module_of(api).model).parse(value) == parsed


def test_a_format_of_another_time_than_now_is_not_parsed():
    later = ApiModel.define(
        tomorrow=lambda at, _: format_rfc3339(at + DAY), at=lambda at, _: format_rfc3339(at)
    )
    assert TimestampFormats(later).parse("2026-03-01T10:00:00Z") == ("at", T0)


def test_inexact_versions_move_before_an_exact_one():
    versions = [Version(0, {}), Version(60, {}, exact=False), Version(90, {}, exact=False)]
    assert [v.timestamp for v in compress_before(versions, 100)] == [0, 60, 90]
    assert [v.timestamp for v in compress_before(versions, 45)] == [0, 29, 44]
    assert [v.timestamp for v in compress_before(versions[:1], 0)] == [0]


def test_durations_since_the_beginning_match_to_a_millisecond():
    moments = TimestampFormats(module_of("trigger-dev").model)
    assert moments.duration_name(5_000_400_000, T0 + 5_000, T0) == "elapsed_ns"
    assert moments.duration_name(5_000, T0 + 5_000, T0) == "elapsed_ms"
    assert moments.duration_name(5_002, T0 + 5_000, T0) is None
    assert moments.duration_name(0, T0, T0) is None


def test_clocks_are_shifted_only_if_an_observation_is_early():
    assert align_clocks([(T0, T0 - 60_000)], T0, 1)(T0) == T0
    assert align_clocks([(T0, T0 + 500)], T0, 1)(T0) == T0 + 500
    assert align_clocks([(T0 + 100, T0 - 60_000)], T0, 60)(T0 + 100) == T0 - 60_000


def test_a_clock_that_goes_too_fast_is_noticed():
    assert estimate_speed([(T0, T0), (T0 + 1_000, T0 + 60_000)]) == 60
    assert estimate_speed([(T0, T0), (T0 + 60_000, T0 + 60_000)]) is None
    assert estimate_speed([(T0, T0), (T0, T0 - 10**9), (T0 + 9, T0 + 9)]) is None
    assert estimate_speed([]) is None


NODE = {"steps": [{"run": {"status": "a"}}]}


def test_another_scenario_stays_with_no_weight():
    assert set_weight_to_zero("  # x\n  a:\n    weight: 3\n    steps: []\n") == (
        "  # x\n  a:\n    weight: 0\n    steps: []\n"
    )
    assert set_weight_to_zero("  # x\n  a:\n    steps: []\n") == (
        "  # x\n  a:\n    weight: 0\n    steps: []"
    )


def test_a_scenario_is_added_and_the_text_stays():
    text = (
        "api: x\n\nscenarios:\n    # One.\n    one:\n        steps:\n"
        "        - run: {}  # end\n\n# Then.\nhistory: []\n"
    )
    more = add_scenario(text, "two", format_scenario("two", NODE, ["Two."]))
    new = "    # Two.\n    two:\n      steps:\n        - run: {status: a}\n"
    assert more == text.replace("# end\n", f"# end\n\n{new}")


@pytest.mark.parametrize("text", ["api: x\n", "api: x", "api: x\nscenarios:\n  a: {}"])
def test_a_scenario_is_added_wherever_there_is_room(text):
    document = parse_document(add_scenario(text, "two", format_scenario("two", NODE)))
    assert document["api"] == "x"
    assert document["scenarios"]["two"] == NODE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scenarios: {a: {}}\n", "in braces on line 1"),
        ("scenarios:\n  two: {}\n", "there is a scenario 'two' already; see --name"),
    ],
)
def test_a_scenario_that_cannot_be_added_is_rejected(text, message):
    with pytest.raises(UnusableRecording, match=message):
        add_scenario(text, "two", format_scenario("two", NODE))
