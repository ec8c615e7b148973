"""OpenAPI schemas in one form: what both versions mean."""

import pytest

from soundstage.openapi.errors import DocumentError
from soundstage.openapi.schema import FORMAT_BOUNDS, Direction, compile_schema, possible_types

I32, I64 = FORMAT_BOUNDS["int32"], FORMAT_BOUNDS["int64"]
UUID = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"


def compiled(node, version="3.1.0", side=Direction.RESPONSE, **schemas):
    document = {"openapi": version, "components": {"schemas": schemas}}
    return compile_schema(document, node, "/here", side)


@pytest.mark.parametrize(
    ("version", "node", "good", "bad"),
    [
        ("3.0.3", {"type": "string", "nullable": True}, ["a", None], [1]),
        ("3.0.3", {"type": "string", "nullable": False}, ["a"], [None]),
        ("3.0.3", {"enum": ["a"], "nullable": True}, ["a", None], ["b"]),
        ("3.0.3", {"type": "string", "enum": ["a", None], "nullable": True},
         ["a", None], ["b"]),
        ("3.0.3", {"nullable": True}, [None, 1], []),
        ("3.0.3", {"allOf": [{"type": "string"}], "nullable": True},
         ["a", None], [1]),
        ("3.0.3", {"minimum": 1, "exclusiveMinimum": True}, [1.1], [1]),
        ("3.0.3", {"minimum": 1, "exclusiveMinimum": False}, [1], [0.9]),
        ("3.0.3", {"maximum": 1, "exclusiveMaximum": True}, [0.9], [1]),
        ("3.1.0", {"exclusiveMinimum": 1}, [2], [1]),
        ("3.1.0", {"type": ["string", "null"]}, ["a", None], [1]),
        ("3.1.0", {"oneOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
         ["a", None], ["b", 1]),
        ("3.1.0", {"oneOf": [{"type": "null"}, {"type": "object"}]}, [None, {}], [1]),
        ("3.1.0", {"oneOf": [{"type": "integer"}, {"type": "number"}]}, [1.5], [1]),
        ("3.1.0", {"const": 1}, [1, 1.0], [2, True]),
        ("3.1.0", {"prefixItems": [{"type": "string"}], "items": False},
         [["a"], []], [["a", 1], [1]]),
        ("3.1.0", True, [None, {}], []),
        ("3.1.0", False, [], [None, {}]),
        ("3.1.0", {"type": "integer", "format": "int32"}, I32, [I32[1] + 1]),
        ("3.1.0", {"type": "integer", "format": "int64"}, I64, [I64[0] - 1]),
        ("3.0.3", {"type": "integer", "format": "int64", "minimum": 1},
         [1, I64[1]], [0, I64[1] + 1]),
        ("3.1.0", {"type": "integer", "format": "int32", "maximum": 10**12},
         [I32[1]], [I32[1] + 1]),
        ("3.1.0", {"type": "integer"}, [1, 1.0, 10**400], [1.5, "1", True]),
        ("3.1.0", {"type": "string", "format": "uuid"}, [UUID, UUID.upper()],
         ["", UUID[:-1], f"{{{UUID}}}", UUID.replace("-", "")]),
        ("3.0.3", {"type": "string", "format": "byte"}, ["", "YQ==", "YWJj"],
         ["YQ", "YQ===", "Y Q=", "-_==", "é"]),
        ("3.1.0", {"type": "string", "format": "date-time"},
         ["2026-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2024-02-29t00:00:00.1Z"],
         ["2026-01-01", "2026-02-29T00:00:00Z", "2026-01-01T00:00:00", "now"]),
        ("3.1.0", {"type": "string", "format": "nobody's"}, ["any"], [1]),
        ("3.1.0", {"pattern": "^[a-z]+$"}, ["a", 1], ["a\n", "A", ""]),
        ("3.1.0", {"maxLength": 1}, ["\U0001f600"], ["ab"]),
    ],
)  # fmt: skip
def test_a_schema_admits_what_its_version_says(version, node, good, bad):
    schema = compiled(node, version)
    assert [value for value in good if not schema.is_valid(value)] == []
    assert [value for value in bad if schema.is_valid(value)] == []
    assert all(schema.find_violations(value, "body") for value in bad)


@pytest.mark.parametrize(
    ("version", "node", "pointer", "word"),
    [
        ("3.1.0", {"nullable": True}, "/here/nullable", "overlay"),
        ("3.1.0", {"properties": {"a": {"items": {"nullable": False}}}},
         "/here/properties/a/items/nullable", "3.1"),
        ("3.1.0", {"maximun": 1}, "/here/maximun", "'maximun' is not a keyword"),
        ("3.0.3", {"allOf": [{}, {"types": "string"}]}, "/here/allOf/1/types", "types"),
        ("3.1.0", {"$ref": "#/components/schemas/Nobody"}, "/here", "does not exist"),
        ("3.1.0", {"$ref": "https://example.com/a.json"}, "/here", "within"),
        ("3.1.0", {"$ref": "other.yaml#/A"}, "/here", "within"),
        ("3.1.0", {"items": [{}]}, "/here/items", "a schema must be an object"),
        ("3.1.0", {"type": "text"}, "/here", "not a usable schema"),
        ("3.1.0", {"pattern": "("}, "/here", "not a usable schema"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_with_its_place(version, node, pointer, word):
    with pytest.raises(DocumentError, match=word) as caught:
        compiled(node, version).compile()
    assert caught.value.pointer == pointer


def test_what_is_wrong_is_said_where_null_would_have_done_too():
    schema = compiled({"allOf": [{"enum": ["a"]}], "nullable": True}, "3.0.3")
    assert [v.rule for v in schema.find_violations("b", "body")] == ["enum"]


def test_a_fault_behind_a_reference_is_named_where_it_stands():
    with pytest.raises(DocumentError) as caught:
        compiled({"$ref": "#/components/schemas/A"}, A={"nullable": True})
    assert caught.value.pointer == "/components/schemas/A/nullable"


@pytest.mark.parametrize(
    "keyword", ["x-anything", "description", "example", "discriminator", "$comment"]
)
def test_a_keyword_that_admits_everything_is_passed_over(keyword):
    assert compiled({keyword: "lorem", "type": "string"}).is_valid("a")


def test_a_reference_to_itself_is_followed_as_deep_as_the_value_goes():
    tree = {
        "type": "object",
        "properties": {"in": {"$ref": "#/components/schemas/Tree"}},
        "additionalProperties": False,
    }
    schema = compiled({"$ref": "#/components/schemas/Tree"}, Tree=tree)
    assert schema.is_valid({"in": {"in": {"in": {}}}})
    (violation,) = schema.find_violations({"in": {"in": {"out": 1}}}, "body")
    assert violation.pointer == "/in/in"


def test_beside_a_reference_only_3_1_knows_other_keywords():
    node = {"$ref": "#/components/schemas/A", "maxLength": 1}
    assert compiled(node, "3.0.3", A={"type": "string"}).is_valid("long")
    assert not compiled(node, "3.1.0", A={"type": "string"}).is_valid("long")


@pytest.mark.parametrize("key", ["a.b", "a-b_c", "a/b", "a~b", "/runs/{id}", "ä b"])
def test_a_reference_may_lead_anywhere_in_the_document(key):
    step = key.replace("~", "~0").replace("/", "~1")
    schema = compiled({"$ref": f"#/components/schemas/{step}"}, **{key: {"const": 1}})
    assert schema.is_valid(1)
    assert not schema.is_valid(2)


@pytest.mark.parametrize(("one", "other"), [("a_b", "a~1b"), ("A.properties.b", "A/properties/b")])
def test_references_that_look_alike_lead_apart(one, other):
    schemas = {
        "a_b": {"const": 1},
        "a/b": {"const": 2},
        "A": {"properties": {"b": {"const": 2}}},
        "A.properties.b": {"const": 1},
    }
    items = [{"$ref": f"#/components/schemas/{name}"} for name in (one, other)]
    schema = compiled({"prefixItems": items}, **schemas)
    assert schema.is_valid([1, 2])
    assert not schema.is_valid([1, 1])


@pytest.mark.parametrize(
    ("side", "required"), [(Direction.REQUEST, "writeOnly"), (Direction.RESPONSE, "readOnly")]
)
def test_a_side_need_not_say_what_only_the_other_one_says(side, required):
    node = {
        "required": ["readOnly", "writeOnly"],
        "properties": {
            "readOnly": {"readOnly": True},
            "writeOnly": {"$ref": "#/components/schemas/Secret"},
        },
    }
    schema = compiled(node, side=side, Secret={"writeOnly": True})
    assert schema.is_valid({required: 1})
    assert not schema.is_valid({})


def test_all_violations_are_found_each_with_its_place():
    items = {"type": "integer", "maximum": 3}
    node = {"properties": {"a/b": {"type": "array", "items": items}}, "required": ["c"]}
    violations = compiled(node).find_violations({"a/b": [1, "2", 4]}, "body")
    assert sorted((v.pointer, v.rule) for v in violations) == [
        ("", "required"),
        ("/a~1b/1", "type"),
        ("/a~1b/2", "maximum"),
    ]
    assert {v.display_path for v in violations} == {"body", "body.a/b[1]", "body.a/b[2]"}


@pytest.mark.parametrize(
    ("node", "types"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["array", "null"]}, {"array", "null"}),
        ({"type": "number"}, {"number", "integer"}),
        ({"enum": [1, "a", None]}, {"integer", "string", "null"}),
        ({"const": 1.5}, {"number"}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"string", "null"}),
        ({"allOf": [{"type": ["string", "null"]}, {"enum": ["a"]}]}, {"string"}),
        ({"$ref": "#/components/schemas/A"}, {"boolean"}),
    ],
)
def test_the_types_of_a_schema_are_known(node, types):
    schema = compiled(node, A={"type": "boolean"})
    assert possible_types(schema.root, schema.root) == types
