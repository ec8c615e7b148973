"""The values that a schema lists: where they stand, and which a value has."""

import pytest

from soundstage.openapi.enums import EnumIndex, EnumValue, canonical_json
from soundstage.openapi.schema import Direction, compile_schema

ROWS = [
    # schema, value, all that are listed, those that the value has
    ({"enum": ["a", "b"]}, "a", ['="a"', '="b"'], ['="a"']),
    ({"enum": ["1", 1, 1.0, True, None]}, 1, ['="1"', "=1", "=true", "=null"], ["=1"]),
    ({"const": "a"}, "b", ['="a"'], []),
    (
        {"properties": {"a": {"enum": [1]}, "b": {"type": "string"}}},
        {"a": 1, "b": 1},
        [".a=1"],
        [".a=1"],
    ),
    ({"items": {"enum": [1, 2]}}, [2, 3, 2], ["[]=1", "[]=2"], ["[]=2"]),
    (
        {"prefixItems": [{"enum": [1]}, {}], "items": {"enum": [2]}},
        [1, 2, 2],
        ["[0]=1", "[]=2"],
        ["[0]=1", "[]=2"],
    ),
    ({"properties": {"a": {}}, "additionalProperties": {"enum": [1]}}, {"a": 1}, [".*=1"], []),
    ({"additionalProperties": {"enum": [1]}}, {"x": 1}, [".*=1"], [".*=1"]),
    ({"patternProperties": {"^x": {"enum": [1]}}}, {"x": 1}, [".*=1"], [".*=1"]),
    (
        {"oneOf": [{"enum": ["a"]}, {"allOf": [{"enum": ["b"]}]}, {"type": "string"}]},
        "b",
        ['="a"', '="b"'],
        ['="b"'],
    ),
    ({"if": {"enum": [0]}, "then": {"enum": [1]}, "not": {"enum": [2]}}, 1, ["=1"], ["=1"]),
    (
        {"anyOf": [{"properties": {"t": {"const": "x"}}}], "properties": {"t": {"enum": ["y"]}}},
        {"t": "x"},
        ['.t="x"', '.t="y"'],
        ['.t="x"'],
    ),
    ({"enum": [[1, 2], {"b": 1, "a": 2}]}, {"a": 2, "b": 1}, None, ['={"a":2,"b":1}']),
    ({"type": "string"}, "a", [], []),
]


def shown(values):
    return sorted({f"{one.path}={one.text}" for one in values})


@pytest.mark.parametrize(("schema", "value", "listed", "found"), ROWS)
def test_values_are_listed_where_they_stand(schema, value, listed, found):
    lists = EnumIndex(schema)
    assert shown(lists.find_in(value)) == sorted(found)
    if listed is not None:
        assert shown(lists.values) == sorted(listed)


TREE = {
    "openapi": "3.1.0",
    "components": {
        "schemas": {
            "Span": {
                "properties": {
                    "kind": {"enum": ["root", "leaf"]},
                    "spans": {"items": {"$ref": "#/components/schemas/Span"}},
                }
            }
        }
    },
}


def test_a_schema_in_itself_is_listed_once_and_looked_through_to_the_bottom():
    node = {"properties": {"top": {"$ref": "#/components/schemas/Span"}}}
    lists = compile_schema(TREE, node, "", Direction.RESPONSE).enums
    assert shown(lists.values) == ['.top.kind="leaf"', '.top.kind="root"']
    deep = {"kind": "leaf"}
    for _ in range(3000):
        deep = {"kind": "root", "spans": [deep]}
    assert shown(lists.find_in({"top": deep})) == ['.top.kind="leaf"', '.top.kind="root"']


def test_a_schema_that_is_used_twice_is_listed_at_both_places():
    ref = {"$ref": "#/$defs/s"}
    lists = EnumIndex({"properties": {"a": ref, "b": ref}, "$defs": {"s": {"enum": [1]}}})
    assert shown(lists.values) == [".a=1", ".b=1"]
    assert shown(lists.find_in({"b": 1})) == [".b=1"]


def test_schemas_that_say_nothing_but_each_other_come_to_an_end():
    lists = EnumIndex({"$ref": "#/$defs/s", "$defs": {"s": {"$ref": "#/$defs/s"}}})
    assert (lists.values, list(lists.find_in(1))) == ((), [])


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (1.5, "1.5"), (10**30, f"1{30 * '0'}"), ("é", '"é"')]
)
def test_equal_values_have_one_text(value, text):
    assert canonical_json(value) == text


def test_a_value_can_be_had_back():
    assert EnumValue("", '"a"').value == "a"
