"""Security requirements: any one of them, all of its schemes."""

import base64

import pytest

from soundstage.openapi.errors import DocumentError, Unauthorized
from soundstage.openapi.security import ANONYMOUS, compile_security

SCHEMES = {
    "head": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "ask": {"type": "apiKey", "in": "query", "name": "key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "Basic"},
    "oauth": {"type": "oauth2", "flows": {}},
}
HOLDERS = [
    {"head": "h1", "ask": "q1", "cookie": "c1", "bearer": "b1", "basic": "me:pass:1"},
    {"head": "h2", "ask": "q2", "cookie": "c2", "bearer": "b2", "oauth": "o2"},
]


def admitted(requirements, headers=(), query=b""):
    document = {"components": {"securitySchemes": SCHEMES}}
    operation = {"security": requirements}
    security = compile_security(document, operation, "/here")
    values = {}
    for name, value in headers:
        values.setdefault(name, []).append(value.encode())
    return security.with_credentials(HOLDERS).authenticate(values, query)


def header(value, name=b"authorization"):
    return [(name, value)]


def basic(text):
    return header("Basic " + base64.b64encode(text.encode()).decode())


HEAD, QUERY, BOTH = [{"head": []}], [{"ask": []}], [{"head": [], "ask": []}]
EITHER, OPTIONAL = [{"head": []}, {"ask": []}], [{"head": []}, {}]


@pytest.mark.parametrize(
    ("requirements", "headers", "query", "holder"),
    [
        ([], [], b"", None),
        ([{}], [], b"", None),
        (HEAD, header("h1", b"x-key"), b"", 0),
        (HEAD, header(" h2 ", b"x-key"), b"", 1),
        (QUERY, [], b"a=1&key=q2", 1),
        (QUERY, [], b"key=%71%31", 0),
        (BOTH, header("h1", b"x-key"), b"key=q1", 0),
        (EITHER, header("h1", b"x-key"), b"", 0),
        (EITHER, [], b"key=q2", 1),
        (EITHER, header("nobody", b"x-key"), b"key=q2", 1),
        (OPTIONAL, [], b"", None),
        (OPTIONAL, header("h1", b"x-key"), b"", 0),
        ([{}, {"head": []}], header("h1", b"x-key"), b"", 0),
        ([{"cookie": []}], header("a=b; session=c2", b"cookie"), b"", 1),
        ([{"cookie": []}], [(b"cookie", "a=b"), (b"cookie", "session=c1")], b"", 0),
        ([{"bearer": []}], header("Bearer b1"), b"", 0),
        ([{"bearer": []}], header("BEARER  b1"), b"", 0),
        ([{"bearer": []}], header("b2"), b"", 1),
        ([{"oauth": ["read"]}], header("Bearer o2"), b"", 1),
        ([{"basic": []}], basic("me:pass:1"), b"", 0),
    ],
)
def test_the_holder_of_good_credentials_is_admitted(requirements, headers, query, holder):
    expected = ANONYMOUS if holder is None else HOLDERS[holder]
    assert admitted(requirements, headers, query) == expected


@pytest.mark.parametrize(
    ("requirements", "headers", "query", "missing"),
    [
        (HEAD, [], b"", True),
        (HEAD, header("", b"x-key"), b"", True),
        (HEAD, header("q1", b"x-key"), b"", False),
        (HEAD, header("H1", b"x-key"), b"", False),
        (QUERY, [], b"key=", False),
        (QUERY, [], b"key=%FF", True),
        (BOTH, header("h1", b"x-key"), b"", True),
        (BOTH, header("h1", b"x-key"), b"key=q2", False),
        (EITHER, header("x", b"x-key"), b"", False),
        (OPTIONAL, header("x", b"x-key"), b"", False),
        ([{"bearer": []}], header("Bearer "), b"", False),
        ([{"bearer": []}], header("Basic b1"), b"", False),
        ([{"basic": []}], basic("me:pass"), b"", False),
        ([{"basic": []}], header("Basic %%%"), b"", False),
        ([{"basic": []}], header("me:pass:1"), b"", True),
        ([{"oauth": []}], header("Bearer b1"), b"", False),
    ],
)
def test_anybody_else_is_refused(requirements, headers, query, missing):
    with pytest.raises(Unauthorized) as caught:
        admitted(requirements, headers, query)
    assert caught.value.missing is missing


def test_an_operation_says_over_its_document():
    document = {"security": HEAD, "components": {"securitySchemes": SCHEMES}}
    assert compile_security(document, {}, "").requirements == (("head",),)
    assert compile_security(document, {"security": []}, "").requirements == ()


@pytest.mark.parametrize(
    ("scheme", "pointer"),
    [
        (None, "/here/security"),
        ({"type": "mutualTLS"}, "/components/securitySchemes/odd"),
        ({"type": "apiKey", "in": "body"}, "/components/securitySchemes/odd"),
    ],
)
def test_a_scheme_that_is_not_served_is_refused(scheme, pointer):
    schemes = {"odd": scheme} if scheme else {}
    document = {"components": {"securitySchemes": schemes}}
    with pytest.raises(DocumentError) as caught:
        compile_security(document, {"security": [{"odd": []}]}, "/here")
    assert caught.value.pointer == pointer
