"""Text report of changes; a change shared by several operations is listed once."""

from collections.abc import Iterable, Iterator, Sequence

from soundstage.tools.diff.changes import ContractChange

MAX_NAMED_OPERATIONS = 4
"""Further operations are only counted."""


def format_changes(changes: Sequence[ContractChange]) -> str:
    """Format all changes, the breaking ones first.

    >>> format_changes([])
    'no change of the contract'
    """
    if not changes:
        return "no change of the contract"
    breaking = [change for change in changes if change.is_breaking]
    others = [change for change in changes if not change.is_breaking]
    lines: list[str] = []
    for title, group in (("breaking", breaking), ("not breaking", others)):
        if group:
            lines += [title, *_format_group(group), ""]
    return "\n".join([*lines, f"{len(breaking)} breaking, {len(others)} not breaking"])


def _format_group(changes: Iterable[ContractChange]) -> Iterator[str]:
    groups: dict[tuple[str, str, str, str], list[ContractChange]] = {}
    for change in changes:
        key = (change.rule, change.document, change.pointer, change.message)
        groups.setdefault(key, []).append(change)
    for (rule, document, pointer, message), same in groups.items():
        yield f"  {rule}: {message}"
        names = [*dict.fromkeys(f"{c.operation} {c.location}".strip() for c in same)]
        rest = len(names) - MAX_NAMED_OPERATIONS
        more = f", and {rest} more" if rest > 0 else ""
        if listed := ", ".join(names[:MAX_NAMED_OPERATIONS]):
            yield f"      in {listed}{more}"
        yield f"      {document} #{pointer}"
