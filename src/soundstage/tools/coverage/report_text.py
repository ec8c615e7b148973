"""Figures of coverage for people: a table for each API, and what is missing."""

from collections.abc import Iterator

from soundstage.tools.coverage.figures import (
    ApiFigures,
    Figures,
    OperationFigures,
    group_items,
)
from soundstage.tools.coverage.items import (
    PARAMETER,
    RETURNED_VALUE,
    SENT_VALUE,
    STATUS,
)

COLUMNS = {
    STATUS: "statuses",
    PARAMETER: "parameters",
    SENT_VALUE: "sent",
    RETURNED_VALUE: "answered",
}
"""The columns; the last two are values that the contract lists, on either side."""


def format_report(figures: Figures, *, is_brief: bool = False) -> str:
    """All of it; if ``brief``, the rows of operations that lack something."""
    lines: list[str] = []
    for api in figures.apis:
        lines += _format_table(api, is_brief=is_brief)
        lines += [] if is_brief else _format_gaps(api)
        lines.append("")
    return "\n".join([*lines, *iter_notes(figures), format_total(figures)])


def _format_table(api: ApiFigures, *, is_brief: bool) -> Iterator[str]:
    rows = [row for row in api.rows if row.missing or not is_brief]
    yield f"{api.name}: {api.percent:.1f} % ({api.seen} of {api.total})"
    if not rows:
        return
    wide = max(len("operation"), *(len(row.covered.operation) for row in rows))
    heads = "".join(f"{head:>11}" for head in COLUMNS.values())
    yield f"  {'operation':{wide}}{'calls':>7}{heads}{'covered':>10}"
    for row in rows:
        counts = "".join(f"{_format_count(row, kind):>11}" for kind in COLUMNS)
        name, calls = row.covered.operation, row.covered.calls
        yield f"  {name:{wide}}{calls:>7}{counts}{row.percent:>8.1f} %"


def _format_count(row: OperationFigures, kind: str) -> str:
    seen, total = row.counts[kind]
    return f"{seen}/{total}" if total else "-"


def _format_gaps(api: ApiFigures) -> Iterator[str]:
    idle = [row.covered.operation for row in api.rows if not row.is_called]
    if idle:
        yield f"  never called: {', '.join(idle)}"
    for row in api.rows:
        covered = row.covered
        if row.is_called and (gaps := list_gaps(row)):
            yield f"  {covered.operation} ({covered.method} {covered.path})"
            yield from (f"    {gap}" for gap in gaps)


def list_gaps(row: OperationFigures) -> list[str]:
    """What is missing of an operation, by kind and place; and what is too much."""
    missing = group_items(row.missing) if row.is_called else ()
    gaps = [] if row.is_called else ["never called"]
    for kind, place, names in missing:
        gaps.append(f"no {kind}: {place and f'{place} = '}{', '.join(names)}")
    if row.covered.undocumented_statuses:
        gaps.append(
            f"not documented: status {', '.join(row.covered.undocumented_statuses)}"
        )
    return gaps


def iter_notes(figures: Figures) -> Iterator[str]:
    """What is to be said of the report itself."""
    if figures.omitted:
        yield f"left out, as nobody called or chose them: {', '.join(figures.omitted)}"
    for one in figures.stale:
        yield f"{one}: this exception is for nothing that the contracts have"
    for one in figures.needless:
        yield f"{one}: this exception is not needed, all of it was seen"


def format_total(figures: Figures) -> str:
    """The last line."""
    excused = f", {figures.excused} excused" if figures.excused else ""
    seen, total = figures.seen, figures.total
    return f"covered: {figures.percent:.1f} % ({seen} of {total}{excused})"
