"""What ``soundstage fuzz`` says in the end."""

from collections.abc import Iterator, Mapping
from textwrap import indent

from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.fuzz.results import Failure, FuzzResults
from soundstage.tools.fuzz.target import Target
from soundstage.types import Document

EXAMPLE_MOCK_URL = "http://127.0.0.1:4010"
"""Where a mock is that somebody serves to look at a failure."""


def format_report(
    target: Target, results: FuzzResults, commands: Mapping[str, str]
) -> str:
    """The table of operations, each failure, then ``lines``: commands to give."""
    labels = OperationIndex(target.document).operations
    shown = [label for label in labels if results.cases[label]]
    width = max((len(labels[label].id) for label in shown), default=0)
    head = "".join(f"{word:>9}" for word in ("cases", "2xx", "refused", "failures"))
    rows = [f"  {'operation':{width}}{head}"]
    for label in shown:
        counts = (
            results.cases[label],
            results.successes[label],
            results.rejected[label],
        )
        figures = "".join(
            f"{count:9}" for count in (*counts, results.count_failures(label))
        )
        rows.append(f"  {labels[label].id:{width}}{figures}")
    made = sum(results.checks.values())
    rows.append(f"  {len(results.checks)} checks, made {made} times")
    found = [_format_failure(target, failure) for failure in results.failures.values()]
    found += [
        _format_error(where, text, n) for (where, text), n in results.errors.items()
    ]
    if found:
        found += ["", *(f"  {name}: {line}" for name, line in commands.items())]
    return "\n".join([_format_summary(target, results), *rows, *found])


def _format_summary(target: Target, results: FuzzResults) -> str:
    cases = sum(results.cases.values())
    kinds = len(results.failures)
    found = "clean" if results.is_ok else f"{kinds} kind{'s' * (kinds != 1)} of failure"
    ended = (
        ""
        if results.is_complete
        else f"; not complete: {results.stop_reason or 'it ended'}"
    )
    return f"{target.name}: {cases} cases, {found}{ended}"


def _format_failure(target: Target, failure: Failure) -> str:
    example = failure.example
    times = "once" if failure.count == 1 else f"{failure.count} times"
    head = f"{failure.operation}: {failure.check}, {times}, in {example['phase']}"
    told = [failure.title, example["message"], *_build_curl_commands(target, failure)]
    return f"\n{head}\n" + indent("\n".join(filter(None, told)), "    ")


def _build_curl_commands(target: Target, failure: Failure) -> Iterator[str]:
    for curl in failure.example["curl"]:
        yield curl.replace(target.url, EXAMPLE_MOCK_URL) if target.is_mock else curl


def _format_error(location: str, message: str, count: int) -> str:
    return f"\n{location or 'schemathesis'}: error, {count} times\n" + indent(
        message, "    "
    )


def serialize_report(
    target: Target, results: FuzzResults, commands: Mapping[str, str]
) -> Document:
    """The same for machines."""
    labels = OperationIndex(target.document).operations
    return {
        "name": target.name,
        "ok": results.is_ok,
        "complete": results.is_complete,
        "reason": results.stop_reason,
        "operations": {
            operation.id: {
                "label": label,
                "cases": results.cases[label],
                "good": results.successes[label],
                "refused": results.rejected[label],
                "failures": results.count_failures(label),
            }
            for label, operation in labels.items()
        },
        "checks": dict(results.checks),
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
                "curl": list(_build_curl_commands(target, f)),
            }
            for f in results.failures.values()
        ],
        "errors": [
            {"where": where, "message": text, "count": count}
            for (where, text), count in results.errors.items()
        ],
        "commands": dict(commands),
    }
