"""Expectations about the calls of a client, verified against a journal.

Each exchange of an operation is a call of it. A call that violated the contract counts
too, but has no parameters, as they could not be parsed.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.redaction import REDACTED
from soundstage.types import Json, JsonObject
from soundstage.world.clock import format_rfc3339

ANY_BODY: Json = object()
"""Expected body of a call that may have any."""

ABSENT: Json = object()
"""Actual value of a field that is missing."""

MAX_VALUE_LENGTH = 120
"""Characters of a formatted value."""

MAX_LISTED = 20
"""Exchanges that a failure lists, the last ones."""


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    """An expected call of an operation, with some of its parameters and its body.

    ``parameters`` are compared as they were parsed. Objects in the ``body`` may have
    more fields than expected, at any depth; lists must be equal. Secrets are redacted
    in a journal, and not compared.

    >>> str(ExpectedCall("getRun", {"runID": "7"}))
    'getRun with parameters.runID = "7"'
    """

    operation: str
    parameters: Mapping[str, Json] = field(default_factory=dict)
    body: Json = ANY_BODY
    api: str | None = None

    def is_same_operation(self, entry: JournalEntry) -> bool:
        """Whether the exchange is a call of the same operation."""
        return entry.operation == self.operation and self.api in {None, entry.api}

    def matches(self, entry: JournalEntry) -> bool:
        """Whether the exchange is the expected call."""
        return self.is_same_operation(entry) and not any(self.find_mismatches(entry))

    def find_mismatches(self, entry: JournalEntry) -> Iterator["Mismatch"]:
        """Yield the places in which the exchange is different."""
        yield from _compare(self.parameters, dict(entry.parameters), "parameters")
        if self.body is not ANY_BODY:
            if entry.request_body.is_truncated:
                actual = f"{entry.request_body.size} bytes, not kept"
                yield Mismatch("body", self.body, actual)
            else:
                yield from _compare(self.body, entry.request_body.value, "body")

    def __str__(self) -> str:
        parts = [
            f"parameters.{name} = {format_value(value)}" for name, value in self.parameters.items()
        ]
        if self.body is not ANY_BODY:
            parts.append(f"body = {format_value(self.body)}")
        return f"{self.operation} with {', '.join(parts)}" if parts else self.operation


def build_expected_call(
    operation: str, arguments: JsonObject | None = None, api: str | None = None
) -> ExpectedCall:
    """Build an expected call; ``arguments`` has ``parameters``, a ``body``, or both.

    Raises ``ValueError`` for any other key.
    """
    arguments = arguments or {}
    if unknown := arguments.keys() - {"parameters", "body"}:
        msg = f'a call has "parameters" and a "body" only, not {min(unknown)!r}'
        raise ValueError(msg)
    parameters, body = arguments.get("parameters", {}), arguments.get("body", ANY_BODY)
    return ExpectedCall(operation, parameters, body, api)


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference between an expected call and an exchange."""

    location: str
    expected: Json
    actual: Json

    def __str__(self) -> str:
        if self.actual == REDACTED:
            return f"{self.location}: a secret, which is not compared"
        actual = "nothing" if self.actual is ABSENT else format_value(self.actual)
        return f"{self.location}: expected {format_value(self.expected)}, seen {actual}"


def _compare(expected: Json, actual: Json, location: str) -> Iterator[Mismatch]:
    if isinstance(expected, Mapping) and isinstance(actual, dict):
        for name, value in expected.items():
            yield from _compare(value, actual.get(name, ABSENT), f"{location}.{name}")
    elif not equals_json(expected, actual):
        yield Mismatch(location, expected, actual)


def equals_json(one: Json, other: Json) -> bool:
    """Whether two values are equal JSON: ``1`` equals ``1.0``, but not ``true``.

    >>> equals_json([1, {"a": 2}], [1.0, {"a": 2}]), equals_json(1, True)
    (True, False)
    """
    # In Python, but not in JSON, a boolean is a number.
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equals_json(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equals_json, one, other))
    return bool(one == other)


def format_value(value: Json) -> str:
    """Format a value as JSON on one line, truncated if it is long."""
    text = escape_control_characters(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"


def escape_control_characters(text: str) -> str:
    """Return the text without the control characters that a terminal would obey."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """Whether an expectation is met; the ``text`` of a failure lists the exchanges."""

    ok: bool
    text: str


def verify_called(
    entries: Sequence[JournalEntry],
    expected: ExpectedCall,
    *,
    times: int | None = None,
    at_least: int = 1,
) -> VerificationResult:
    """Verify that the call was made ``times`` times, or ``at_least`` that often."""
    matching = [entry for entry in entries if expected.matches(entry)]
    count = len(matching)
    minimum = at_least if times is None else times
    frequency = ("at least " if times is None else "") + _format_count(minimum, "time")
    claim = f"{_format_call(expected, entries)} is called {frequency}"
    if count == minimum or (times is None and count > minimum):
        return VerificationResult(ok=True, text=f"as expected: {claim}")
    called = _format_count(count, "time")
    actual = f"it was called {called}" if count else "it was never called"
    nearest = _describe_nearest(entries, expected) if count < minimum else ()
    return _build_failure(claim, actual, entries, matching, nearest)


def verify_never_called(
    entries: Sequence[JournalEntry], expected: ExpectedCall
) -> VerificationResult:
    """Verify that the call was not made."""
    matching = [entry for entry in entries if expected.matches(entry)]
    claim = f"{_format_call(expected, entries)} is never called"
    if not matching:
        return VerificationResult(ok=True, text=f"as expected: {claim}")
    actual = f"it was called {_format_count(len(matching), 'time')}"
    return _build_failure(claim, actual, entries, matching)


def verify_in_order(
    entries: Sequence[JournalEntry], expected: Sequence[ExpectedCall]
) -> VerificationResult:
    """Verify that the calls were made in this order; others may be in between."""
    calls = "; ".join(
        f"{number}. {_format_call(call, entries)}" for number, call in enumerate(expected, 1)
    )
    claim = f"these calls in this order: {calls}"
    matched: list[JournalEntry] = []
    rest = entries
    for number, call in enumerate(expected, 1):
        index = next((i for i, entry in enumerate(rest) if call.matches(entry)), None)
        if index is None:
            actual = _describe_missing_call(number, call, entries, matched)
            nearest = _describe_nearest(rest, call)
            return _build_failure(claim, actual, entries, matched, nearest)
        matched.append(rest[index])
        rest = rest[index + 1 :]
    return VerificationResult(ok=True, text=f"as expected: {claim}")


def _describe_missing_call(
    number: int,
    expected: ExpectedCall,
    entries: Sequence[JournalEntry],
    matched: Sequence[JournalEntry],
) -> str:
    after = f" after #{matched[-1].number}" if matched else ""
    text = f"call {number}, {_format_call(expected, entries)}, is missing{after}"
    others = [f"#{entry.number}" for entry in entries if expected.matches(entry)]
    return f"{text}; it was made as {', '.join(others[:MAX_LISTED])}" if others else text


def _format_call(expected: ExpectedCall, entries: Sequence[JournalEntry]) -> str:
    """Format an expected call; what is redacted in an exchange is redacted here too."""
    # The text of a failure is printed, so it must not contain the expected secrets.
    secret = {
        name for entry in entries for name, value in entry.parameters.items() if value == REDACTED
    }
    parameters = {
        name: REDACTED if name in secret else value for name, value in expected.parameters.items()
    }
    return str(replace(expected, parameters=parameters))


def _build_failure(
    claim: str,
    actual: str,
    entries: Sequence[JournalEntry],
    matching: Sequence[JournalEntry],
    more: Sequence[str] = (),
) -> VerificationResult:
    lines = [f"expected: {claim}", f"seen: {actual}", *_list_exchanges(entries, matching), *more]
    return VerificationResult(ok=False, text="\n".join(lines))


def _list_exchanges(
    entries: Sequence[JournalEntry], matching: Sequence[JournalEntry]
) -> Iterator[str]:
    """Yield a line for each exchange, with a mark if it matches."""
    yield f"exchanges: {len(entries) or 'none'}"
    if len(entries) > MAX_LISTED:
        yield f"    … {len(entries) - MAX_LISTED} earlier ones"
    matched = {entry.number for entry in matching}
    for entry in entries[-MAX_LISTED:]:
        yield f"  {'*' if entry.number in matched else ' '} {format_entry(entry)}"


def format_entry(entry: JournalEntry) -> str:
    """Format an exchange on one line."""
    if entry.operation is None:
        call = escape_control_characters(f"{entry.method} {entry.path}")
    else:
        parameters = (f"{k}={format_value(v)}" for k, v in entry.parameters.items())
        call = " ".join((entry.operation, *parameters))
    notes = [str(entry.status or "no response")]
    if entry.violations:
        notes.append(_format_count(len(entry.violations), "violation"))
    if entry.fault:
        notes.append(f"fault {entry.fault}")
    time = format_rfc3339(entry.timestamp)
    return f"#{entry.number} {time} {call} -> {', '.join(notes)}"


def _format_count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _describe_nearest(entries: Sequence[JournalEntry], expected: ExpectedCall) -> list[str]:
    """Describe the call of the operation with the fewest mismatches.

    Of several it is the last one, preferably one without violations.
    """
    candidates = [
        (entry, mismatches)
        for entry in reversed(entries)
        if expected.is_same_operation(entry)
        and (mismatches := list(expected.find_mismatches(entry)))
    ]
    if not candidates:
        return []
    # Of equal candidates ``min`` returns the first one, which is the latest call.
    entry, mismatches = min(candidates, key=lambda one: (len(one[1]), bool(one[0].violations)))
    lines = [
        *map(str, mismatches),
        *(f"refused: {escape_control_characters(str(v))}" for v in entry.violations),
    ]
    return [f"nearest, #{entry.number}:", *(f"    {line}" for line in lines)]
