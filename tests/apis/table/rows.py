"""The table of operations: requests and the responses that they must get.

Every API has a module beside this one with ``GOOD`` (a successful request of each
operation), ``ROWS`` (changes of that request and their responses), ``WRITES``
(operations that change the world) and ``NEVER`` (documented statuses that no request
can get, with the reason). tests/apis/test_operations.py sends the requests.
"""

from dataclasses import dataclass, field

MAX_BODY_BYTES = 10 * 2**20
ZERO = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Request:
    """A successful request, which rows change."""

    method: str
    path: str
    headers: dict
    content: bytes = b""

    def changed(self, path=None, query="", headers=None, **change):
        """Return a changed copy; ``None`` removes a header, ``query`` is appended."""
        named = {**self.headers, **(headers or {})}
        kept = {name: value for name, value in named.items() if value is not None}
        content = change.get("content", self.content)
        target = (path or self.path) + query
        return Request(change.get("method", self.method), target, kept, content)


@dataclass(frozen=True)
class Row:
    """A change of a request and its response.

    ``rules`` are the violations, as "place.name rule", in their order; ``shows`` are
    values in the response, by their dotted path.
    """

    about: str
    change: dict
    status: int = 200
    rules: tuple = ()
    shows: dict = field(default_factory=dict)


def ok(about, shows, **change):
    return Row(about, change, shows=shows)


def refused(status, about, *rules, **change):
    return Row(about, change, status, rules)


BIG_64 = 2**63  # one more than int64 holds
NINES_400, NINES_5000 = "9" * 400, "9" * 5000


def without_credentials(status, *names):
    """Rows of every operation that requires credentials."""
    rows = []
    for name in names:
        rows += [
            refused(status, f"no {name}", "security security", headers={name: None}),
            refused(status, f"empty {name}", "security security", headers={name: ""}),
            refused(status, f"wrong {name}", "security security", headers={name: "x"}),
        ]
    return rows


def integers(status, name, below, *, maximum):
    """Rows of an integer in the query, with the bounds of its schema or format."""
    place, above = f"query.{name}", f"query.{name} maximum"
    return [
        refused(status, f"{name} below", f"{place} minimum", query=f"?{name}={below}"),
        refused(status, f"{name} above", above, query=f"?{name}={maximum + 1}"),
        refused(status, f"{name} of 64 bits", above, query=f"?{name}={BIG_64}"),
        refused(status, f"{name} of 400 digits", above, query=f"?{name}={NINES_400}"),
        refused(status, f"{name} of 5000", f"{place} type", query=f"?{name}={NINES_5000}"),
        *(
            refused(status, f"{name} {text!r}", f"{place} type", query=f"?{name}={text}")
            for text in ("x", "1.0", "1e0", "%2B1", "%201", "1_0", "", "null", "%00")
        ),
        refused(status, f"{name} twice", f"{place} repeated", query=f"?{name}=1&{name}=2"),
    ]


def any_query(status):
    """Rows of every operation's query."""
    return [
        refused(status, "unknown parameter", "query.bogus unknown", query="?bogus=1"),
        refused(status, "unknown, empty", "query.bogus unknown", query="?bogus"),
        refused(status, "no name", "query unknown", query="?=1"),
        refused(status, "value not UTF-8", "query encoding", query="?bogus=%FF"),
        refused(status, "name not UTF-8", "query encoding", query="?%FF=1"),
    ]


def dates(name):
    """Rows of an RFC 3339 timestamp in the query."""
    return [
        refused(400, f"{name} {text}", f"query.{name} format", query=f"?{name}={text}")
        for text in (
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "lorem",
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+02:00",  # a plus that is not encoded means a space
            "2026-01-01T24:00:00Z",
            "2016-12-31T12:00:60Z",  # no leap second at noon
            "20260101T000000Z",
            "1767225600000",
        )
    ]


MALFORMED = {
    "half a body": b"{",
    "two bodies": b"{}{}",
    "not UTF-8": b'{"type":"\xff"}',
    "UTF-16": b"\xff\xfe{\x00}\x00",
    "byte order mark": b"\xef\xbb\xbf{}",
    "NaN": b'{"page":NaN}',
    "Infinity": b'{"page":-Infinity}',
    "deep": b"[" * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "400 digits": b'{"page":%s}' % NINES_400.encode(),
    "5000 digits": b'{"page":%s}' % NINES_5000.encode(),
    "half a surrogate": b'{"type":"\\ud800"}',
}


def bodies(status):
    """Rows of an object in JSON as body."""
    return [
        refused(status, "no body", "body required", content=b""),
        *(
            refused(status, about, "body json", content=content)
            for about, content in MALFORMED.items()
        ),
        *(
            refused(status, f"body {content}", "body type", content=content)
            for content in (b"null", b"[]", b'"{}"', b"1")
        ),
        *(
            refused(status, f"in {kind!r}", "body media type", headers={"content-type": kind})
            for kind in ("text/plain", "application/xml", "json", "*/*", "")
        ),
        refused(413, "large body", "body size", content=b" " * (MAX_BODY_BYTES + 1)),
    ]
