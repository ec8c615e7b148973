"""Violations in a header: JSON, and nothing but ASCII."""

import json

import pytest

from soundstage.openapi.errors import Violation, format_header


@pytest.mark.parametrize("text", ["plain", "caf\xe9", "\u20ac", "\U0001f600", "\ud800"])
def test_a_header_is_ascii_whatever_was_sent(text):
    violation = Violation("query", "enum", text, "q", ("a", 0), text)
    for _ in range(2):
        told = format_header([violation])
        assert told.isascii()
        assert json.loads(told) == [violation.to_json()]


def test_what_is_not_there_is_not_told():
    assert Violation("body", "json", "no").to_json() == {
        "in": "body",
        "rule": "json",
        "message": "no",
    }
