"""Queries of long lists, copies, and caches."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundstage.world.collection import Collection
from soundstage.world.ids import uuid
from soundstage.world.query import (
    Between,
    GreaterThan,
    In,
    Matches,
    Query,
    execute_query,
    take_snapshots,
)
from soundstage.world.record import Record, RecordType, get_created_at
from soundstage.world.record_index import COLUMNAR_THRESHOLD, RecordIndex
from support.effort import examples

EVENT = RecordType("event", "events", "id", uuid, parent_field="run")
TIMES = st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True).map(sorted)
VALUES = st.sampled_from([None, "a", "b", "c"])
TESTS = st.one_of(
    st.builds(In, st.frozensets(VALUES, max_size=2)),
    st.builds(Between, VALUES, VALUES),
    st.builds(GreaterThan, st.sampled_from("abc")),
    st.just(Matches(lambda value: value in {None, "b"})),
)


def letter_and_time(document, at):
    return document["letter"] or "", at


def since(_document, at):
    return at


ASPECTS = st.sampled_from(["letter", letter_and_time, since])
QUERIES = st.builds(
    Query,
    conditions=st.lists(st.tuples(st.just("letter"), TESTS), max_size=2).map(tuple),
    order_by=st.none() | ASPECTS,
    descending=st.booleans(),
    offset=st.integers(0, 5),
    limit=st.integers(0, 9),
)


@st.composite
def made(draw, number):
    """A record; some of its versions may be deletions."""
    times = draw(TIMES)
    letters = [draw(VALUES) for _ in times]
    there = [draw(st.integers(0, 5)) > 0 for _ in times]
    documents = tuple(
        {"id": f"{number}", "run": "r", "letter": letter} if is_there else None
        for letter, is_there in zip(letters, there, strict=True)
    )
    return Record(EVENT, f"{number}", tuple(times), documents)


@st.composite
def lists(draw):
    """Rows, some of which are in a block, and the same records as a plain list."""
    first = [draw(made(n)) for n in range(draw(st.integers(0, 8)))]
    rows, plain = RecordIndex(), []
    for record in first:
        rows.add(record)
        plain.append(record)
    rows = rows.copy() if draw(st.booleans()) else rows
    plain.sort(key=get_created_at)
    for n in range(draw(st.integers(0, 5))):
        if plain and draw(st.booleans()):
            i = draw(st.integers(0, len(plain) - 1))
            old, new = plain[i], draw(made(plain[i].id))
            new = Record(
                EVENT,
                old.id,
                (old.created_at, old.created_at + 3),
                new.versions[:1] * 2,
            )
            rows.replace(old, new if draw(st.booleans()) else None)
            plain[i : i + 1] = [r for r in rows.records if r.id == old.id]
        else:
            record = draw(made(100 + n))
            rows.add(record)
            plain.append(record)
            plain.sort(key=get_created_at)
    return rows, plain


@given(lists(), st.integers(0, 13))
def test_records_are_in_order_of_creation_after_any_change(listed, now):
    rows, plain = listed
    assert list(rows.records) == plain
    begun = [record for record in plain if record.created_at <= now]
    assert list(rows.visible_at(now)) == begun
    assert list(rows.newest_first(now)) == begun[::-1]


@examples(400)
@given(lists(), QUERIES, st.integers(0, 13))
def test_columns_find_what_a_check_of_each_record_finds(listed, query, now):
    rows, plain = listed
    columns = rows._segment.columns
    page = columns.find(query, now, rows._changed, rows._added)
    begun = [record for record in plain if record.created_at <= now]
    assert page == execute_query(take_snapshots(begun, now), query)


@given(lists(), st.integers(0, 13))
def test_columns_return_every_value_of_a_field_and_no_other(listed, now):
    rows, plain = listed
    values = rows._segment.columns.distinct_values("letter", now, rows._changed, rows._added)
    there = [document for record in plain if (document := record.as_of(now))]
    assert values == rows.distinct_values("letter", now) == {each["letter"] for each in there}


@given(lists(), st.integers(0, 13))
def test_a_copy_and_its_original_are_independent(listed, now):
    rows, plain = listed
    copy = rows.copy()
    copy.add(Record(EVENT, "new", (0,), ({"id": "new"},)))
    for record in plain[:2]:
        copy.replace(record, None)
    assert list(rows.records) == plain
    assert rows.all(now) == [d for r in plain if r.created_at <= now and (d := r.as_of(now))]


class Watched(Record):
    """A record that counts how often one of its kind is looked at."""

    looks = 0

    def as_of(self, now):
        Watched.looks += 1
        return super().as_of(now)


def many(count):
    """A collection of events, and of what one changed world has made of it."""
    below = Collection(EVENT)
    for n in range(count):
        document = {"id": f"{n}", "run": "r", "letter": "abc"[n % 3], "number": n}
        below.add(Watched(EVENT, f"{n}", (n,), (document,)))
    return below


PAGES = [
    Query(offset=0, limit=20),
    Query(offset=40_000, limit=20, descending=True),
    Query((("letter", In(frozenset("a"))),), "number", offset=9_000, limit=20),
    Query((("number", Between(100, 45_000)),), "letter", descending=True, limit=20),
]


@pytest.mark.parametrize("parent", [None, "r"])
def test_a_page_of_many_records_reads_few(parent):
    below = many(50_000)
    copy = below.copy()
    for world in (below, copy):
        for query in PAGES:
            world.find(query, 10**6, parent)
    copy.replace(copy.get_record("7"), copy.get_record("7").replace_from(10**6, None))
    for query in PAGES:
        Watched.looks = 0
        page = copy.find(query, 10**6, parent)
        assert len(page.items) == 20
        assert Watched.looks <= 100


@pytest.mark.parametrize("tests", [
    (),
    (("number", Between(None, 2 * COLUMNAR_THRESHOLD)),),
    (("number", Between(3, 2)),),
    (("letter", In(frozenset({"aa"}))),),
    (("number", Matches(lambda number: number < 3)),),
    (("number", Matches(lambda number: number % 2)),),
    (("number", Matches(lambda number: number >= 0)), ("letter", In(frozenset()))),
])  # fmt: skip
@pytest.mark.parametrize("order", [None, "letter"])
@pytest.mark.parametrize("now", [COLUMNAR_THRESHOLD, 10**6])
def test_a_page_of_many_records_is_that_of_checking_each(tests, order, now):
    rows = many(2 * COLUMNAR_THRESHOLD).copy().index
    for start in (0, COLUMNAR_THRESHOLD // 2, 2 * COLUMNAR_THRESHOLD):
        query = Query(tests, order, descending=True, offset=start, limit=9)
        assert rows.find(query, now) == execute_query(
            take_snapshots(rows.visible_at(now), now), query
        )


def test_a_window_that_moves_with_the_clock_is_evaluated_once():
    rows = many(100).copy().index
    windows = [
        Query((("number", Between(start, 500 + start)),), "letter", limit=50)
        for start in (9, 9.5, 10, 20)
    ]
    assert rows.find(windows[0], 600).total == 91
    Watched.looks = 0
    assert [rows.find(each, 600).total for each in windows[1:3]] == [90, 90]
    assert rows.find(windows[1], 700) is rows.find(windows[2], 650)
    assert Watched.looks == 0
    ends = [Query((("number", Between(9, most)),)) for most in (49, 49.5, 50)]
    assert [rows.find(query, 650).total for query in ends] == [41, 41, 42]
    assert rows.find(windows[3], 650) == execute_query(
        take_snapshots(rows.visible_at(650), 650), windows[3]
    )


@given(lists(), QUERIES, TESTS, st.lists(st.integers(0, 13), max_size=3))
def test_cached_results_are_those_of_a_new_query(listed, one, test, moments):
    rows, plain = listed
    others = [
        {"conditions": (("letter", test),)},
        {"order_by": None if one.order_by else "letter"},
        {"descending": not one.descending},
        {"offset": one.offset + 1},
        {"limit": one.limit + 1},
    ]
    for now in (*moments, *moments):
        for query in (one, *(one._replace(**other) for other in others)):
            begun = [record for record in plain if record.created_at <= now]
            assert rows.find(query, now) == execute_query(take_snapshots(begun, now), query)
        for record in plain[:1]:
            plain.remove(record)
            rows.replace(record, None)


def test_the_newest_records_are_found_without_reading_the_others():
    copy = many(5_000).copy()
    copy.add(Record(EVENT, "x", (3_000,), ({"id": "x", "run": "r"},)))
    newest = copy.newest_first(3_000, "r")
    assert [next(newest).id for _ in range(3)] == ["x", "3000", "2999"]
