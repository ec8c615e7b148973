"""How an exchange differs from the one that was wanted, field by field."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from soundstage.server.journal.cut import MASK
from soundstage.server.journal.entry import Entry
from soundstage.types import Document, Json

ANY: Json = object()
"""For a body that may be anything."""

ABSENT: Json = object()

LONGEST = 120
"""Characters of a value in a text."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that is looked for: of an operation, with what it has to say at least.

    Its ``parameters`` are equal; of its ``body`` the given fields are, at any depth,
    lists as a whole. What an API keeps secret is known as ``***`` only.
    """

    operation: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    body: Json = ANY
    api: str | None = None

    def is_of(self, entry: Entry) -> bool:
        """Whether the exchange is one of this operation, whatever it says."""
        return entry.operation == self.operation and self.api in {None, entry.api}

    def matches(self, entry: Entry) -> bool:
        """Whether the exchange is one that is wanted."""
        return self.is_of(entry) and not any(self.differences(entry))

    def differences(self, entry: Entry) -> Iterator["Difference"]:
        """Where the exchange says something else."""
        yield from _differences(self.parameters, dict(entry.parameters), "parameters")
        if self.body is not ANY:
            if entry.body.is_cut:
                yield Difference(
                    "body", self.body, f"{entry.body.size} bytes, not kept"
                )
            else:
                yield from _differences(self.body, entry.body.value, "body")

    def __str__(self) -> str:
        given = [f"parameters.{k} = {worded(v)}" for k, v in self.parameters.items()]
        if self.body is not ANY:
            given.append(f"body = {worded(self.body)}")
        return f"{self.operation} with {', '.join(given)}" if given else self.operation


def wanted(
    operation: str, with_: Document | None = None, api: str | None = None
) -> Wanted:
    """``with_`` has ``parameters``, a ``body``, or both. Raises ``ValueError``."""
    given = with_ or {}
    if unknown := given.keys() - {"parameters", "body"}:
        msg = f'a call is looked for by "parameters" and "body", not {min(unknown)!r}'
        raise ValueError(msg)
    return Wanted(operation, given.get("parameters", {}), given.get("body", ANY), api)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place in which an exchange is not as it was wanted."""

    place: str
    expected: Json
    seen: Json

    def __str__(self) -> str:
        if self.seen == MASK:
            return f"{self.place}: a secret, which is not compared"
        seen = "nothing" if self.seen is ABSENT else worded(self.seen)
        return f"{self.place}: expected {worded(self.expected)}, seen {seen}"


def _differences(expected: Json, seen: Json, place: str) -> Iterator[Difference]:
    if isinstance(expected, Mapping) and isinstance(seen, dict):
        for name, value in expected.items():
            yield from _differences(value, seen.get(name, ABSENT), f"{place}.{name}")
    elif not equal(expected, seen):
        yield Difference(place, expected, seen)


def equal(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON: ``1`` is ``1.0``, but not ``true``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def worded(value: Json) -> str:
    """A value as texts have it: JSON, on one line, a long one cut."""
    text = printable(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def printable(text: str) -> str:
    """Without what a client could use to steer the reader's terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
