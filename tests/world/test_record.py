"""Records and collections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundstage.world.collection import Collection
from soundstage.world.ids import uuid
from soundstage.world.record import BEGINNING, Record, RecordType

EVENT = RecordType("event", "events", "id", uuid, parent_field="run")
RUN = RecordType("run", "runs", "id", uuid)
FOREVER = 2**62


def record(record_id, *times, parent="a", kind=EVENT):
    documents = tuple({"id": record_id, "run": parent, "at": time} for time in times)
    return Record(kind, record_id, times, documents)


def collection(*records):
    result = Collection(EVENT)
    for each in records:
        result.add(each)
    return result


def ids(documents):
    return [document["id"] for document in documents]


THREE = record("x", 10, 20, 30)


@pytest.mark.parametrize(
    ("now", "at"),
    [(9, None), (10, 10), (19, 10), (20, 20), (29, 20), (30, 30), (FOREVER, 30)],
)
def test_a_version_is_valid_from_its_timestamp_until_the_next(now, at):
    document = THREE.as_of(now)
    assert (document and document["at"]) == at


@pytest.mark.parametrize(
    ("now", "times"),
    [(10, (10,)), (19, (10,)), (20, (10, 20)), (29, (10, 20)), (30, (10, 20, 30))],
)
def test_a_truncated_record_keeps_the_earlier_versions(now, times):
    kept = THREE.truncate(now)
    assert kept.timestamps == times
    assert kept.versions == THREE.versions[: len(times)]
    assert (kept.record_type, kept.id, kept.name) == (
        THREE.record_type,
        THREE.id,
        THREE.name,
    )


def test_nothing_is_left_of_a_record_truncated_before_its_creation():
    assert THREE.truncate(9) is None


@given(st.lists(st.integers(0, 50), min_size=1, unique=True), st.data())
def test_a_truncated_record_is_the_same_up_to_that_time(times, data):
    whole = record("x", *sorted(times))
    now = data.draw(st.integers(min(times), 60))
    kept = whole.truncate(now)
    assert [kept.as_of(t) for t in range(now + 1)] == [whole.as_of(t) for t in range(now + 1)]
    assert kept.as_of(FOREVER) == whole.as_of(now)


def test_a_record_of_the_fixture_exists_at_every_time():
    there = collection(record("x", BEGINNING))
    assert ids(there.all(-(10**15))) == ["x"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [(4, []), (5, ["b"]), (10, ["b", "a", "c"]), (99, list("bacd"))],
)
def test_records_are_listed_in_order_of_creation_and_ties_as_added(now, expected):
    there = collection(record("a", 10), record("b", 5), record("c", 10), record("d", 20))
    assert ids(there.all(now)) == expected


def test_a_record_is_found_by_its_id_from_its_creation_on():
    there = collection(THREE)
    assert there.get("x", 9) is None
    assert there.get("x", 25) == THREE.versions[1]
    assert there.get("y", 25) is None


def test_children_are_the_records_of_one_parent():
    there = collection(
        record("a", 10, parent=1), record("b", 5, parent=2), record("c", 7, parent=1)
    )
    assert ids(there.children(1, 99)) == ["c", "a"]
    assert ids(there.children(1, 9)) == ["c"]
    assert there.children(3, 99) == []


def test_a_replacement_takes_the_place_of_the_old_record():
    one, two, three = record("a", 10), record("b", 10, 30), record("c", 10)
    there = collection(one, two, three)
    there.replace(two, record("b", 10))
    assert ids(there.all(99)) == ids(there.children("a", 99)) == ["a", "b", "c"]
    assert there.get("b", 99)["at"] == 10


@pytest.mark.parametrize("gone", range(3))
def test_a_removed_record_is_not_found(gone):
    three = [record(name, 10) for name in "abc"]
    there = collection(*three)
    there.replace(three[gone], None)
    rest = [name for name in "abc" if name != three[gone].id]
    assert ids(there.all(99)) == ids(there.children("a", 99)) == rest
    assert there.get(three[gone].id, 99) is None


def test_a_record_type_without_parent_has_no_children():
    there = Collection(RUN)
    there.add(record("a", 10, kind=RUN))
    there.replace(record_of(there), None)
    assert there.all(99) == there.children("a", 99) == []


def record_of(there):
    (only,) = there
    return only


begins = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), max_size=20)


@given(begins, st.sets(st.integers(0, 19)), st.integers(0, 6))
def test_a_collection_is_a_stable_sort_of_what_was_added_and_not_removed(begins, removed, now):
    every = [record(str(i), at, parent=p) for i, (at, p) in enumerate(begins)]
    there = collection(*every)
    for i in removed & set(range(len(every))):
        there.replace(every[i], None)
    kept = [r for i, r in enumerate(every) if i not in removed]
    expected = [r for r in sorted(kept, key=lambda r: r.created_at) if r.created_at <= now]
    assert ids(there.all(now)) == [r.id for r in expected]
    for parent in "ab":
        listed = [r.id for r in expected if r.versions[0]["run"] == parent]
        assert ids(there.children(parent, now)) == listed
