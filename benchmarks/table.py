"""What was measured as Markdown."""

from collections.abc import Iterable, Sequence

Row = Sequence[str]


def table(rows: Iterable[Row]) -> str:
    """The first row is the head; what is not text in the first column stands right."""
    head, *rest = rows
    rule = ["---", *("---:" for _ in head[1:])]
    lines = [head, rule, *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
