"""What ``soundstage fuzz`` says in the end."""

from collections.abc import Iterator, Mapping
from textwrap import indent

from soundstage.testing.fuzz.tally import Failure, Tally
from soundstage.testing.fuzz.target import Target
from soundstage.testing.semantics.described import Catalogue
from soundstage.types import Document

MOCK = "http://127.0.0.1:4010"
"""Where a mock is that somebody serves to look at a failure."""


def as_text(target: Target, tally: Tally, lines: Mapping[str, str]) -> str:
    """The table of operations, each failure, then ``lines``: commands to give."""
    labels = Catalogue(target.document).operations
    shown = [label for label in labels if tally.cases[label]]
    width = max((len(labels[label].id) for label in shown), default=0)
    head = "".join(f"{word:>9}" for word in ("cases", "2xx", "refused", "failures"))
    rows = [f"  {'operation':{width}}{head}"]
    for label in shown:
        counts = (tally.cases[label], tally.good[label], tally.refused[label])
        figures = "".join(f"{count:9}" for count in (*counts, tally.failed(label)))
        rows.append(f"  {labels[label].id:{width}}{figures}")
    made = sum(tally.checks.values())
    rows.append(f"  {len(tally.checks)} checks, made {made} times")
    found = [_failure(target, failure) for failure in tally.failures.values()]
    found += [_error(where, text, n) for (where, text), n in tally.errors.items()]
    if found:
        found += ["", *(f"  {name}: {line}" for name, line in lines.items())]
    return "\n".join([_head(target, tally), *rows, *found])


def _head(target: Target, tally: Tally) -> str:
    cases = sum(tally.cases.values())
    kinds = len(tally.failures)
    found = "clean" if tally.ok else f"{kinds} kind{'s' * (kinds != 1)} of failure"
    ended = "" if tally.complete else f"; not complete: {tally.reason or 'it ended'}"
    return f"{target.name}: {cases} cases, {found}{ended}"


def _failure(target: Target, failure: Failure) -> str:
    example = failure.example
    times = "once" if failure.count == 1 else f"{failure.count} times"
    head = f"{failure.operation}: {failure.check}, {times}, in {example['phase']}"
    told = [failure.title, example["message"], *_curls(target, failure)]
    return f"\n{head}\n" + indent("\n".join(filter(None, told)), "    ")


def _curls(target: Target, failure: Failure) -> Iterator[str]:
    for curl in failure.example["curl"]:
        yield curl.replace(target.url, MOCK) if target.own else curl


def _error(where: str, text: str, count: int) -> str:
    return f"\n{where or 'schemathesis'}: error, {count} times\n" + indent(text, "    ")


def as_json(target: Target, tally: Tally, lines: Mapping[str, str]) -> Document:
    """The same for machines."""
    labels = Catalogue(target.document).operations
    return {
        "name": target.name,
        "ok": tally.ok,
        "complete": tally.complete,
        "reason": tally.reason,
        "operations": {
            operation.id: {
                "label": label,
                "cases": tally.cases[label],
                "good": tally.good[label],
                "refused": tally.refused[label],
                "failures": tally.failed(label),
            }
            for label, operation in labels.items()
        },
        "checks": dict(tally.checks),
        "failures": [
            {
                "operation": labels[f.operation].id if f.operation in labels else None,
                "label": f.operation,
                "check": f.check,
                "title": f.title,
                "count": f.count,
                "phase": f.example["phase"],
                "status": f.example["status"],
                "message": f.example["message"],
                "curl": list(_curls(target, f)),
            }
            for f in tally.failures.values()
        ],
        "errors": [
            {"where": where, "message": text, "count": count}
            for (where, text), count in tally.errors.items()
        ],
        "commands": dict(lines),
    }
