"""Changes: the ways in which a valid exchange is made another, most often invalid, one."""

import json

TEXTS = (
    "", "abc", "0", "1", "-1", "1.0", "1.5", "1e2", "+1", "%2B1", "01", "-0", "1_000", "%201", "1%20", "0x1",
    "null", "true", "True", "yes", "on", "NaN", "Infinity", "9" * 30, "1e400", "2147483647", "2147483648",
    "9223372036854775808", "%D9%A3", "1%0A", "a%0A", "a,b", "1,2", "1%2C2", "1|2", "1%202", "a%00", "%C3", "%zz", "%",
    "a/b", "a%2Fb", "a+b", "%C3%A9", "2026-01-01", "2026-02-30", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z",
    "2026-01-01t00:00:00z", "2016-12-31T23%3A59%3A60Z", "0000-01-01T00:00:00Z", "2026-01-01%2000:00:00Z",
    "6c02aeb1775e418e870b1faccd4b2c0f", "%7B%22x%22:1%7D", "%7B%22x%22:%22a%22%7D", "%7B", "a" * 40,
)  # fmt: skip
VALUES = (
    None, True, False, 0, 1, -1, 3, 1.0, 0.0, 1.5, 0.07, 2**31, -(2**31) - 1, 2**53 + 1, 2**63, -(2**63) - 1, 10**30, 1e30,
    "", "a", "abc", "1", "true", "null", " ", "a\n", "é", "😀😀", "٣", "\u0000", "x" * 300, [], {}, [None], [1, 1.0], [1, True], [1, 2, 3],
    ["a", 1, 2], {"": 1}, {"a": 1}, {"a": "x"}, {"a": 1, "b": "c"}, {"a": 1, "b": 2, "c": 3}, {"N": 1}, {"n": "x"},
    {"x": 1}, {"kind": "cat"}, {"kind": "cat", "lives": 1}, {"kind": "dog", "lives": 1}, {"kind": "Cat", "lives": 1}, {"in": {"in": 1}},
    "2026-01-01", "2026-02-30", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01t00:00:00z", "2026-01-01 00:00:00Z",
    "2016-12-31T23:59:60Z", "2026-12-31T23:58:60Z", "0000-01-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.123456789Z",
    "6c02aeb1775e418e870b1faccd4b2c0f", "{6c02aeb1-775e-418e-870b-1faccd4b2c0f}", "not a uri", "//a", "http://[::1", "a@", "@", "1.2.3", "01.2.3.4",
    "::g", "-a.com", "a_b.com", "YQ", "Y!", "P1", "P1W", "24:00:00Z", "(", "~2",
)  # fmt: skip
STATUSES = (100, 200, 201, 204, 206, 302, 400, 404, 418, 422, 500, 503, 599)
TYPES = (
    "", "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=latin-1", "application/json ;a=b",
    "text/plain", "text/plain; charset=utf-8", "text/csv", "application/xml", "application/problem+json", "application/vnd.own+json",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "json", "*/*",
)  # fmt: skip


def request(rng, parts, names):
    """Change a request in one way; the name of the way."""
    ways = [unknown_query, path_segment]
    if names:
        ways += [query_text] * 6
    if parts.pairs:
        ways += [query_text, query_text, query_dropped, query_repeated, query_upper, query_bare]
    if parts.headers:
        ways += [header_text, header_text, header_dropped, header_repeated, header_upper]
    if parts.media_type:
        ways += [body_value] * 12 + [body_bytes] * 5 + [media_type, media_type, no_body]
    way = rng.choice(ways)
    if way is query_text:
        return query_text(rng, parts, names)
    return way(rng, parts)


def answer(rng, parts):
    """Change an answer in one way; the name of the way."""
    ways = [status]
    if parts.headers:
        ways += [header_text, header_text, header_dropped, header_upper]
    if parts.media_type:
        ways += [body_value] * 12 + [body_bytes] * 3 + [media_type, media_type, no_body]
    else:
        ways += [some_body]
    return rng.choice(ways)(rng, parts)


def encoded(parts):
    """The value of a message as bytes."""
    kind = parts.media_type.partition(";")[0].lower()
    if kind in {"application/x-ndjson", "application/jsonl"}:
        lines = parts.value if isinstance(parts.value, list) else [parts.value]
        return b"\n".join(json.dumps(line).encode() for line in lines)
    if kind.endswith("json"):
        return json.dumps(parts.value).encode()
    return (
        parts.value.encode() if isinstance(parts.value, str) else json.dumps(parts.value).encode()
    )


def unknown_query(rng, parts):
    parts.pairs.append((rng.choice(("unknown", "a%5Bb%5D", "", "%C3")), "1"))
    return "a parameter that nobody knows"


def path_segment(rng, parts):
    segments = parts.path.split("/")
    at = rng.randrange(1, len(segments))
    text = rng.choice(TEXTS)
    segments[at] = text.replace("?", "%3F")
    parts.path = "/".join(segments)
    return f"path segment {text[:30]!r}"


def query_text(rng, parts, names):
    text = rng.choice(TEXTS)
    if parts.pairs and (not names or rng.random() < 0.5):
        at = rng.randrange(len(parts.pairs))
        parts.pairs[at] = (parts.pairs[at][0], text)
    else:
        name = rng.choice(names)
        parts.pairs = [(n, v) for n, v in parts.pairs if n != name]
        parts.pairs.append((name, text))
    return f"query text {text[:30]!r}"


def query_dropped(rng, parts):
    del parts.pairs[rng.randrange(len(parts.pairs))]
    return "a pair of the query is dropped"


def query_repeated(rng, parts):
    pair = rng.choice(parts.pairs)
    parts.pairs.append((pair[0], rng.choice((pair[1], "", "1"))))
    return "a pair of the query is repeated"


def query_upper(rng, parts):
    at = rng.randrange(len(parts.pairs))
    parts.pairs[at] = (parts.pairs[at][0].upper(), parts.pairs[at][1])
    return "a name in the query in capitals"


def query_bare(rng, parts):
    at = rng.randrange(len(parts.pairs))
    parts.pairs[at] = (parts.pairs[at][0], None)
    return "a name in the query without ="


def header_text(rng, parts):
    at = rng.randrange(len(parts.headers))
    name, _value = parts.headers[at]
    text = rng.choice(
        [t for t in TEXTS if "%" not in t] + [" 1", "1 ", "1, 2", "1,,2", '"a"', "é", "a;b=c"]
    )
    parts.headers[at] = (
        name,
        f"session={text}" if name == "Cookie" and rng.random() < 0.6 else text,
    )
    return f"header text {text[:30]!r}"


def header_dropped(rng, parts):
    del parts.headers[rng.randrange(len(parts.headers))]
    return "a header is dropped"


def header_repeated(rng, parts):
    name, value = rng.choice(parts.headers)
    parts.headers.append((name, rng.choice((value, "1"))))
    return "a header is repeated"


def header_upper(rng, parts):
    parts.headers = [(name.upper(), value) for name, value in parts.headers]
    return "names of headers in capitals"


def status(rng, parts):
    parts.status = rng.choice(STATUSES)
    return f"status {parts.status}"


def media_type(rng, parts):
    parts.media_type = rng.choice(TYPES)
    return f"media type {parts.media_type!r}"


def no_body(rng, parts):
    parts.body = rng.choice((b"", b" "))
    if rng.random() < 0.5 and not parts.body:
        parts.media_type = ""
    return "no body"


def some_body(rng, parts):
    parts.body, parts.media_type = b"{}", "application/json"
    return "a body where there is none"


def body_value(rng, parts):
    parts.value = json.loads(json.dumps(parts.value))
    owner, key = rng.choice(list(_places(parts.value)))
    if owner is None:
        parts.value = value = rng.choice(VALUES)
        name = f"the body is {str(value)[:30]!r}"
    else:
        name = _changed(rng, owner, key)
    parts.body = encoded(parts)
    return name


def _places(value, owner=None, key=None):
    yield owner, key
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for k, v in inner:
        yield from _places(v, value, k)


def _changed(rng, owner, key):
    roll = rng.random()
    if roll < 0.15:
        del owner[key]
        return "something in the body is dropped"
    if roll < 0.25:
        if isinstance(owner, dict):
            owner["more"] = rng.choice(VALUES)
        else:
            owner.append(owner[key])
        return "there is more in the body"
    if roll < 0.45 and (near := _one_off(rng, owner[key])) is not None:
        owner[key] = near
        return "something in the body is one off"
    owner[key] = value = rng.choice(VALUES)
    return f"in the body {str(value)[:30]!r}"


def _one_off(rng, value):
    """A number next to it, a text or list that is one longer or shorter."""
    match value:
        case bool() | dict() | None:
            return None
        case int() | float():
            return value + rng.choice((-1, 1))
        case _:
            return rng.choice((value[:-1], value + value[-1:]))


def body_bytes(rng, parts):
    name, change = rng.choice(BYTES)
    parts.body = change(parts.body)
    return f"body: {name}"


def _number_in(text):
    return lambda body: (
        body[:-1] + (b"," if len(body) > 2 else b"") + b'"more":' + text + b"}"
        if body[:1] == b"{"
        else text
    )


BYTES = (
    ("cut short", lambda body: body[:-1]),
    ("trailing data", lambda body: body + b"x"),
    ("trailing space", lambda body: b" \t\r\n" + body + b" \n"),
    ("trailing form feed", lambda body: body + b"\f"),
    ("duplicate keys", lambda body: b'{"name":0,' + body[1:] if body[:1] == b"{" and len(body) > 2 else body),
    ("byte order mark", lambda body: b"\xef\xbb\xbf" + body),
    ("UTF-16", lambda body: body.decode().encode("utf-16")),
    ("not UTF-8", lambda body: body[:1] + b"\xff\xfe" + body[1:]),
    ("half surrogate", _number_in(b'"\\ud800"')),
    ("surrogate bytes", _number_in(b'"\xed\xa0\x80"')),
    ("control character", _number_in(b'"\n"')),
    ("NaN", _number_in(b"NaN")),
    ("Infinity", _number_in(b"-Infinity")),
    ("1e400", _number_in(b"1e400")),
    ("leading zero", _number_in(b"01")),
    ("no fraction", _number_in(b"1.")),
    ("400 digits", _number_in(b"1" + b"0" * 400)),
    ("5000 digits", _number_in(b"1" + b"0" * 5000)),
    ("comment", lambda body: body + b"/* */"),
    ("single quotes", lambda body: body.replace(b'"', b"'")),
    ("trailing comma", lambda body: body[:-1] + b"," + body[-1:]),
    ("nested deeply", _number_in(b"[" * 2000 + b"]" * 2000)),
)  # fmt: skip
