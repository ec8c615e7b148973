"""Answers: headers as the contract names them, and media types in ranges."""

import pytest

from soundstage.openapi.errors import DocumentError
from soundstage.openapi.operation import compile_operation

HEADERS = {
    "X-Count": {"required": True, "schema": {"type": "integer", "minimum": 0}},
    "X-Tags": {"schema": {"type": "array", "items": {"enum": ["a", "b"]}}},
    "X-Json": {"content": {"application/json": {"schema": {"type": "object"}}}},
    "Content-Type": {"required": True, "schema": {"enum": ["never/this"]}},
    "X-Known": {"$ref": "#/components/headers/Known"},
}
KNOWN = {"Known": {"schema": {"type": "boolean"}}}
RANGES = {
    "text/*": {"schema": {"type": "string", "maxLength": 3}},
    "text/csv": {"schema": {"type": "string"}},
}


def operation(answer):
    node = {"responses": {"200": {"description": "", **answer}}}
    document = {
        "openapi": "3.1.0",
        "paths": {"/x": {"get": node}},
        "components": {"headers": KNOWN},
    }
    return compile_operation(document, "/x", "get", "/paths/~1x/get")


@pytest.mark.parametrize(
    ("headers", "wrong"),
    [
        ({"x-count": "1"}, []),
        ({"X-Count": "1", "X-Tags": "a, b", "X-Json": "{}"}, []),
        ({"X-Count": "1", "X-Known": "true", "X-Other": "any"}, []),
        ({}, ["answer.X-Count required"]),
        ({"X-Count": "-1"}, ["answer.X-Count minimum"]),
        ({"X-Count": "one", "X-Tags": "c"},
         ["answer.X-Count type", "answer.X-Tags[0] enum"]),
        ({"X-Count": "1", "X-Json": "{"}, ["answer.X-Json style"]),
        ({"X-Count": "1", "X-Known": "yes"}, ["answer.X-Known type"]),
    ],
)  # fmt: skip
def test_the_headers_of_an_answer_are_judged(headers, wrong):
    op = operation({"headers": HEADERS})
    violations = op.validate_response(200, None, None, headers.items())
    assert [f"{v.display_path} {v.rule}" for v in violations] == wrong


def test_a_header_that_leads_nowhere_is_refused_with_its_place():
    with pytest.raises(DocumentError, match="does not exist") as caught:
        operation({"headers": {"X-A": {"$ref": "#/components/headers/B"}}})
    assert caught.value.pointer == "/paths/~1x/get/responses/200/headers/X-A"


@pytest.mark.parametrize(
    ("media_type", "text", "wrong"),
    [
        ("text/plain", "abc", []),
        ("Text/Plain; charset=utf-8", "abcd", ["maxLength"]),
        ("text/csv", "abcd", []),
        ("application/json", "abc", ["media type"]),
        (None, "abc", ["media type"]),
    ],
)
def test_of_media_types_and_ranges_the_narrowest_is_meant(media_type, text, wrong):
    op = operation({"content": RANGES})
    assert [v.rule for v in op.validate_response(200, media_type, text)] == wrong


@pytest.mark.parametrize(
    ("media_type", "said"),
    [(None, "no Content-Type"), ("", "no Content-Type"), ("a/b", "Content-Type 'a/b'")],
)
def test_a_media_type_that_is_not_documented_is_told_in_words(media_type, said):
    op = operation({"content": RANGES})
    (violation,) = op.validate_response(200, media_type, "abc")
    assert violation.message == f"{said}; expected text/* or text/csv"


JSON = {"content": {"application/json": {"schema": {"type": "integer"}}}}


@pytest.mark.parametrize(
    ("status", "kind", "raw", "rules"),
    [
        (200, "application/json", b"1", []),
        (200, "application/json", b"", ["body"]),
        (200, "application/json", b"{", ["json"]),
        (200, None, b"1", ["media type"]),
        (404, "application/json", b"1", ["status"]),
    ],
)
def test_headers_are_judged_whatever_the_body_is(status, kind, raw, rules):
    op = operation({"headers": HEADERS, **JSON})
    good = op.validate_response_bytes(status, kind, raw, [("X-Count", "1")])
    assert [v.rule for v in good] == rules
    documented = ["minimum"] if status == 200 else []
    wrong = op.validate_response_bytes(status, kind, raw, [("X-Count", "-1")])
    assert [v.rule for v in wrong] == rules + documented
