"""Coverage figures as text: a table for each API, and what is missing."""

from collections.abc import Iterator

from soundstage.tools.coverage.figures import ApiFigures, Figures, OperationFigures, group_items
from soundstage.tools.coverage.items import PARAMETER, RETURNED_VALUE, SENT_VALUE, STATUS

COLUMNS = {
    STATUS: "statuses",
    PARAMETER: "parameters",
    SENT_VALUE: "sent",
    RETURNED_VALUE: "answered",
}
"""Headings of the columns; the last two are enum values in requests and responses."""


def format_report(figures: Figures, *, is_brief: bool = False) -> str:
    """Format a report; a brief one has only the rows of incomplete operations."""
    lines: list[str] = []
    for api in figures.apis:
        lines += _format_table(api, is_brief=is_brief)
        lines += [] if is_brief else _format_gaps(api)
        lines.append("")
    return "\n".join([*lines, *iter_notes(figures), format_total(figures)])


def _format_table(api: ApiFigures, *, is_brief: bool) -> Iterator[str]:
    rows = [one for one in api.operations if one.missing or not is_brief]
    yield f"{api.name}: {api.percent:.1f} % ({api.covered} of {api.total})"
    if not rows:
        return
    width = max(len("operation"), *(len(row.operation.operation) for row in rows))
    heads = "".join(f"{head:>11}" for head in COLUMNS.values())
    yield f"  {'operation':{width}}{'calls':>7}{heads}{'covered':>10}"
    for row in rows:
        counts = "".join(f"{_format_count(row, kind):>11}" for kind in COLUMNS)
        name, calls = row.operation.operation, row.operation.calls
        yield f"  {name:{width}}{calls:>7}{counts}{row.percent:>8.1f} %"


def _format_count(figures: OperationFigures, kind: str) -> str:
    covered, total = figures.counts[kind]
    return f"{covered}/{total}" if total else "-"


def _format_gaps(api: ApiFigures) -> Iterator[str]:
    idle = [one.operation.operation for one in api.operations if not one.is_called]
    if idle:
        yield f"  never called: {', '.join(idle)}"
    for figures in api.operations:
        operation = figures.operation
        if figures.is_called and (gaps := list_gaps(figures)):
            yield f"  {operation.operation} ({operation.method} {operation.path})"
            yield from (f"    {gap}" for gap in gaps)


def list_gaps(figures: OperationFigures) -> list[str]:
    """List the missing items of an operation and its undocumented statuses."""
    missing = group_items(figures.missing) if figures.is_called else ()
    gaps = [] if figures.is_called else ["never called"]
    for kind, location, names in missing:
        gaps.append(f"no {kind}: {location and f'{location} = '}{', '.join(names)}")
    if undocumented := figures.operation.undocumented_statuses:
        gaps.append(f"not documented: status {', '.join(undocumented)}")
    return gaps


def iter_notes(figures: Figures) -> Iterator[str]:
    """Yield remarks on the report: omitted APIs, exceptions without effect."""
    if figures.omitted:
        yield f"not called and not selected: {', '.join(figures.omitted)}"
    for exemption in figures.stale:
        yield f"{exemption}: this exception matches nothing in the contracts"
    for exemption in figures.needless:
        yield f"{exemption}: this exception is not needed, all of it is covered"


def format_total(figures: Figures) -> str:
    """Format the last line: the percentage of all items."""
    excused = f", {figures.excused} excused" if figures.excused else ""
    covered, total = figures.covered, figures.total
    return f"covered: {figures.percent:.1f} % ({covered} of {total}{excused})"
