"""Changes for people: what is the same in several operations is told once."""

from collections.abc import Iterable, Iterator, Sequence

from soundstage.testing.diff.change import Change

SHOWN = 4
"""Operations that are named; of more, the number."""


def as_text(changes: Sequence[Change]) -> str:
    """All of them, those first that break clients."""
    broken = [change for change in changes if change.breaking]
    others = [change for change in changes if not change.breaking]
    lines: list[str] = []
    for head, some in (("breaking", broken), ("not breaking", others)):
        if some:
            lines += [head, *_told(some), ""]
    if not changes:
        return "no change of the contract"
    return "\n".join([*lines, f"{len(broken)} breaking, {len(others)} not breaking"])


def _told(changes: Iterable[Change]) -> Iterator[str]:
    groups: dict[tuple[str, str, str, str], list[Change]] = {}
    for change in changes:
        key = (change.rule, change.document, change.pointer, change.message)
        groups.setdefault(key, []).append(change)
    for (rule, document, pointer, message), same in groups.items():
        yield f"  {rule}: {message}"
        places = dict.fromkeys(f"{c.operation} {c.at}".strip() for c in same)
        more = f", and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
        if named := ", ".join([*places][:SHOWN]):
            yield f"      in {named}{more}"
        yield f"      {document} #{pointer}"
