"""Parameters: every style and explode, from the bytes that were sent."""

import pytest

from soundstage.openapi.errors import DocumentError, InvalidRequest
from soundstage.openapi.operation import compile_operation
from soundstage.openapi.parameters import MAX_CACHED_LENGTH, MAX_CACHED_REQUESTS, parse_query

NUMBERS = {"type": "array", "items": {"type": "integer"}}
WORDS = {"type": "array", "items": {"type": "string"}}
MAYBE = {"type": "array", "items": {"oneOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}}
DEEP = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "size": {"type": "integer"},
        "name": {"type": "string"},
        "at": {"type": "object", "properties": {"from": {"type": "integer"}}},
    },
}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}}
OPEN = {"type": "object", "additionalProperties": {"type": "integer"}}
JSON = {"application/json": {"schema": DEEP}}


def operation(*parameters, path="/x/{id}", **document):
    known = [{"name": "id", "in": "path", "required": True}] if "{id}" in path else []
    node = {"parameters": [*known, *parameters], "responses": {}}
    whole = {"openapi": "3.1.0", "paths": {path: {"get": node}}, **document}
    return compile_operation(whole, path, "get", "/paths/~1x/get")


def parameter(schema, place="query", **more):
    return {"name": "p", "in": place, "schema": schema, **more}


def read(op, query="", headers=None):
    values = {
        name.encode(): [value.encode() for value in texts]
        for name, texts in (headers or {}).items()
    }
    return op.parse_request({"id": "1"}, query.encode(), values, b"").parameters


def rules(op, query="", headers=None):
    with pytest.raises(InvalidRequest) as caught:
        read(op, query, headers)
    return [f"{v.display_path} {v.rule}" for v in caught.value.violations]


@pytest.mark.parametrize(
    ("given", "query", "value"),
    [
        (parameter(NUMBERS), "p=1&p=2", [1, 2]),
        (parameter(NUMBERS), "p=1", [1]),
        (parameter(NUMBERS, explode=False), "p=1,2", [1, 2]),
        (parameter(NUMBERS, explode=False), "p=1%2C2", [1, 2]),
        (parameter(NUMBERS, explode=False), "p=1&p=2,3", [1, 2, 3]),
        (parameter(NUMBERS, explode=False), "p=", []),
        (parameter(WORDS), "p=a,b", ["a,b"]),
        (parameter(WORDS), "p=", [""]),
        (parameter(MAYBE), "p=null&p=&p=a", [None, None, "a"]),
        (parameter(MAYBE, explode=False), "p=,a", [None, "a"]),
        (parameter(NUMBERS, style="pipeDelimited", explode=False), "p=1|2", [1, 2]),
        (parameter(NUMBERS, style="pipeDelimited", explode=False), "p=1%7C2", [1, 2]),
        (parameter(NUMBERS, style="spaceDelimited", explode=False), "p=1%202", [1, 2]),
        (parameter(NUMBERS, style="spaceDelimited", explode=False), "p=1+2", [1, 2]),
        (parameter({"type": "integer"}), "p=-0", 0),
        (parameter({"type": "number"}), "p=1e3", 1000.0),
        (parameter({"type": "number"}), "p=-1.5", -1.5),
        (parameter({"type": "boolean"}), "p=true", True),
        (parameter({"type": ["integer", "null"]}), "p=null", None),
        (parameter({"type": ["integer", "null"]}), "p=", None),
        (parameter({"type": ["string", "null"]}), "p=", ""),
        (parameter({"type": "string"}), "p=null", "null"),
        (parameter({"type": "string"}), "p=a+b%2B%C3%A9", "a b+é"),
        (parameter({"type": "string"}), "p=a=b", "a=b"),
        (parameter({}), "p=1", 1),
        (parameter(DEEP, style="deepObject"), "p[size]=1&p[name]=2",
         {"size": 1, "name": "2"}),
        (parameter(DEEP, style="deepObject"), "p%5Bsize%5D=1", {"size": 1}),
        (parameter(DEEP, style="deepObject"), "p[at][from]=3", {"at": {"from": 3}}),
        ({"name": "p", "in": "query", "content": JSON},
         'p={"size":1}', {"size": 1}),
        (parameter(POINT), "x=1&y=2", {"x": 1, "y": "2"}),
        (parameter(POINT, explode=False), "p=x,1,y,2", {"x": 1, "y": "2"}),
        (parameter(POINT, explode=False), "p=", {}),
        (parameter(POINT, style="pipeDelimited", explode=False), "p=x|1", {"x": 1}),
        (parameter(OPEN), "x=1&z=2", {"x": 1, "z": 2}),
    ],
)  # fmt: skip
def test_a_query_is_read_by_style_and_explode(given, query, value):
    assert read(operation(given), query)["p"] == value


@pytest.mark.parametrize(
    ("given", "query", "wrong"),
    [
        (parameter(NUMBERS), "p=1,2", ["query.p[0] type"]),
        (parameter(NUMBERS), "p=", ["query.p[0] type"]),
        (parameter(NUMBERS), "p=a&p=1&p=b", ["query.p[0] type", "query.p[2] type"]),
        (parameter({"type": "integer"}), "p=1&p=2", ["query.p repeated"]),
        (parameter({"type": "integer"}), "p=1.0", ["query.p type"]),
        (parameter({"type": "integer"}), "p=٣", ["query.p type"]),
        (parameter({"type": "boolean"}), "p=True", ["query.p type"]),
        (parameter({"type": "boolean"}), "p=1", ["query.p type"]),
        (parameter({"type": "number"}), "p=nan", ["query.p type"]),
        (parameter({"type": "number"}), "p=1.", ["query.p type"]),
        (parameter(DEEP, style="deepObject"), "p[size]=a", ["query.p.size type"]),
        (parameter(DEEP, style="deepObject"), "p[no]=a",
         ["query.p additionalProperties"]),
        (parameter(DEEP, style="deepObject"), "p=1", ["query.p unknown"]),
        (parameter(DEEP, style="deepObject"), "p[size", ["query.p[size unknown"]),
        (parameter({"type": "string"}), "P=1", ["query.P unknown"]),
        (parameter({"type": "string"}), "p=%C3", ["query encoding"]),
        (parameter({"type": "string"}, required=True), "", ["query.p required"]),
        (parameter({"type": "string"}, required=True), "p=%C3", ["query encoding"]),
        (parameter({"type": "string"}, required=True), "p=a&%C3", ["query encoding"]),
        ({"name": "p", "in": "query", "content": JSON},
         "p={", ["query.p style"]),
        ({"name": "p", "in": "query", "content": {"application/json": {}}},
         "p=word", ["query.p style"]),
        (parameter(POINT, explode=False), "p=x,1,y", ["query.p type"]),
        (parameter(POINT), "x=a", ["query.p.x type"]),
        (parameter(POINT), "z=1", ["query.z unknown"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_query_is_said(given, query, wrong):
    assert rules(operation(given), query) == wrong


@pytest.mark.parametrize(
    ("style", "explode", "schema", "text", "value"),
    [
        ("simple", False, POINT, "x,1,y,a", {"x": 1, "y": "a"}),
        ("simple", True, POINT, "x=1,y=a", {"x": 1, "y": "a"}),
        ("label", False, {"type": "integer"}, ".1", 1),
        ("label", False, WORDS, ".a,b", ["a", "b"]),
        ("label", True, WORDS, ".a.b", ["a", "b"]),
        ("label", False, POINT, ".x,1,y,a", {"x": 1, "y": "a"}),
        ("label", True, POINT, ".x=1.y=a", {"x": 1, "y": "a"}),
        ("matrix", False, {"type": "integer"}, ";id=1", 1),
        ("matrix", False, WORDS, ";id=a,b", ["a", "b"]),
        ("matrix", True, WORDS, ";id=a;id=b", ["a", "b"]),
        ("matrix", False, POINT, ";id=x,1,y,a", {"x": 1, "y": "a"}),
        ("matrix", True, POINT, ";x=1;y=a", {"x": 1, "y": "a"}),
    ],
)
def test_a_value_in_a_path_is_read_by_style_and_explode(style, explode, schema, text, value):
    given = {"name": "id", "in": "path", "required": True, "schema": schema}
    op = operation({**given, "style": style, "explode": explode})
    assert op.parse_request({"id": text}, b"", {}, b"").parameters == {"id": value}
    if style != "simple":
        with pytest.raises(InvalidRequest) as caught:
            op.parse_request({"id": text[1:]}, b"", {}, b"")
        assert [v.rule for v in caught.value.violations] == ["style"]


def test_a_default_holds_where_nothing_is_sent():
    schema = {"$ref": "#/components/schemas/Size"}
    components = {"schemas": {"Size": {"type": "integer", "default": 10}}}
    op = operation(parameter(schema), components=components)
    assert read(op) == {"p": 10, "id": 1}
    assert read(op, "p=3")["p"] == 3


@pytest.mark.parametrize(
    ("schema", "sent", "value"),
    [
        ({"type": "integer"}, ["3"], 3),
        ({"type": "integer"}, [" 3\t"], 3),
        (NUMBERS, ["1,2"], [1, 2]),
        (NUMBERS, ["1", "2"], [1, 2]),
        (NUMBERS, ["1, 2"], [1, 2]),
    ],
)
def test_a_header_is_read_whatever_its_case(schema, sent, value):
    op = operation({**parameter(schema, "header"), "name": "X-P"})
    assert read(op, headers={"x-p": sent})["X-P"] == value


@pytest.mark.parametrize("name", ["Accept", "CONTENT-TYPE", "authorization"])
def test_headers_that_openapi_takes_for_itself_are_no_parameters(name):
    given = {**parameter({"type": "integer"}, "header", required=True), "name": name}
    assert read(operation(given)) == {"id": 1}


def test_a_cookie_is_a_parameter():
    op = operation(parameter({"type": "integer"}, "cookie", required=True))
    assert read(op, headers={"cookie": ["a=b; p=3"]})["p"] == 3
    assert rules(op, headers={"cookie": ["a=b"]}) == ["cookie.p required"]


def test_an_operations_parameter_stands_in_for_its_paths():
    item = {
        "parameters": [parameter({"type": "integer"}), parameter({}, "header")],
        "get": {"parameters": [parameter({"type": "boolean"})], "responses": {}},
    }
    document = {"openapi": "3.1.0", "paths": {"/x": item}}
    op = compile_operation(document, "/x", "get", "/paths/~1x/get")
    assert [(p.location, p.parse(["true"])) for p in op.parameters] == [
        ("query", True),
        ("header", True),
    ]


@pytest.mark.parametrize(
    ("given", "pointer", "word"),
    [
        (parameter({}, style="matrix"), "/style", "style 'matrix'"),
        (parameter({}, "header", style="form"), "/style", "header"),
        (parameter({"type": ["array", "object"]}), "/schema", "both array and object"),
        (parameter({"type": "object"}, "cookie"), "/explode", "exploded over cookies"),
        (parameter({"nullable": True}), "/schema/nullable", "nullable"),
        ({"name": "q", "in": "path"}, "", "no {q}"),
        ({"$ref": "#/components/parameters/p"}, "", "does not exist"),
    ],
)
def test_a_parameter_that_is_not_served_is_refused_with_its_place(given, pointer, word):
    with pytest.raises(DocumentError, match=word) as caught:
        operation(given, path="/x")
    assert caught.value.pointer == f"/paths/~1x/get/parameters/0{pointer}"


def test_all_violations_of_a_request_are_reported_together():
    op = operation(
        {**parameter({"type": "integer"}), "name": "a"},
        {**parameter({"enum": ["x"]}, "header", required=True), "name": "b"},
        {**parameter({"type": "integer"}, "cookie"), "name": "c"},
    )
    assert rules(op, "a=x&z=1", {"cookie": ["c=x"]}) == [
        *("query.z unknown", "query.a type", "header.b required", "cookie.c type")
    ]


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        (b"", []),
        (b"&&", []),
        (b"a", [("a", "")]),
        (b"a=&b", [("a", ""), ("b", "")]),
        (b"a+b=c+d", [("a b", "c d")]),
        (b"a=1;b=2", [("a", "1;b=2")]),
        (b"%61=%2B%zz", [("a", "+%zz")]),
        (b"a=%00", [("a", "\0")]),
    ],
)
def test_a_query_string_is_pairs_in_order(raw, pairs):
    assert parse_query(raw) == pairs


LIST = {"name": "q", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
TEXT = {"name": "t", "in": "query", "schema": {"type": "string"}}


@pytest.mark.parametrize(("parameter", "query"), [(TEXT, "t=a"), (LIST, "q=a")])
def test_what_is_read_again_is_nobody_elses(parameter, query):
    op = operation(parameter)
    first, second = read(op, query), read(op, query)
    assert first == second
    first["t"] = "changed"
    for value in first.values():
        if isinstance(value, list):
            value.append("more")
    assert read(op, query) == second


def test_what_is_wrong_is_so_each_time():
    op = operation(TEXT)
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="no query parameter 'u'"):
            read(op, "u=1")
        assert read(op, "t=1")["t"] == "1"


def test_no_more_is_remembered_than_some_short_requests():
    op = operation(TEXT)
    for i in range(MAX_CACHED_REQUESTS + 10):
        assert read(op, f"t={i}")["t"] == str(i)
    assert len(op.parameter_parser._cache) == 10
    long = "a" * (MAX_CACHED_LENGTH + 1)
    assert read(op, f"t={long}")["t"] == long
    assert len(op.parameter_parser._cache) == 10


def test_a_long_header_is_not_remembered():
    op = operation({"name": "H", "in": "header", "schema": {"type": "string"}})
    assert read(op, "", {"h": ["a" * (MAX_CACHED_LENGTH + 1)]})["H"][0] == "a"
    assert not op.parameter_parser._cache
    assert read(op, "", {"h": ["a"]})["H"] == "a"
    assert len(op.parameter_parser._cache) == 1
