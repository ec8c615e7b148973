"""Reports of ``soundstage fuzz``, as text and JSON."""

from collections.abc import Iterator, Mapping
from textwrap import indent

from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.fuzz.results import Failure, FuzzResults
from soundstage.tools.fuzz.target import Target
from soundstage.types import JsonObject

EXAMPLE_MOCK_URL = "http://127.0.0.1:4010"
"""The default address of ``soundstage serve``, for reproducing a failure."""


def format_report(target: Target, results: FuzzResults, commands: Mapping[str, str]) -> str:
    """Format the table of operations, all failures, and commands to reproduce them."""
    lines = [_format_summary(target, results), *_format_table(target, results)]
    total = sum(results.checks.values())
    lines.append(f"  {len(results.checks)} checks, made {total} times")
    problems = [_format_failure(target, one) for one in results.failures.values()]
    problems += [_format_error(*key, count) for key, count in results.errors.items()]
    if problems:
        lines += [*problems, ""]
        lines += [f"  {name}: {command}" for name, command in commands.items()]
    return "\n".join(lines)


def _format_table(target: Target, results: FuzzResults) -> Iterator[str]:
    operations = OperationIndex(target.document).operations
    tested = {label: o.id for label, o in operations.items() if results.cases[label]}
    width = max(map(len, tested.values()), default=0)
    titles = ("cases", "2xx", "refused", "failures")
    yield f"  {'operation':{width}}" + "".join(f"{title:>9}" for title in titles)
    for label, name in tested.items():
        counts = (
            results.cases[label],
            results.successes[label],
            results.rejected[label],
            results.count_failures(label),
        )
        yield f"  {name:{width}}" + "".join(f"{count:9}" for count in counts)


def _format_summary(target: Target, results: FuzzResults) -> str:
    cases = sum(results.cases.values())
    kinds = len(results.failures)
    outcome = f"{kinds} kind{'s' * (kinds != 1)} of failure"
    if results.is_ok:
        outcome = "clean"
    if not results.is_complete:
        outcome += f"; not complete: {results.stop_reason or 'it ended'}"
    return f"{target.name}: {cases} cases, {outcome}"


def _format_failure(target: Target, failure: Failure) -> str:
    example = failure.example
    times = "once" if failure.count == 1 else f"{failure.count} times"
    head = f"{failure.operation}: {failure.check}, {times}, in {example['phase']}"
    lines = [failure.title, example["message"], *_build_curl_commands(target, failure)]
    return f"\n{head}\n" + indent("\n".join(filter(None, lines)), "    ")


def _build_curl_commands(target: Target, failure: Failure) -> Iterator[str]:
    # The temporary mock has ended; one with the same seed has the same data.
    for curl in failure.example["curl"]:
        yield curl.replace(target.url, EXAMPLE_MOCK_URL) if target.is_mock else curl


def _format_error(location: str, message: str, count: int) -> str:
    head = f"{location or 'schemathesis'}: error, {count} times"
    return f"\n{head}\n" + indent(message, "    ")


def serialize_report(
    target: Target, results: FuzzResults, commands: Mapping[str, str]
) -> JsonObject:
    """Return the report as JSON; its keys are public."""
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
                **_serialize_failure(target, f),
            }
            for f in results.failures.values()
        ],
        "errors": [
            {"where": location, "message": message, "count": count}
            for (location, message), count in results.errors.items()
        ],
        "commands": dict(commands),
    }


def _serialize_failure(target: Target, failure: Failure) -> JsonObject:
    return {
        "label": failure.operation,
        "check": failure.check,
        "title": failure.title,
        "count": failure.count,
        "phase": failure.example["phase"],
        "status": failure.example["status"],
        "message": failure.example["message"],
        "curl": list(_build_curl_commands(target, failure)),
    }
