"""Changes for people: what is the same in several operations is told once."""

from collections.abc import Iterable, Iterator, Sequence

from soundstage.tools.diff.changes import ContractChange

MAX_NAMED_OPERATIONS = 4
"""Operations that are named; of more, the number."""


def format_changes(changes: Sequence[ContractChange]) -> str:
    """All of them, those first that break clients."""
    broken = [change for change in changes if change.is_breaking]
    others = [change for change in changes if not change.is_breaking]
    lines: list[str] = []
    for head, some in (("breaking", broken), ("not breaking", others)):
        if some:
            lines += [head, *_format_group(some), ""]
    if not changes:
        return "no change of the contract"
    return "\n".join([*lines, f"{len(broken)} breaking, {len(others)} not breaking"])


def _format_group(changes: Iterable[ContractChange]) -> Iterator[str]:
    groups: dict[tuple[str, str, str, str], list[ContractChange]] = {}
    for change in changes:
        key = (change.rule, change.document, change.pointer, change.message)
        groups.setdefault(key, []).append(change)
    for (rule, document, pointer, message), same in groups.items():
        yield f"  {rule}: {message}"
        places = dict.fromkeys(f"{c.operation} {c.location}".strip() for c in same)
        more = (
            f", and {len(places) - MAX_NAMED_OPERATIONS} more"
            if len(places) > MAX_NAMED_OPERATIONS
            else ""
        )
        if named := ", ".join([*places][:MAX_NAMED_OPERATIONS]):
            yield f"      in {named}{more}"
        yield f"      {document} #{pointer}"
