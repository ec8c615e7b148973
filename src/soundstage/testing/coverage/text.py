"""Figures of coverage for people: a table for each API, and what is missing."""

from collections.abc import Iterator

from soundstage.testing.coverage.figures import ApiFigures, Figures, Row, gathered
from soundstage.testing.coverage.item import ANSWERED, PARAMETER, SENT, STATUS

HEADS = {
    STATUS: "statuses",
    PARAMETER: "parameters",
    SENT: "sent",
    ANSWERED: "answered",
}
"""The columns; the last two are values that the contract lists, on either side."""


def as_text(figures: Figures, *, brief: bool = False) -> str:
    """All of it; if ``brief``, the rows of operations that lack something."""
    lines: list[str] = []
    for api in figures.apis:
        lines += _table(api, brief=brief)
        lines += [] if brief else _gaps(api)
        lines.append("")
    return "\n".join([*lines, *notes(figures), closing(figures)])


def _table(api: ApiFigures, *, brief: bool) -> Iterator[str]:
    rows = [row for row in api.rows if row.missing or not brief]
    yield f"{api.name}: {api.percent:.1f} % ({api.seen} of {api.total})"
    if not rows:
        return
    wide = max(len("operation"), *(len(row.covered.operation) for row in rows))
    heads = "".join(f"{head:>11}" for head in HEADS.values())
    yield f"  {'operation':{wide}}{'calls':>7}{heads}{'covered':>10}"
    for row in rows:
        counts = "".join(f"{_count(row, kind):>11}" for kind in HEADS)
        name, calls = row.covered.operation, row.covered.calls
        yield f"  {name:{wide}}{calls:>7}{counts}{row.percent:>8.1f} %"


def _count(row: Row, kind: str) -> str:
    seen, total = row.counts[kind]
    return f"{seen}/{total}" if total else "-"


def _gaps(api: ApiFigures) -> Iterator[str]:
    idle = [row.covered.operation for row in api.rows if not row.is_called]
    if idle:
        yield f"  never called: {', '.join(idle)}"
    for row in api.rows:
        covered = row.covered
        if row.is_called and (gaps := gaps_of(row)):
            yield f"  {covered.operation} ({covered.method} {covered.path})"
            yield from (f"    {gap}" for gap in gaps)


def gaps_of(row: Row) -> list[str]:
    """What is missing of an operation, by kind and place; and what is too much."""
    missing = gathered(row.missing) if row.is_called else ()
    gaps = [] if row.is_called else ["never called"]
    for kind, place, names in missing:
        gaps.append(f"no {kind}: {place and f'{place} = '}{', '.join(names)}")
    if row.covered.undocumented:
        gaps.append(f"not documented: status {', '.join(row.covered.undocumented)}")
    return gaps


def notes(figures: Figures) -> Iterator[str]:
    """What is to be said of the report itself."""
    if figures.left_out:
        yield f"left out, as nobody called or chose them: {', '.join(figures.left_out)}"
    for one in figures.stale:
        yield f"{one}: this exception is for nothing that the contracts have"
    for one in figures.needless:
        yield f"{one}: this exception is not needed, all of it was seen"


def closing(figures: Figures) -> str:
    """The last line."""
    excused = f", {figures.excused} excused" if figures.excused else ""
    seen, total = figures.seen, figures.total
    return f"covered: {figures.percent:.1f} % ({seen} of {total}{excused})"
