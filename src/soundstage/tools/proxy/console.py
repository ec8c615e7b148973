"""The output of the proxy: its address, a line for each exchange, a summary."""

import json
from typing import TextIO

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.expectations import escape_control_characters
from soundstage.server.console import write_and_flush
from soundstage.tools.proxy.contract_router import ContractRouter
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339


def build_startup_info(
    url: str, upstream: str, router: ContractRouter, record: str | None, fail_on: list[str]
) -> JsonObject:
    """Return the addresses, the contract and the options of a proxy."""
    return {
        "url": url,
        "upstream": upstream,
        "api": router.contract.name,
        "operations": len(router.contract.operations),
        "unjudged": {
            f"{method} {path}": reason for (method, path), reason in router.contract.skipped.items()
        },
        "record": record,
        "fail_on": fail_on,
    }


class ProxyConsole:
    """Prints text or JSON lines."""

    def __init__(self, out: TextIO, *, json: bool) -> None:
        self._out = out
        self._json = json

    def print_startup(self, info: JsonObject) -> None:
        """Print the addresses and the contract."""
        self._write(info, _format_startup(info))

    def print_exchange(self, entry: JournalEntry, note: str | None) -> None:
        """Print an exchange and its violations."""
        document = {
            "at": format_rfc3339(entry.timestamp),
            "api": entry.api,
            "operation": entry.operation,
            "status": entry.status,
            "method": entry.method,
            "path": entry.path,
            "took_ms": entry.duration_ms,
            "violations": [violation.to_json() for violation in entry.violations],
            "note": note,
        }
        head = (
            f"{document['at']}  {entry.status or '---'}  {entry.operation or '-'}"
            f"  {entry.method} {entry.path}  {entry.duration_ms} ms"
        )
        violations = [f"    {violation}" for violation in entry.violations]
        notes = [f"    ({note})"] if note else []
        self._write(document, [head, *violations, *notes])

    def print_message(self, text: str) -> None:
        """Print another message."""
        self._write({"said": text}, [text])

    def print_summary(self, summary: JsonObject) -> None:
        """Print the summary at the end."""
        self._write({"summary": summary}, _format_summary(summary))

    def _write(self, document: JsonObject, text: list[str]) -> None:
        lines = [json.dumps(document)] if self._json else text
        # What clients sent must not control the terminal.
        lines = [escape_control_characters(line) for line in lines]
        write_and_flush(self._out, "".join(f"{line}\n" for line in lines))


def _format_startup(info: JsonObject) -> list[str]:
    operations = _format_count(info["operations"], "operation")
    lines = [
        f"Soundstage proxy on {info['url']} -> {info['upstream']}",
        f"contract: {info['api']}, {operations}",
    ]
    lines += [
        f"not validated: {operation}: {reason}" for operation, reason in info["unjudged"].items()
    ]
    if info["fail_on"]:
        lines.append(f"enforced for: {' and '.join(info['fail_on'])}")
    if info["record"]:
        lines.append(f"recorded in {info['record']}")
    return lines


def _format_summary(summary: JsonObject) -> list[str]:
    exchanges = _format_count(summary["exchanges"], "exchange")
    requests = _format_count(summary["requests"], "request")
    responses = _format_count(summary["answers"], "response")
    violations = [
        f"    {one['times']}x {one['operation']}: {one['at']} [{one['rule']}]"
        for one in summary["violations"]
    ]
    invalid = f"{exchanges}; invalid: {requests} and {responses}"
    return [invalid, *violations]


def _format_count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
