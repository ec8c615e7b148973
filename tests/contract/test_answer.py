"""Answers: headers as the contract names them, and media types in ranges."""

import pytest

from soundstage.contract.operation import compile_operation
from soundstage.contract.violation import DocumentError

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
    violations = op.judge(200, None, None, headers.items())
    assert [f"{v.location} {v.rule}" for v in violations] == wrong


def test_a_header_that_leads_nowhere_is_refused_with_its_place():
    with pytest.raises(DocumentError, match="nowhere") as caught:
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
    assert [v.rule for v in op.judge(200, media_type, text)] == wrong
