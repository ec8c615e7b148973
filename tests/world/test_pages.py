"""Order and pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundstage.world.query import count_pages, nulls_first, slice_page, sort_documents

lists = st.lists(st.integers(), max_size=60)
sizes = st.integers(1, 12)
documents = st.lists(st.builds(lambda n, i: {"n": n, "i": i}, st.integers(0, 3), st.integers()))


def by_n(document):
    return document["n"]


@given(lists, sizes)
def test_pages_tile_the_list_without_gap_or_overlap(items, size):
    every = [slice_page(items, n + 1, size) for n in range(count_pages(len(items), size))]
    assert [item for page in every for item in page] == items
    assert all(len(page) == size for page in every[:-1])
    assert all(every)


@given(lists, sizes, st.integers(1, 1000))
def test_a_page_past_the_end_is_empty(items, size, beyond):
    assert not slice_page(items, count_pages(len(items), size) + beyond, size)


@pytest.mark.parametrize(
    ("count", "size", "number"),
    [(0, 10, 0), (1, 10, 1), (10, 10, 1), (11, 10, 2), (3, 1, 3), (100, 7, 15)],
)
def test_the_number_of_pages_follows_from_the_number_of_items(count, size, number):
    assert count_pages(count, size) == number


@given(documents)
def test_a_list_is_in_the_order_of_its_key(documents):
    ascending = sort_documents(documents, by_n, descending=False)
    keys = [by_n(document) for document in ascending]
    assert keys == sorted(map(by_n, documents))


@given(documents)
def test_ties_keep_their_order(documents):
    ascending = sort_documents(documents, by_n, descending=False)
    for n in range(4):
        tied = [document for document in documents if by_n(document) == n]
        assert [document for document in ascending if by_n(document) == n] == tied


@given(documents)
def test_descending_is_ascending_read_backwards(documents):
    ascending = sort_documents(documents, by_n, descending=False)
    assert sort_documents(documents, by_n, descending=True) == ascending[::-1]


@given(documents)
def test_the_list_that_is_ordered_stays_as_it_is(documents):
    before = list(documents)
    sort_documents(documents, by_n, descending=True)
    assert documents == before


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([2, None, 1], [None, 1, 2]),
        (["b", None, "a", None], [None, None, "a", "b"]),
        ([0, None, -1], [None, -1, 0]),
        (["", None], [None, ""]),
    ],
)
def test_null_comes_before_any_value(values, expected):
    assert sorted(values, key=nulls_first) == expected
