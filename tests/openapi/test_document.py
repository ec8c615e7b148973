"""Documents: YAML as JSON has it, a line for every pointer; contracts from them."""

import pytest

from soundstage.openapi.contract import compile_contract, load_contract
from soundstage.openapi.document import find_line, load_document, resolve_pointer
from soundstage.openapi.errors import DocumentError

TEXT = """\
# a comment
openapi: 3.1.0
info:
  version: 2024-04
  date: 2026-01-01
  time: 2026-01-01T00:00:00Z
paths:
  /a~b/{c}:
    get:
      responses: {'200': {description: x}, default: {description: y}}
list:
  - one
  - key: two
    other: [1, 2,
      3]
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="openapi.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_dates_stay_texts_and_keys_are_texts(file):
    info = load_document(file(TEXT)).document["info"]
    assert info == {"version": "2024-04", "date": "2026-01-01", "time": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("key", ["200", "true", "null", "on", "No", "1.50", "012", "~"])
def test_a_key_is_the_text_that_was_written(file, key):
    assert load_document(file(f"{key}: x\n")).document == {key: "x"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("No", "No"),
        ("y", "y"),
        ("true", True),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("012", 12),
        ("0b1", "0b1"),
        ("1e3", 1000.0),
        ("~", None),
        ("0o17", 15),
        ("0x1F", 31),
    ],
)
def test_a_value_is_what_yaml_1_2_says(file, text, value):
    """OpenAPI 3 is written in YAML 1.2, in which on is a text and 12:30 no number."""
    found = load_document(file(f"a: {text}\n")).document["a"]
    assert (found, type(found)) == (value, type(value))


def test_json_is_yaml(file):
    text = '{"a": [1, 1.5, true, null, "\\u00e9"]}'
    assert load_document(file(text)).document == {"a": [1, 1.5, True, None, "é"]}


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "'a' is repeated", 3),
        ("a:\n  b: 1\n  b: 1\n", "'b' is repeated", 3),
        ("200: 1\n'200': 2\n", "'200' is repeated", 2),
        ("x: &x {a: 1}\ny: {<<: *x}\n", "merge keys", 2),
        ("a: [\n", "is not YAML", 2),
        ("a: b: c\n", "is not YAML", 1),
        ("- a\n", "is not a mapping", 1),
        ("", "is not a mapping", 1),
        ("a\n", "is not a mapping", 1),
        ("a: !!python/object:os.system {}\n", "is not YAML", 1),
        ("a: \x07\n", "is not YAML", None),
        (b"a: \xff\n", "cannot be read", None),
        ("[" * 3000, "is not YAML|mapping", None),
    ],
)
def test_what_is_no_document_is_refused_with_file_and_line(file, text, word, line):
    path = file(text)
    with pytest.raises(DocumentError, match=word) as caught:
        load_document(path)
    assert caught.value.file == str(path)
    assert line is None or caught.value.line == line


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DocumentError, match="No such file"):
        load_document(tmp_path / "nobody.yaml")


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 1),
        ("/openapi", 2),
        ("/info/date", 5),
        ("/paths/~1a~0b~1{c}/get", 9),
        ("/paths/~1a~0b~1{c}/get/responses/default", 10),
        ("/list/0", 12),
        ("/list/1/other", 14),
        ("/list/1/other/2", 15),
        ("/list/9", 11),
        ("/list/x", 11),
        ("/info/nobody/at/all", 3),
        ("/openapi/deeper", 2),
    ],
)
def test_a_pointer_has_a_line(file, pointer, line):
    assert find_line(file(TEXT), pointer) == line


@pytest.mark.parametrize("pointer", ["#/a/x~1y/1", "/a/x~1y/1"])
def test_a_pointer_is_followed(pointer):
    assert resolve_pointer({"a": {"x/y": [0, "here"]}}, pointer) == "here"


@pytest.mark.parametrize("pointer", ["/b", "/a/0/1", "/a/9", "/a/x", "/a/0/b"])
def test_a_pointer_to_nothing_is_a_key_error(pointer):
    with pytest.raises(KeyError):
        resolve_pointer({"a": ["text"]}, pointer)


GET = {"operationId": "a", "responses": {"200": {"description": ""}}}


@pytest.mark.parametrize(
    ("document", "pointer", "word"),
    [
        ({"openapi": "2.0"}, "/openapi", "3.0 and 3.1"),
        ({"openapi": "3.2.0"}, "/openapi", "3.0 and 3.1"),
        ({}, "/openapi", "None"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": GET, "put": GET}}},
         "/paths/~1a/put/operationId|/paths/~1a/get/operationId", "is not unique"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": [{}]}}}},
         "/paths/~1a/get", "'in'"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {
            "content": {"image/png": {"schema": {"type": "object"}}}}}}}}},
         "/paths/~1a/get/responses/200/content/image~1png/schema", "image/png"),
        ({"openapi": "3.1.0", "paths": {"/a": {
            "post": {"requestBody": {"required": True}}}}},
         "/paths/~1a/post/requestBody", "media type"),
        ({"openapi": "3.1.0", "paths": {"/a": {"get": {"security": [{"key": []}]}}}},
         "/paths/~1a/get/security", "'key'"),
    ],
)  # fmt: skip
def test_a_contract_that_cannot_be_served_is_refused(document, pointer, word):
    with pytest.raises(DocumentError, match=word) as caught:
        compile_contract("a", document)
    assert caught.value.pointer in pointer.split("|")


def test_a_fault_in_a_contract_is_named_with_file_and_line(file):
    text = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      parameters:\n        - {}\n"
    path = file(text)
    with pytest.raises(DocumentError) as caught:
        load_contract("a", path.parent)
    assert (caught.value.file, caught.value.line) == (str(path), 4)


@pytest.mark.parametrize(
    ("overlay", "word", "line"),
    [
        ("overlay: 2.0.0\nactions: []\n", "Overlay 1.x", 1),
        ("actions: []\n", "Overlay 1.x", 1),
        ("overlay: 1.0.0\nactions:\n  - target: $.a\n    remove: true\n", "match", 3),
        ("overlay: 1.0.0\nactions:\n  - remove: true\n", "lacks 'target'", 2),
        ("overlay: 1.0.0\nactions:\n  - target: $.info\n", "lacks 'update'", 2),
    ],
)
def test_a_fault_in_an_overlay_is_named_with_file_and_line(file, overlay, word, line):
    file("openapi: 3.1.0\ninfo: {}\npaths: {}\n")
    path = file(overlay, "overlay.yaml")
    with pytest.raises(DocumentError, match=word) as caught:
        load_contract("a", path.parent)
    assert (caught.value.file, caught.value.line) == (str(path), line)


@pytest.mark.parametrize(
    ("servers", "hosts"),
    [
        ([{"url": "https://Api.example.com:8443/v1"}], {"api.example.com"}),
        ([{"url": "http://localhost:1"}, {"url": "/v1"}, {"url": "https://[::1]/"}],
         set()),
        ([{"url": "https://{Region}.example.com", "variables": {
            "Region": {"enum": ["EU", "us"], "default": "us"}}}],
         {"eu.example.com", "us.example.com"}),
        ([{"url": "https://{a}.example.com", "variables": {"a": {"default": "x"}}}],
         {"x.example.com"}),
    ],
)  # fmt: skip
def test_a_contract_knows_its_vendors_hosts(servers, hosts):
    document = {"openapi": "3.1.0", "servers": servers}
    assert compile_contract("a", document).hosts == hosts


def test_answers_are_found_by_status_then_by_class_then_by_default():
    answers = {
        code: {"content": {"application/json": {"schema": {"const": code}}}}
        for code in ("200", "4XX", "default")
    }
    document = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": answers}}}}
    operation = compile_contract("a", document).operations["GET /a"]
    found = {200: "200", 404: "4XX", 201: "default", 500: "default"}
    for status, body in found.items():
        assert operation.validate_response(status, "application/json", body) == []
        assert operation.validate_response(status, "Application/JSON; charset=utf-8", body) == []
        assert [v.rule for v in operation.validate_response(status, "text/html", body)] == [
            "media type"
        ]
        assert [v.rule for v in operation.validate_response(status, "application/json", 1)] == [
            "const"
        ]


def test_an_answer_without_content_has_no_body():
    node = {"operationId": "a", "responses": {"204": {"description": ""}}}
    document = {"openapi": "3.1.0", "paths": {"/a": {"get": node}}}
    operation = compile_contract("a", document).operations["a"]
    assert operation.validate_response(204, None, None) == []
    assert [v.rule for v in operation.validate_response(204, "application/json", {})] == ["body"]
    assert [v.rule for v in operation.validate_response(200, None, None)] == ["status"]
