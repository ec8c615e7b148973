"""Overlays: every action changes what it names, and nothing may miss."""

import copy

import pytest

from soundstage.openapi.errors import DocumentError
from soundstage.openapi.overlay import apply

DOCUMENT = {
    "info": {"title": "A", "tags": ["x"]},
    "paths": {"/a": {"get": {"n": 1}}, "/b": {"get": {"n": 2}, "put": {"n": 3}}},
    "list": [{"k": 1}, {"k": 2}, {"k": 3}],
}


@pytest.mark.parametrize(
    ("target", "action", "place", "value"),
    [
        ("$.info", {"update": {"title": "B"}}, "info", {"title": "B", "tags": ["x"]}),
        ("$.info", {"update": {"tags": ["y"]}}, "info",
         {"title": "A", "tags": ["x", "y"]}),
        ("$.info.tags", {"update": "y"}, "info", {"title": "A", "tags": ["x", "y"]}),
        ("$.info.tags", {"update": ["y", "z"]}, "info",
         {"title": "A", "tags": ["x", "y", "z"]}),
        ("$.list", {"update": {"k": 4}}, "list",
         [{"k": 1}, {"k": 2}, {"k": 3}, {"k": 4}]),
        ("$.info.title", {"update": "B"}, "info", {"title": "B", "tags": ["x"]}),
        ("$.info", {"update": {"title": {"deep": 1}}}, "info",
         {"title": {"deep": 1}, "tags": ["x"]}),
        ("$", {"update": {"new": {"a": 1}}}, "new", {"a": 1}),
        ("$.paths.*.get", {"update": {"m": 0}}, "paths",
         {"/a": {"get": {"n": 1, "m": 0}},
          "/b": {"get": {"n": 2, "m": 0}, "put": {"n": 3}}}),
        ("$.paths['/b']", {"remove": True}, "paths", {"/a": {"get": {"n": 1}}}),
        ("$.list[0,2]", {"remove": True}, "list", [{"k": 2}]),
        ("$.list[?@.k > 1]", {"remove": True}, "list", [{"k": 1}]),
        ("$.list[*].k", {"remove": True}, "list", [{}, {}, {}]),
        ("$..n", {"update": 9}, "paths",
         {"/a": {"get": {"n": 9}}, "/b": {"get": {"n": 9}, "put": {"n": 9}}}),
        ("$.list[1]", {"remove": False, "update": {"k": 9}}, "list",
         [{"k": 1}, {"k": 9}, {"k": 3}]),
    ],
)  # fmt: skip
def test_an_action_changes_what_it_names(target, action, place, value):
    before = copy.deepcopy(DOCUMENT)
    result = apply(DOCUMENT, {"actions": [{"target": target, **action}]})
    assert result[place] == value
    assert {k: v for k, v in result.items() if k != place} == {
        k: v for k, v in DOCUMENT.items() if k != place
    }
    assert before == DOCUMENT


def test_actions_follow_each_other():
    actions = [
        {"target": "$.info", "update": {"extra": {"a": 1}}},
        {"target": "$.info.extra", "update": {"b": 2}},
        {"target": "$.info.extra.a", "remove": True},
    ]
    assert apply(DOCUMENT, {"actions": actions})["info"]["extra"] == {"b": 2}


def test_places_that_are_updated_alike_do_not_share_the_update():
    update = {"update": {"extra": {"a": 1}}}
    actions = [{"target": "$.list[*]", **update}]
    actions.append({"target": "$.list[0].extra", "update": {"b": 2}})
    assert apply(DOCUMENT, {"actions": actions})["list"][1]["extra"] == {"a": 1}


@pytest.mark.parametrize(
    ("target", "word"),
    [
        ("$.nobody", "matches nothing"),
        ("$.list[?@.k == 9]", "matches nothing"),
        ("$.list[", "not a JSONPath"),
        ("list", "not a JSONPath"),
        ("", "not a JSONPath"),
    ],
)
def test_an_action_that_misses_is_refused_with_its_place(target, word):
    fine = {"target": "$.info", "update": {"title": "B"}}
    actions = [fine, {"target": target, "remove": True}]
    with pytest.raises(DocumentError, match=word) as caught:
        apply(DOCUMENT, {"actions": actions})
    assert caught.value.pointer == "/actions/1/target"
