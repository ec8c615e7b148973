"""What the proxy prints: where it listens, a line for every exchange, a summary."""

import json
from contextlib import suppress
from typing import TextIO

from soundstage.server.journal.difference import printable
from soundstage.server.journal.entry import Entry
from soundstage.testing.proxy.terms import Terms
from soundstage.types import Document
from soundstage.world.clock import rfc3339


def greeting(
    url: str, upstream: str, terms: Terms, record: str | None, fail_on: list[str]
) -> Document:
    """What passes from where to where, and what it is held against."""
    return {
        "url": url,
        "upstream": upstream,
        "api": terms.contract.name,
        "operations": len(terms.contract.operations),
        "unjudged": {
            f"{method} {path}": reason
            for (method, path), reason in terms.unjudged.items()
        },
        "record": record,
        "fail_on": fail_on,
    }


class Lines:
    """Writes for people, or as JSON lines."""

    def __init__(self, out: TextIO, *, json: bool) -> None:
        self._out = out
        self._json = json

    def greet(self, hello: Document) -> None:
        """Say what there is."""
        self._write(hello, _greeting(hello))

    def exchange(self, entry: Entry, note: str | None) -> None:
        """Say what passed, and what was wrong with it."""
        document = {
            "at": rfc3339(entry.at),
            "api": entry.api,
            "operation": entry.operation,
            "status": entry.status,
            "method": entry.method,
            "path": entry.path,
            "took_ms": entry.took,
            "violations": [violation.as_json() for violation in entry.violations],
            "note": note,
        }
        head = (
            f"{document['at']}  {entry.status or '---'}  {entry.operation or '-'}"
            f"  {entry.method} {entry.path}  {entry.took} ms"
        )
        wrong = [f"    {violation}" for violation in entry.violations]
        notes = [f"    ({note})"] if note else []
        self._write(document, [head, *wrong, *notes])

    def say(self, text: str) -> None:
        """Say something else."""
        self._write({"said": text}, [text])

    def sum_up(self, summary: Document) -> None:
        """Say what it all came to."""
        self._write({"summary": summary}, _summary(summary))

    def _write(self, document: Document, text: list[str]) -> None:
        lines = [json.dumps(document)] if self._json else map(printable, text)
        with suppress(BrokenPipeError):  # traffic passes on when nobody listens
            self._out.write("".join(f"{line}\n" for line in lines))
            self._out.flush()


def _greeting(hello: Document) -> list[str]:
    count, unjudged = hello["operations"], hello["unjudged"]
    lines = [
        f"Soundstage proxy on {hello['url']} -> {hello['upstream']}",
        f"held against {hello['api']}, {_number(count, 'operation')}",
    ]
    lines += [f"not judged: {name}: {why}" for name, why in unjudged.items()]
    if hello["fail_on"]:
        lines.append(f"refused where broken: {' and '.join(hello['fail_on'])}")
    if hello["record"]:
        lines.append(f"recorded in {hello['record']}")
    return lines


def _summary(summary: Document) -> list[str]:
    exchanges = _number(summary["exchanges"], "exchange")
    requests = _number(summary["requests"], "request")
    answers = _number(summary["answers"], "answer")
    found = [
        f"    {one['times']}x {one['operation']}: {one['at']} [{one['rule']}]"
        for one in summary["violations"]
    ]
    return [f"{exchanges}; {requests} and {answers} broke the contract", *found]


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
