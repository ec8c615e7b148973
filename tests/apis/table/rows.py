"""The table of operations: what is asked of each, and what must come of it.

Every API has a module beside this one with ``GOOD`` (a request of each operation that
is answered well), ``ROWS`` (what becomes of changed ones), ``WRITES`` (operations that
change the world) and ``NEVER`` (documented statuses that no request can bring about,
with the reason). tests/contract/test_operations.py does the rest.
"""

from dataclasses import dataclass, field

MOST = 10 * 2**20  # bytes of a body that is still read
ZERO = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Request:
    """A request that is answered well; rows change it."""

    method: str
    path: str
    headers: dict
    content: bytes = b""

    def changed(self, path=None, query="", headers=None, **change):
        """``None`` takes a header away; ``query`` is added to the path."""
        named = {**self.headers, **(headers or {})}
        kept = {name: value for name, value in named.items() if value is not None}
        content = change.get("content", self.content)
        target = (path or self.path) + query
        return Request(change.get("method", self.method), target, kept, content)


@dataclass(frozen=True)
class Row:
    """``rules`` are the violations, as "place.name rule", in their order.

    ``shows`` are values in the answer, by their dotted path.
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
    """Rows that hold for every operation that asks for credentials."""
    rows = []
    for name in names:
        rows += [
            refused(status, f"no {name}", "security security", headers={name: None}),
            refused(status, f"empty {name}", "security security", headers={name: ""}),
            refused(status, f"wrong {name}", "security security", headers={name: "x"}),
        ]
    return rows


def whole_numbers(status, name, least, *, most):
    """Rows of an integer in the query; ``most`` is its own bound, or a format's."""
    place, above = f"query.{name}", f"query.{name} maximum"
    return [
        refused(status, f"{name} below", f"{place} minimum", query=f"?{name}={least}"),
        refused(status, f"{name} above", above, query=f"?{name}={most + 1}"),
        refused(status, f"{name} of 64 bits", above, query=f"?{name}={BIG_64}"),
        refused(status, f"{name} of 400 digits", above, query=f"?{name}={NINES_400}"),
        refused(
            status, f"{name} of 5000", f"{place} type", query=f"?{name}={NINES_5000}"
        ),
        *(
            refused(
                status, f"{name} {text!r}", f"{place} type", query=f"?{name}={text}"
            )
            for text in ("x", "1.0", "1e0", "%2B1", "%201", "1_0", "", "null", "%00")
        ),
        refused(
            status, f"{name} twice", f"{place} repeated", query=f"?{name}=1&{name}=2"
        ),
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
    """Rows of a moment of RFC 3339 in the query."""
    return [
        refused(400, f"{name} {text}", f"query.{name} format", query=f"?{name}={text}")
        for text in (
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "lorem",
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00+02:00",  # a plus that nobody encoded is a blank
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
            refused(
                status,
                f"in {kind!r}",
                "body media type",
                headers={"content-type": kind},
            )
            for kind in ("text/plain", "application/xml", "json", "*/*", "")
        ),
        refused(413, "large body", "body size", content=b" " * (MOST + 1)),
    ]
