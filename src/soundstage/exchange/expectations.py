"""How an exchange differs from the one that was wanted, field by field."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.redaction import REDACTED
from soundstage.types import Document, Json
from soundstage.world.clock import rfc3339

ANY_BODY: Json = object()
"""For a body that may be anything."""

ABSENT: Json = object()

MAX_VALUE_LENGTH = 120
"""Characters of a value in a text."""


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """A call that is looked for: of an operation, with what it has to say at least.

    Its ``parameters`` are equal; of its ``body`` the given fields are, at any depth,
    lists as a whole. What an API keeps secret is known as ``***`` only.
    """

    operation: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    body: Json = ANY_BODY
    api: str | None = None

    def is_same_operation(self, entry: JournalEntry) -> bool:
        """Whether the exchange is one of this operation, whatever it says."""
        return entry.operation == self.operation and self.api in {None, entry.api}

    def matches(self, entry: JournalEntry) -> bool:
        """Whether the exchange is one that is wanted."""
        return self.is_same_operation(entry) and not any(self.find_mismatches(entry))

    def find_mismatches(self, entry: JournalEntry) -> Iterator["Mismatch"]:
        """Where the exchange says something else."""
        yield from _compare(self.parameters, dict(entry.parameters), "parameters")
        if self.body is not ANY_BODY:
            if entry.request_body.is_truncated:
                yield Mismatch(
                    "body", self.body, f"{entry.request_body.size} bytes, not kept"
                )
            else:
                yield from _compare(self.body, entry.request_body.value, "body")

    def __str__(self) -> str:
        given = [
            f"parameters.{k} = {format_value(v)}" for k, v in self.parameters.items()
        ]
        if self.body is not ANY_BODY:
            given.append(f"body = {format_value(self.body)}")
        return f"{self.operation} with {', '.join(given)}" if given else self.operation


def build_expected_call(
    operation: str, arguments: Document | None = None, api: str | None = None
) -> ExpectedCall:
    """``with_`` has ``parameters``, a ``body``, or both. Raises ``ValueError``."""
    given = arguments or {}
    if unknown := given.keys() - {"parameters", "body"}:
        msg = f'a call is looked for by "parameters" and "body", not {min(unknown)!r}'
        raise ValueError(msg)
    return ExpectedCall(
        operation, given.get("parameters", {}), given.get("body", ANY_BODY), api
    )


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One place in which an exchange is not as it was wanted."""

    location: str
    expected: Json
    actual: Json

    def __str__(self) -> str:
        if self.actual == REDACTED:
            return f"{self.location}: a secret, which is not compared"
        seen = "nothing" if self.actual is ABSENT else format_value(self.actual)
        return f"{self.location}: expected {format_value(self.expected)}, seen {seen}"


def _compare(expected: Json, actual: Json, location: str) -> Iterator[Mismatch]:
    if isinstance(expected, Mapping) and isinstance(actual, dict):
        for name, value in expected.items():
            yield from _compare(value, actual.get(name, ABSENT), f"{location}.{name}")
    elif not equals_json(expected, actual):
        yield Mismatch(location, expected, actual)


def equals_json(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON: ``1`` is ``1.0``, but not ``true``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(
            equals_json(one[k], other[k]) for k in one
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equals_json, one, other))
    return bool(one == other)


def format_value(value: Json) -> str:
    """A value as texts have it: JSON, on one line, a long one cut."""
    text = escape_control_characters(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"


def escape_control_characters(text: str) -> str:
    """Without what a client could use to steer the reader's terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


MAX_LISTED = 20
"""Exchanges that a text lists, the last ones."""


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """Whether it is so. The ``text`` of a failure has many lines."""

    ok: bool
    text: str


def verify_called(
    entries: Sequence[JournalEntry],
    expected: ExpectedCall,
    *,
    times: int | None = None,
    at_least: int = 1,
) -> VerificationResult:
    """Whether the call was made: exactly so many times, or at least so many."""
    matching = [entry for entry in entries if expected.matches(entry)]
    count = len(matching)
    often = (
        _format_times(at_least, "at least ") if times is None else _format_times(times)
    )
    claim = f"{_format_call(expected, entries)} is called {often}"
    if count >= at_least if times is None else count == times:
        return VerificationResult(ok=True, text=f"as expected: {claim}")
    seen = f"it was called {_format_times(count)}" if count else "it was never called"
    wanting = count < (at_least if times is None else times)
    nearest = _describe_nearest(entries, expected) if wanting else ()
    return _build_failure(claim, seen, entries, matching, nearest)


def verify_never_called(
    entries: Sequence[JournalEntry], expected: ExpectedCall
) -> VerificationResult:
    """Whether the call was not made at all."""
    matching = [entry for entry in entries if expected.matches(entry)]
    claim = f"{_format_call(expected, entries)} is never called"
    if not matching:
        return VerificationResult(ok=True, text=f"as expected: {claim}")
    seen = f"it was called {_format_times(len(matching))}"
    return _build_failure(claim, seen, entries, matching)


def verify_in_order(
    entries: Sequence[JournalEntry], expected: Sequence[ExpectedCall]
) -> VerificationResult:
    """Whether these calls were made one after the other; others may lie between."""
    names = "; ".join(
        f"{i}. {_format_call(w, entries)}" for i, w in enumerate(expected, 1)
    )
    claim = f"these calls in this order: {names}"
    found: list[JournalEntry] = []
    rest = entries
    for step, one in enumerate(expected, 1):
        at = next((i for i, entry in enumerate(rest) if one.matches(entry)), None)
        if at is None:
            seen = _describe_missing_call(step, one, entries, found)
            nearest = _describe_nearest(rest, one)
            return _build_failure(claim, seen, entries, found, nearest)
        found.append(rest[at])
        rest = rest[at + 1 :]
    return VerificationResult(ok=True, text=f"as expected: {claim}")


def _describe_missing_call(
    step: int,
    expected: ExpectedCall,
    entries: Sequence[JournalEntry],
    matched: Sequence[JournalEntry],
) -> str:
    after = f" after #{matched[-1].number}" if matched else ""
    text = f"call {step}, {_format_call(expected, entries)}, is missing{after}"
    earlier = [f"#{entry.number}" for entry in entries if expected.matches(entry)]
    return (
        f"{text}; it was made as {', '.join(earlier[:MAX_LISTED])}" if earlier else text
    )


def _format_times(count: int, prefix: str = "") -> str:
    return f"{prefix}{count} time{'' if count == 1 else 's'}"


def _format_call(expected: ExpectedCall, entries: Sequence[JournalEntry]) -> str:
    """The call that is wanted; what is masked in an exchange is masked here too."""
    secret = {
        k for e in entries for k, value in e.parameters.items() if value == REDACTED
    }
    given = {k: REDACTED if k in secret else v for k, v in expected.parameters.items()}
    return str(replace(expected, parameters=given))


def _build_failure(
    claim: str,
    actual: str,
    entries: Sequence[JournalEntry],
    matching: Sequence[JournalEntry],
    more: Sequence[str] = (),
) -> VerificationResult:
    lines = [
        f"expected: {claim}",
        f"seen: {actual}",
        *_list_exchanges(entries, matching),
        *more,
    ]
    return VerificationResult(ok=False, text="\n".join(lines))


def _list_exchanges(
    entries: Sequence[JournalEntry], matching: Sequence[JournalEntry]
) -> Iterator[str]:
    """The exchanges, a line each; those that count are marked."""
    yield f"exchanges: {len(entries) or 'none'}"
    if len(entries) > MAX_LISTED:
        yield f"    … {len(entries) - MAX_LISTED} earlier ones"
    counted = {entry.number for entry in matching}
    for entry in entries[-MAX_LISTED:]:
        yield f"  {'*' if entry.number in counted else ' '} {format_entry(entry)}"


def format_entry(entry: JournalEntry) -> str:
    """An exchange on one line."""
    if entry.operation is None:
        call = escape_control_characters(f"{entry.method} {entry.path}")
    else:
        given = (f"{k}={format_value(v)}" for k, v in entry.parameters.items())
        call = " ".join((entry.operation, *given))
    notes = [str(entry.status or "no answer")]
    if entry.violations:
        notes.append(_format_count(len(entry.violations), "violation"))
    if entry.fault:
        notes.append(f"fault {entry.fault}")
    return f"#{entry.number} {rfc3339(entry.timestamp)} {call} -> {', '.join(notes)}"


def _format_count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _describe_nearest(
    entries: Sequence[JournalEntry], expected: ExpectedCall
) -> list[str]:
    """What the exchange of the operation that lacks the least has different.

    Of several the last one, but rather one that was not refused.
    """
    misses = [
        (entry, differences)
        for entry in reversed(entries)
        if expected.is_same_operation(entry)
        and (differences := list(expected.find_mismatches(entry)))
    ]
    if not misses:
        return []
    entry, least = min(misses, key=lambda m: (len(m[1]), bool(m[0].violations)))
    refusals = (
        f"refused: {escape_control_characters(str(v))}" for v in entry.violations
    )
    return [f"nearest, #{entry.number}:", *(f"    {x}" for x in (*least, *refusals))]
