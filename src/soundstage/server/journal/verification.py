"""Questions to a journal: called, never, in this order; a text tells why not.

Every exchange of an operation is a call of it, a refused one too; but that has no
parameters, for they were not read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from soundstage.server.journal.cut import MASK
from soundstage.server.journal.difference import Wanted, printable, worded
from soundstage.server.journal.entry import Entry
from soundstage.world.clock import rfc3339

SHOWN = 20
"""Exchanges that a text lists, the last ones."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether it is so. The ``text`` of a failure has many lines."""

    ok: bool
    text: str


def called(
    entries: Sequence[Entry],
    wanted: Wanted,
    *,
    times: int | None = None,
    at_least: int = 1,
) -> Verdict:
    """Whether the call was made: exactly so many times, or at least so many."""
    matching = [entry for entry in entries if wanted.matches(entry)]
    count = len(matching)
    often = _often(at_least, "at least ") if times is None else _often(times)
    claim = f"{_shown(wanted, entries)} is called {often}"
    if count >= at_least if times is None else count == times:
        return Verdict(ok=True, text=f"as expected: {claim}")
    seen = f"it was called {_often(count)}" if count else "it was never called"
    wanting = count < (at_least if times is None else times)
    nearest = _nearest(entries, wanted) if wanting else ()
    return _failure(claim, seen, entries, matching, nearest)


def never(entries: Sequence[Entry], wanted: Wanted) -> Verdict:
    """Whether the call was not made at all."""
    matching = [entry for entry in entries if wanted.matches(entry)]
    claim = f"{_shown(wanted, entries)} is never called"
    if not matching:
        return Verdict(ok=True, text=f"as expected: {claim}")
    seen = f"it was called {_often(len(matching))}"
    return _failure(claim, seen, entries, matching)


def in_order(entries: Sequence[Entry], wanted: Sequence[Wanted]) -> Verdict:
    """Whether these calls were made one after the other; others may lie between."""
    names = "; ".join(f"{i}. {_shown(w, entries)}" for i, w in enumerate(wanted, 1))
    claim = f"these calls in this order: {names}"
    found: list[Entry] = []
    rest = entries
    for step, one in enumerate(wanted, 1):
        at = next((i for i, entry in enumerate(rest) if one.matches(entry)), None)
        if at is None:
            seen = _out_of_order(step, one, entries, found)
            nearest = _nearest(rest, one)
            return _failure(claim, seen, entries, found, nearest)
        found.append(rest[at])
        rest = rest[at + 1 :]
    return Verdict(ok=True, text=f"as expected: {claim}")


def _out_of_order(
    step: int, wanted: Wanted, entries: Sequence[Entry], found: Sequence[Entry]
) -> str:
    after = f" after #{found[-1].number}" if found else ""
    text = f"call {step}, {_shown(wanted, entries)}, is missing{after}"
    earlier = [f"#{entry.number}" for entry in entries if wanted.matches(entry)]
    return f"{text}; it was made as {', '.join(earlier[:SHOWN])}" if earlier else text


def _often(count: int, prefix: str = "") -> str:
    return f"{prefix}{count} time{'' if count == 1 else 's'}"


def _shown(wanted: Wanted, entries: Sequence[Entry]) -> str:
    """The call that is wanted; what is masked in an exchange is masked here too."""
    secret = {k for e in entries for k, value in e.parameters.items() if value == MASK}
    given = {k: MASK if k in secret else v for k, v in wanted.parameters.items()}
    return str(replace(wanted, parameters=given))


def _failure(
    claim: str,
    seen: str,
    entries: Sequence[Entry],
    matching: Sequence[Entry],
    more: Sequence[str] = (),
) -> Verdict:
    lines = [f"expected: {claim}", f"seen: {seen}", *_listed(entries, matching), *more]
    return Verdict(ok=False, text="\n".join(lines))


def _listed(entries: Sequence[Entry], matching: Sequence[Entry]) -> Iterator[str]:
    """The exchanges, a line each; those that count are marked."""
    yield f"exchanges: {len(entries) or 'none'}"
    if len(entries) > SHOWN:
        yield f"    … {len(entries) - SHOWN} earlier ones"
    counted = {entry.number for entry in matching}
    for entry in entries[-SHOWN:]:
        yield f"  {'*' if entry.number in counted else ' '} {line_of(entry)}"


def line_of(entry: Entry) -> str:
    """An exchange on one line."""
    if entry.operation is None:
        call = printable(f"{entry.method} {entry.path}")
    else:
        given = (f"{k}={worded(v)}" for k, v in entry.parameters.items())
        call = " ".join((entry.operation, *given))
    notes = [str(entry.status or "no answer")]
    if entry.violations:
        notes.append(_counted(len(entry.violations), "violation"))
    if entry.fault:
        notes.append(f"fault {entry.fault}")
    return f"#{entry.number} {rfc3339(entry.at)} {call} -> {', '.join(notes)}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _nearest(entries: Sequence[Entry], wanted: Wanted) -> list[str]:
    """What the exchange of the operation that lacks the least has different.

    Of several the last one, but rather one that was not refused.
    """
    misses = [
        (entry, differences)
        for entry in reversed(entries)
        if wanted.is_of(entry) and (differences := list(wanted.differences(entry)))
    ]
    if not misses:
        return []
    entry, least = min(misses, key=lambda m: (len(m[1]), bool(m[0].violations)))
    refusals = (f"refused: {printable(str(v))}" for v in entry.violations)
    return [f"nearest, #{entry.number}:", *(f"    {x}" for x in (*least, *refusals))]
