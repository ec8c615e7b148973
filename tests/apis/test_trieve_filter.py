"""Trieve: filters of chunks."""

import pytest

from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.filters import matches
from soundstage.apis.trieve.geometry import Point, is_in_box, is_in_circle, is_in_polygon

CHUNK = {
    "id": "d290f1ee-6c54-4b01-90e6-d701748f0851",
    "tracking_id": "a",
    "link": "l",
    "tag_set": ["x", "y"],
    "num_value": 12.5,
    "time_stamp": "2021-06-01T00:00:00",
    "location": {"lat": 52.5, "lon": 13.4},
    "metadata": {"size": 3, "new": True, "deep": {"er": "z"}, "list": [1, "b"]},
}
MEMBERSHIPS = {"group_ids": ["g1", "g2"], "group_tracking_ids": ["chapter"]}

YES, NO = {"field": "link", "match_any": ["l"]}, {"field": "link", "match_any": ["m"]}


def is_match(**chunk_filter):
    return matches(CHUNK, MEMBERSHIPS, chunk_filter)


@pytest.mark.parametrize(
    ("chunk_filter", "expected"),
    [
        ({}, True),
        ({"must": [], "must_not": None, "should": []}, True),
        ({"must": [YES, YES]}, True),
        ({"must": [YES, NO]}, False),
        ({"must_not": [NO]}, True),
        ({"must_not": [NO, YES]}, False),
        ({"should": [NO, YES]}, True),
        ({"should": [NO]}, False),
        ({"must": [YES], "should": [NO]}, False),
        ({"must": [YES], "must_not": [NO], "should": [YES]}, True),
    ],
)
def test_a_filter_needs_all_of_must_none_of_must_not_and_one_of_should(chunk_filter, expected):
    assert is_match(**chunk_filter) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "tag_set", "match_any": ["y", "z"]}, True),
        ({"field": "tag_set", "match_any": []}, False),
        ({"field": "tag_set", "match_all": ["y", "x"]}, True),
        ({"field": "tag_set", "match_all": ["y", "z"]}, False),
        ({"field": "tag_set", "match_all": ["z"], "match_any": ["x"]}, True),
        ({"field": "tag_set", "match_all": []}, True),
        ({"field": "group_ids", "match_any": ["g2"]}, True),
        ({"field": "group_tracking_ids", "match_all": ["chapter"]}, True),
        ({"field": "num_value", "match_any": [12.5]}, True),
        ({"field": "metadata.size", "match_any": [3.0]}, True),
        ({"field": "metadata.new", "match_any": [1]}, False),
        ({"field": "metadata.deep.er", "match_any": ["z"]}, True),
        ({"field": "metadata.list", "match_all": [1, "b"]}, True),
        ({"field": "metadata.deep.none.more", "match_any": ["z"]}, False),
        ({"field": "metadata.new", "boolean": True}, True),
        ({"field": "metadata.new", "boolean": False}, False),
        ({"field": "metadata.size", "boolean": True}, False),
        ({"field": "num_value", "range": {"gt": 12, "lt": 13}}, True),
        ({"field": "num_value", "range": {"gte": 12.5, "lte": 12.5}}, True),
        ({"field": "num_value", "range": {"gt": 12.5}}, False),
        ({"field": "num_value", "range": {"lt": 12.5}}, False),
        ({"field": "num_value", "range": {"gte": 13, "lte": None}}, False),
        ({"field": "num_value", "range": {"lte": 12}}, False),
        ({"field": "metadata.new", "range": {"gte": 0}}, False),
        ({"field": "link", "range": {"gte": 0}}, False),
        ({"field": "timestamp", "date_range": {"gt": "2021-05-31", "lt": "2021-06-02"}},
         True),
        ({"field": "time_stamp", "date_range": {"gte": "2021-06-01 00:00:00Z"}}, True),
        ({"field": "time_stamp", "date_range": {"gt": "2021-06-01"}}, False),
        ({"field": "num_value", "date_range": {"gt": "2021-06-01"}}, False),
        ({"field": "time_stamp", "date_range": {"lt": "2022-01-01", "more": {}}}, True),
        ({"field": "tag_set", "match_any": ["x"], "range": {"gt": 1}}, False),
        ({"field": "link"}, False),
        ({"ids": [CHUNK["id"].upper()]}, True),
        ({"tracking_ids": ["b", "a"]}, True),
        ({"ids": [], "tracking_ids": None}, False),
        ({}, False),
        ({"field": "location", "geo_radius": {"center": {"lat": 52.5, "lon": 13.3},
                                              "radius": 7_000}}, True),
        ({"field": "location", "geo_radius": {"center": {"lat": 52.5, "lon": 13.3},
                                              "radius": 6_000}}, False),
        ({"field": "link", "geo_radius": {"center": {"lat": 0, "lon": 0},
                                          "radius": 1e9}}, False),
        ({"field": "metadata", "geo_radius": {"center": {"lat": 0, "lon": 0},
                                              "radius": 1e9}}, False),
    ],
)  # fmt: skip
def test_a_condition_tests_its_field(condition, expected):
    assert is_match(must=[condition]) is expected


def test_a_bound_that_is_no_time_is_rejected():
    with pytest.raises(RejectedRequest, match="Invalid timestamp format"):
        is_match(must=[{"field": "time_stamp", "date_range": {"gt": "soon"}}])


def corner(lat, lon):
    return {"lat": lat, "lon": lon}


@pytest.mark.parametrize(
    ("point", "corners", "inside"),
    [
        ((1, 1), ((2, 0), (0, 2)), True),
        ((3, 1), ((2, 0), (0, 2)), False),
        ((1, 3), ((2, 0), (0, 2)), False),
        ((0, 179), ((1, 170), (-1, -170)), True),
        ((0, -179), ((1, 170), (-1, -170)), True),
        ((0, 0), ((1, 170), (-1, -170)), False),
    ],
)
def test_a_box_may_cross_the_date_line(point, corners, inside):
    box = {"top_left": corner(*corners[0]), "bottom_right": corner(*corners[1])}
    assert is_in_box(Point(*point), box) is inside


@pytest.mark.parametrize(
    ("point", "inside"),
    [((1, 1), True), ((1, 9), True), ((5, 5), False), ((11, 5), False), ((5, -1), False)],
)
def test_a_hole_is_not_in_its_polygon(point, inside):
    ring = [corner(*c) for c in ((0, 0), (0, 10), (10, 10), (10, 0))]
    hole = [corner(*c) for c in ((4, 4), (4, 6), (6, 6), (6, 4), (4, 4))]
    polygon = {"exterior": ring, "interior": [hole]}
    assert is_in_polygon(Point(*point), polygon) is inside


def test_a_degree_of_latitude_is_111_kilometres():
    center = {"center": corner(0, 0)}
    assert is_in_circle(Point(1, 0), {**center, "radius": 111_200})
    assert not is_in_circle(Point(1, 0), {**center, "radius": 111_100})
