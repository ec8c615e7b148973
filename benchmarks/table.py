"""Tables in Markdown."""

from collections.abc import Iterable, Sequence

Row = Sequence[str]


def format_table(rows: Iterable[Row]) -> str:
    """Format rows; the first is the head, all columns but the first align right."""
    head, *rest = rows
    rule = ["---", *("---:" for _ in head[1:])]
    lines = [head, rule, *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
