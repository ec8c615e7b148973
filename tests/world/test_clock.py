"""Virtual time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundstage.world.clock import (
    DAY,
    HOUR,
    MAX_TIMESTAMP,
    MIN_TIMESTAMP,
    MINUTE,
    SECOND,
    Clock,
    clamp_timestamp,
    format_rfc3339,
    parse_duration,
    parse_rfc3339,
    wall_clock_now,
)
from support.strategies import NOW

instants = st.integers(MIN_TIMESTAMP, MAX_TIMESTAMP)


class Wall:
    """A wall clock in the test's hand."""

    def __init__(self):
        self.ms = 5_000

    def __call__(self):
        return self.ms


@pytest.mark.parametrize(
    ("speed", "elapsed", "gone"),
    [(1, 1000, 1000), (60, 1000, 60_000), (0.5, 1001, 500), (0, 1000, 0)],
)
def test_a_clock_follows_the_wall_clock_at_its_speed(speed, elapsed, gone):
    wall = Wall()
    clock = Clock(NOW, speed, wall)
    wall.ms += elapsed
    assert clock.now() == NOW + gone
    assert clock.speed == speed


def test_a_clock_begins_at_the_wall_clock_time_by_default():
    assert abs(Clock(speed=0).now() - wall_clock_now()) < MINUTE


def test_a_clock_follows_the_machine_by_default():
    clock = Clock(NOW, 1_000_000)
    before = clock.now()
    assert any(clock.now() > before for _ in range(10**6))  # a tick is 1 ms


@pytest.mark.parametrize("speed", [0, 1, 60])
def test_an_advance_adds_to_the_elapsed_time(speed):
    wall = Wall()
    clock = Clock(NOW, speed, wall)
    wall.ms += 10
    assert clock.advance(HOUR) == NOW + HOUR + 10 * speed == clock.now()
    wall.ms += 10
    assert clock.now() == NOW + HOUR + 20 * speed


def test_a_new_speed_counts_from_when_it_is_set():
    wall = Wall()
    clock = Clock(NOW, 1, wall)
    wall.ms += 1000
    clock.set_speed(10)
    wall.ms += 1000
    clock.set_speed(0)
    wall.ms += 1000
    assert clock.now() == NOW + 11_000


turns = st.one_of(
    st.tuples(st.just("wall"), st.integers(0, DAY)),
    st.tuples(st.just("advance"), st.integers(0, DAY)),
    st.tuples(st.just("set_speed"), st.floats(0, 1000)),
)


@given(st.lists(turns))
def test_a_clock_never_goes_back(turns):
    wall = Wall()
    clock = Clock(NOW, 1, wall)
    shown = [clock.now()]
    for turn, amount in turns:
        if turn == "wall":
            wall.ms += amount
        else:
            getattr(clock, turn)(amount)
        shown.append(clock.now())
    assert shown == sorted(shown)


def test_a_clock_rejects_a_negative_advance():
    clock = Clock(NOW, 0)
    with pytest.raises(ValueError, match="not -1 ms"):
        clock.advance(-1)
    assert clock.now() == NOW


def test_a_clock_stops_where_the_years_end():
    wall = Wall()
    clock = Clock(MAX_TIMESTAMP - 5, 1, wall)
    wall.ms += 6
    assert clock.now() == MAX_TIMESTAMP
    assert clock.advance(0) == MAX_TIMESTAMP
    with pytest.raises(ValueError, match="years 0001 to 9999"):
        clock.advance(1)
    assert clock.now() == MAX_TIMESTAMP


@pytest.mark.parametrize("speed", [-1, -0.001, 1_000_001, float("inf"), float("nan")])
def test_an_impossible_speed_is_rejected(speed):
    with pytest.raises(ValueError, match="from 0 to 1000000"):
        Clock(NOW, speed)
    clock = Clock(NOW, 0)
    with pytest.raises(ValueError, match="from 0 to 1000000"):
        clock.set_speed(speed)
    assert clock.speed == 0


@pytest.mark.parametrize("start", [MIN_TIMESTAMP - 1, MAX_TIMESTAMP + 1])
def test_a_clock_does_not_begin_outside_the_years(start):
    with pytest.raises(ValueError, match="years 0001 to 9999"):
        Clock(start)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (NOW, "2026-01-01T00:00:00.000Z"),
        (NOW + DAY + HOUR + MINUTE + SECOND + 1, "2026-01-02T01:01:01.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (MIN_TIMESTAMP, "0001-01-01T00:00:00.000Z"),
        (MAX_TIMESTAMP, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_timestamp_is_formatted_by_rfc_3339(instant, text):
    assert format_rfc3339(instant) == text
    assert parse_rfc3339(text) == instant


@given(instants, instants)
def test_the_order_of_the_texts_is_the_order_of_the_timestamps(one, other):
    assert (format_rfc3339(one) < format_rfc3339(other)) == (one < other)
    assert parse_rfc3339(format_rfc3339(one)) == one


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-01T00:00:00Z", NOW),
        ("2026-01-01t00:00:00z", NOW),
        ("2026-01-01T01:30:00+01:30", NOW),
        ("2025-12-31T23:00:00-01:00", NOW),
        ("2026-01-01T00:00:00-00:00", NOW),
        ("2026-01-01T00:00:00.5Z", NOW + 500),
        ("2026-01-01T00:00:00.05+00:00", NOW + 50),
        ("2026-01-01T00:00:00.001999999999Z", NOW + 1),
        ("2025-12-31T23:59:60Z", NOW),
        ("2025-12-31T23:59:60.25Z", NOW + 250),
        ("0000-06-01T00:00:00Z", MIN_TIMESTAMP),
        ("0001-01-01T00:00:00+00:01", MIN_TIMESTAMP),
        ("9999-12-31T23:59:59.999-00:01", MAX_TIMESTAMP),
    ],
)
def test_any_rfc_3339_text_is_parsed(text, instant):
    assert parse_rfc3339(text) == instant


@pytest.mark.parametrize(
    "text",
    """
    2026-01-01
    2026-01-01T00:00:00
    2026-01-01T00:00Z
    2026-01-01 00:00:00Z
    2026-1-1T00:00:00Z
    2026-01-01T00:00:00.Z
    2026-01-01T00:00:00+0100
    2026-01-01T00:00:00+24:00
    2026-01-01T25:00:00Z
    2026-01-01T00:60:00Z
    2026-02-29T00:00:00Z
    2026-13-01T00:00:00Z
    ٢٠٢٦-01-01T00:00:00Z
    2026-01-01T00:00:00ZZ
    now
    1767225600000
    """.strip().splitlines(),
)
def test_any_other_text_is_no_timestamp(text):
    with pytest.raises(ValueError, match=r"."):
        parse_rfc3339(text.strip())


@pytest.mark.parametrize(
    ("instant", "nearest"),
    [
        (MIN_TIMESTAMP - 1, MIN_TIMESTAMP),
        (MIN_TIMESTAMP, MIN_TIMESTAMP),
        (NOW, NOW),
        (MAX_TIMESTAMP, MAX_TIMESTAMP),
        (MAX_TIMESTAMP + 1, MAX_TIMESTAMP),
    ],
)
def test_a_time_outside_the_years_is_clamped(instant, nearest):
    assert clamp_timestamp(instant) == nearest


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0s", 0),
        ("250ms", 250),
        ("4s", 4 * SECOND),
        ("2m", 2 * MINUTE),
        ("3h", 3 * HOUR),
        ("7d", 7 * DAY),
        ("090s", 90 * SECOND),
    ],
)
def test_a_duration_is_a_number_and_its_unit(text, span):
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "5", "s", "1.5s", "-1s", "1 s", "1S", "1w", "1s "])
def test_any_other_text_is_no_duration(text):
    with pytest.raises(ValueError, match="is not a duration such as 250ms"):
        parse_duration(text)
