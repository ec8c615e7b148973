"""The changes that ``soundstage diff`` finds: a row for every rule."""

from copy import deepcopy

import pytest

from soundstage.openapi.errors import DocumentError
from soundstage.tools.diff.changes import RULES
from soundstage.tools.diff.compare import compare
from soundstage.tools.diff.report import format_changes
from support.docs import DOCS

STRING, INTEGER = {"type": "string"}, {"type": "integer"}


def base(version="3.1.0"):
    return {
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "servers": [{"url": "https://api.test"}],
        "security": [{"key": []}],
        "paths": {
            "/runs/{id}": {
                "get": {
                    "operationId": "getRun",
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": STRING},
                        {"name": "q", "in": "query", "schema": STRING},
                    ],
                    "requestBody": {
                        "content": {"application/json": {"schema": {"type": "object"}}}
                    },
                    "responses": {
                        "200": {
                            "description": "It.",
                            "headers": {"X-Left": {"schema": INTEGER}},
                            "content": {"application/json": {"schema": {}}},
                        }
                    },
                }
            }
        },
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                "oauth": {"type": "oauth2", "flows": {}},
            },
            "schemas": {"A": {"type": "object", "required": ["a"]}, "B": STRING},
        },
    }


GET = ("paths", "/runs/{id}", "get")
Q = (*GET, "parameters", 1)
BODY = (*GET, "requestBody")
OK = (*GET, "responses", "200")


def edited(document, *edits):
    """``(path, value)``; a value of ``...`` removes, a list's end is its length."""
    document = deepcopy(document)
    for path, value in edits:
        node = document
        for step in path[:-1]:
            node = node[step]
        last = path[-1]
        if value is ...:
            del node[last]
        elif isinstance(node, list) and last == len(node):
            node.append(value)
        else:
            node[last] = value
    return document


def rules(old, new):
    return sorted(change.rule for change in compare(old, new))


# rule when the edits are made, rule when they are undone
PLAIN = [
    ("operation-removed", "operation-added", [(GET, ...)]),
    ("operation-id-changed", "operation-id-changed", [((*GET, "operationId"), "x")]),
    ("operation-deprecated", None, [((*GET, "deprecated"), True)]),
    ("server-added", "server-removed", [(("servers", 1), {"url": "https://b.test"})]),
    ("parameter-removed", "parameter-added", [(Q, ...)]),
    (
        "parameter-required-added",
        "parameter-removed",
        [
            (
                (*GET, "parameters", 2),
                {"name": "z", "in": "header", "required": True, "schema": STRING},
            )
        ],
    ),
    ("parameter-became-required", "parameter-became-optional", [((*Q, "required"), True)]),
    ("parameter-deprecated", None, [((*Q, "deprecated"), True)]),
    (
        "parameter-style-changed",
        "parameter-style-changed",
        [((*Q, "schema"), ...), ((*Q, "content"), {"application/json": {"schema": STRING}})],
    ),
    ("body-removed", "body-added", [(BODY, ...)]),
    ("body-became-required", "body-became-optional", [((*BODY, "required"), True)]),
    (
        "request-media-type-added",
        "request-media-type-removed",
        [((*BODY, "content", "text/plain"), {})],
    ),
    (
        "answer-media-type-added",
        "answer-media-type-removed",
        [((*OK, "content", "text/plain"), {})],
    ),
    (
        "status-added",
        "status-removed",
        [((*GET, "responses", "404"), {"description": "Not there."})],
    ),
    ("answer-header-removed", "answer-header-added", [((*OK, "headers", "X-Left"), ...)]),
    ("security-removed", "security-removed", None),
    ("security-added", None, [(("security", 1), {})]),
    (
        "security-scheme-changed",
        "security-scheme-changed",
        [(("components", "securitySchemes", "key", "name"), "Y-Key")],
    ),
    ("request-default-changed", "request-default-changed", None),
]


@pytest.mark.parametrize(
    ("done", "undone", "edits"), [row for row in PLAIN if row[2]], ids=lambda v: str(v)[:30]
)
def test_a_change_has_one_rule_each_way(done, undone, edits):
    old, new = base(), edited(base(), *edits)
    assert rules(old, new) == [done]
    assert [r for r in rules(new, old) if r != "security-removed"] == [undone] * bool(undone)


def test_a_required_body_is_more_than_a_body():
    without = edited(base(), (BODY, ...))
    new = edited(base(), ((*BODY, "required"), True))
    assert rules(without, new) == ["body-required-added"]


def test_a_default_is_part_of_what_a_request_means():
    old = edited(base(), ((*Q, "schema"), {**STRING, "default": "a"}))
    new = edited(base(), ((*Q, "schema"), {**STRING, "default": "b"}))
    assert rules(old, new) == ["request-default-changed"]
    assert rules(base(), new) == []


# Facet, change, old schema, new schema.
FACETS = [
    ("type", "narrowed", {"type": ["string", "null"]}, STRING),
    ("type", "narrowed", {"type": "number"}, INTEGER),
    ("type", "narrowed", {}, STRING),
    ("type", "changed", STRING, INTEGER),
    ("enum", "narrowed", {"enum": ["a", "b"]}, {"enum": ["a"]}),
    ("enum", "narrowed", {"enum": ["a", "b"]}, {"const": "a"}),
    ("enum", "narrowed", STRING, {**STRING, "enum": ["a"]}),
    ("range", "narrowed", INTEGER, {**INTEGER, "minimum": 1}),
    ("range", "narrowed", {"maximum": 9}, {"maximum": 8}),
    ("range", "narrowed", {"maximum": 9}, {"exclusiveMaximum": 9}),
    ("range", "narrowed", {"minimum": 9}, {"exclusiveMinimum": 9}),
    ("length", "narrowed", {"minLength": 1}, {"minLength": 2}),
    ("length", "narrowed", {}, {"maxLength": 2}),
    ("item-count", "narrowed", {"maxItems": 3}, {"maxItems": 2}),
    ("item-count", "narrowed", {}, {"minItems": 2}),
    ("property-count", "narrowed", {}, {"minProperties": 2}),
    ("pattern", "narrowed", STRING, {**STRING, "pattern": "^a"}),
    ("pattern", "changed", {"pattern": "^a"}, {"pattern": "^b"}),
    ("format", "narrowed", STRING, {**STRING, "format": "uuid"}),
    ("format", "narrowed", {"format": "double"}, {"format": "float"}),
    ("multiple", "narrowed", INTEGER, {**INTEGER, "multipleOf": 2}),
    ("uniqueness", "narrowed", {}, {"uniqueItems": True}),
    ("condition", "narrowed", {}, {"not": STRING}),
    (
        "alternatives",
        "narrowed",
        {"oneOf": [{"title": "a"}, {"title": "b"}, {"title": "c"}]},
        {"oneOf": [{"title": "a"}, {"title": "c"}]},
    ),
    (
        "alternatives",
        "narrowed",
        {"anyOf": [STRING, {"$ref": "#/components/schemas/A"}]},
        {"$ref": "#/components/schemas/A"},
    ),
    (
        "alternatives",
        "narrowed",
        {"type": "object"},
        {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    ),
    ("alternatives", "changed", INTEGER, {"anyOf": [STRING, {"$ref": "#/components/schemas/A"}]}),
]
MIRROR = {"narrowed": "widened", "changed": "changed"}
SIDES = {
    "request": [(*BODY, "content", "application/json", "schema"), (*Q, "schema")],
    "answer": [
        (*OK, "content", "application/json", "schema"),
        (*OK, "headers", "X-Left", "schema"),
    ],
}
PLACES = [(side, place) for side, places in SIDES.items() for place in places]


@pytest.mark.parametrize(("side", "place"), PLACES)
@pytest.mark.parametrize(("facet", "way", "was", "is_"), FACETS)
def test_a_facet_changes_one_way_and_back(side, place, facet, way, was, is_):
    old, new = edited(base(), (place, was)), edited(base(), (place, is_))
    for before, after, gone in ((old, new, way), (new, old, MIRROR[way])):
        (change,) = compare(before, after)
        assert change.rule == f"{side}-{facet}-{gone}"
        harmless = {"request": "widened", "answer": "narrowed"}[side]
        assert change.is_breaking == (gone != harmless)


def test_removed_and_added_enum_values_are_two_changes():
    place = (*Q, "schema")
    old = edited(base(), (place, {"enum": ["a", "b", 1]}))
    new = edited(base(), (place, {"enum": ["a", "c", "1"]}))
    gone, come = compare(old, new)
    assert (gone.rule, gone.message) == ("request-enum-narrowed", 'enum: without "b", 1')
    assert (come.rule, come.message) == ("request-enum-widened", 'enum: with "1", "c"')
    assert (gone.is_breaking, come.is_breaking) == (True, False)
    assert gone.pointer == "/paths/~1runs~1{id}/get/parameters/1/schema/enum"


A = {"type": "object", "properties": {"a": STRING}}
PROPERTIES = [
    # old schema, new schema, rule of a request, rule of a response
    (A, {"type": "object"}, "property-removed", "property-removed"),
    ({"type": "object"}, A, "property-added", "property-added"),
    ({"type": "object"}, {**A, "required": ["a"]}, "required-property-added", "property-added"),
    (A, {**A, "required": ["a"]}, *["property-became-required"] * 2),
    ({**A, "required": ["a"]}, A, *["property-became-optional"] * 2),
    (A, {**A, "additionalProperties": False}, *["additional-properties-forbidden"] * 2),
    ({**A, "additionalProperties": False}, A, *["additional-properties-allowed"] * 2),
    (A, {**A, "additionalProperties": STRING}, *["type-narrowed"] * 2),
    (A, {**A, "properties": {"a": INTEGER}}, *["type-changed"] * 2),
    (
        {"type": "array", "items": A},
        {"type": "array", "items": {**A, "required": ["a"]}},
        *["property-became-required"] * 2,
    ),
    ({"type": "array"}, {"type": "array", "items": STRING}, *["type-narrowed"] * 2),
]


@pytest.mark.parametrize(("was", "is_", "request_rule", "answer_rule"), PROPERTIES)
def test_properties_are_compared_for_each_side(was, is_, request_rule, answer_rule):
    for side, rule in (("request", request_rule), ("answer", answer_rule)):
        place = SIDES[side][0]
        old, new = edited(base(), (place, was)), edited(base(), (place, is_))
        assert rules(old, new) == [f"{side}-{rule}"]


def test_read_only_and_write_only_properties_concern_one_direction():
    for side, flag in (("request", "readOnly"), ("answer", "writeOnly")):
        place = SIDES[side][0]
        hidden = {"type": "object", "properties": {"a": {**STRING, flag: True}}}
        old, new = (edited(base(), (place, {"type": "object"})), edited(base(), (place, hidden)))
        assert rules(old, new) == []


SAME = [
    # one way to write it, in 3.0; another, in 3.1
    ({**STRING, "nullable": True}, {"type": ["string", "null"]}),
    (
        {"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True},
        {"oneOf": [{"$ref": "#/components/schemas/A"}, {"type": "null"}]},
    ),
    (
        {**INTEGER, "minimum": 0, "exclusiveMinimum": True, "exclusiveMaximum": False},
        {**INTEGER, "exclusiveMinimum": 0},
    ),
    ({**STRING, "enum": ["a"]}, {**STRING, "const": "a"}),
    ({"$ref": "#/components/schemas/B"}, STRING),
    ({"allOf": [STRING, {"maxLength": 9}, {"maxLength": 5}]}, {**STRING, "maxLength": 5}),
    ({**STRING, "title": "x", "description": "y", "example": "z", "x-a": 1}, STRING),
    ({"oneOf": [STRING]}, STRING),
]


@pytest.mark.parametrize(("was", "is_"), SAME)
def test_two_notations_of_the_same_schema_are_equal(was, is_):
    for _, place in PLACES[:3]:
        old = edited(base("3.0.3"), (place, was))
        new = edited(base("3.1.0"), (place, is_))
        assert rules(old, new) == rules(new, old) == []


def test_extensions_and_siblings_of_a_reference_in_30_are_ignored():
    place = (*Q, "schema")
    ref = {"$ref": "#/components/schemas/B", "maxLength": 3}
    assert rules(base("3.0.3"), edited(base("3.0.3"), (place, ref))) == []
    assert rules(base(), edited(base(), (place, ref))) == ["request-length-narrowed"]


def test_a_paths_parameter_may_have_another_name():
    old = base()
    item = deepcopy(old["paths"]["/runs/{id}"])
    item["get"]["parameters"][0]["name"] = "runID"
    new = {**deepcopy(old), "paths": {"/runs/{runID}": item}}
    assert rules(old, new) == ["parameter-renamed"]


def test_a_paths_own_parameters_are_its_operations_too():
    old = base()
    parameters = old["paths"]["/runs/{id}"]["get"].pop("parameters")
    old["paths"]["/runs/{id}"]["parameters"] = parameters
    assert rules(base(), old) == rules(old, base()) == []


def test_a_header_has_no_case_and_some_are_no_parameters():
    header = {"name": "X-A", "in": "header", "schema": STRING}
    place = (*GET, "parameters", 2)
    old = edited(base(), (place, header))
    assert rules(old, edited(base(), (place, {**header, "name": "x-a"}))) == []
    ignored = {"name": "Accept", "in": "header", "required": True, "schema": STRING}
    assert rules(base(), edited(base(), (place, ignored))) == []


def test_how_a_list_is_joined_matters_and_a_single_value_cannot_be():
    many = {"type": "array", "items": STRING}
    for schema, found in ((many, ["parameter-style-changed"]), (STRING, [])):
        old = edited(base(), ((*Q, "schema"), schema))
        assert rules(old, edited(old, ((*Q, "explode"), False))) == found


SECURITY = [
    # was, is, rules
    ([{"key": []}], [], ["security-added"]),
    ([], [{"key": []}], ["security-removed"]),
    ([{"key": []}], [{"oauth": []}], ["security-added", "security-removed"]),
    ([{"key": []}], [{"key": []}, {"oauth": []}], ["security-added"]),
    ([{"key": [], "oauth": []}], [{"key": []}], ["security-added"]),
    ([{"key": []}], [{"key": [], "oauth": []}], ["security-removed"]),
    ([{"oauth": ["a"]}], [{"oauth": ["a", "b"]}], ["security-removed"]),
    ([{"oauth": ["a", "b"]}], [{"oauth": ["a"]}], ["security-added"]),
    ([{}], [{}, {"key": []}], []),
]


@pytest.mark.parametrize(("was", "is_", "found"), SECURITY)
def test_credentials_that_sufficed_must_still_suffice(was, is_, found):
    for place in (("security",), (*GET, "security")):
        assert rules(edited(base(), (place, was)), edited(base(), (place, is_))) == found


def test_a_schema_in_itself_is_compared_once():
    node = {"type": "object", "properties": {"a": STRING, "b": {"$ref": "#/components/schemas/A"}}}
    place = ("components", "schemas", "A")
    ref = {"$ref": "#/components/schemas/A"}
    old = edited(base(), (SIDES["answer"][0], ref), (place, node))
    new = edited(old, ((*place, "properties", "a"), INTEGER))
    (change,) = compare(old, new)
    assert (change.rule, change.location) == ("answer-type-changed", "answer.200.a")
    assert change.pointer == "/components/schemas/A/properties/a/type"
    assert rules(old, old) == []


def test_a_change_shared_by_several_operations_is_listed_once():
    old = base()
    operation = old["paths"]["/runs/{id}"]["get"]
    operation["parameters"][1] = {"$ref": "#/components/parameters/q"}
    old["components"]["parameters"] = {"q": {"name": "q", "in": "query", "schema": STRING}}
    for i in range(6):
        again = {**deepcopy(operation), "operationId": f"run{i}"}
        old["paths"][f"/{i}/{{id}}"] = {"get": again}
    new = edited(old, (("components", "parameters", "q", "schema"), INTEGER))
    assert rules(old, new) == ["request-type-changed"] * 7
    text = format_changes(compare(old, new))
    assert text.count("request-type-changed") == 1
    assert "in getRun query.q, run0 query.q, run1 query.q, run2 query.q, and 3 more" in text
    assert "new #/components/parameters/q/schema/type" in text
    assert text.endswith("7 breaking, 0 not breaking")


@pytest.mark.parametrize(
    "ref", ["#/nowhere", "other.yaml#/A", "#/paths/~1runs~1{id}/get/parameters/1"]
)
def test_an_unresolvable_reference_is_reported(ref):
    new = edited(base(), (Q, {"$ref": ref}))
    with pytest.raises(DocumentError, match="/get/parameters/1"):
        compare(base(), new)


@pytest.mark.parametrize("wrong", [{"type": {}}, {"enum": 1}, {"required": 1}])
def test_a_malformed_schema_is_reported(wrong):
    with pytest.raises(DocumentError, match="malformed"):
        compare(base(), edited(base(), ((*Q, "schema"), wrong)))


def test_every_rule_is_documented():
    page = (DOCS / "diff.md").read_text()
    for rule, (breaking, about) in RULES.items():
        if not rule.endswith(("-narrowed", "-widened", "-changed")) or rule in {
            one for row in PLAIN for one in row[:2]
        }:
            assert f"| `{rule}` | {'yes' if breaking else 'no'} | {about} |" in page
        else:
            facet = rule.partition("-")[2].rpartition("-")[0]
            assert f"| `{facet}` | {about} |" in page
