"""One exchange: as it was seen, and as it is shown, its secrets masked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from soundstage.contract.operation import Operation
from soundstage.contract.security import Headers
from soundstage.contract.violation import Violation, header_of
from soundstage.server.journal.cut import Cut, cut_of
from soundstage.server.journal.masking import Mask, Pair
from soundstage.server.journal.payload import Payload
from soundstage.types import Json

VIOLATIONS_HEADER = "soundstage-violations"


class Seen(NamedTuple):
    """An exchange as it came by: raw, and with its secrets.

    ``api`` is ``None`` for a path that no API has, ``status`` where no answer went out.
    """

    at: int
    wall: int
    took: int
    api: str | None
    operation: Operation | None
    method: str
    base_url: str
    path: bytes
    query: bytes
    parameters: Mapping[str, Json]
    headers: Headers
    body: bytes
    body_size: int
    status: int | None
    answer_headers: tuple[Pair, ...]
    answer_body: bytes
    answer_size: int
    violations: tuple[Violation, ...]
    fault: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An exchange as it is shown. ``at`` is virtual time, ``wall`` the machine's own.

    ``parameters`` are as they were read, defaults filled in; a refused request has
    none. ``took`` is milliseconds of the wall.
    """

    number: int
    at: int
    wall: int
    took: int
    api: str | None
    operation: str | None
    method: str
    base_url: str
    path: str
    parameters: Mapping[str, Json]
    headers: tuple[tuple[str, str], ...]
    body: Payload
    status: int | None
    answer_headers: tuple[tuple[str, str], ...]
    answer: Payload
    violations: tuple[Violation, ...]
    fault: str | None


def entry_of(number: int, seen: Seen, mask: Mask) -> Entry:
    """The exchange without its secrets."""
    sent = [(name, v) for name, values in seen.headers.items() for v in values]
    refused = seen.violations or seen.status is None or seen.status >= 400  # noqa: PLR2004 - HTTP
    cut = cut_of(mask.presented(sent, seen.query)) if refused else Cut()
    violations = tuple(mask.violation(v, cut) for v in seen.violations)
    path = seen.path.decode("latin-1")
    answer = cut.bytes(seen.answer_body)
    # Neither may the length of what was taken out be told.
    answer_size = seen.answer_size - len(seen.answer_body) + len(answer)
    return Entry(
        number=number,
        at=seen.at,
        wall=seen.wall,
        took=seen.took,
        api=seen.api,
        operation=seen.operation.id if seen.operation else None,
        method=seen.method,
        base_url=seen.base_url,
        path=f"{path}?{mask.query(seen.query)}" if seen.query else path,
        parameters=mask.parameters(seen.parameters),
        headers=mask.headers(sent),
        body=Payload(seen.body, seen.body_size, _media_type(sent)),
        status=seen.status,
        answer_headers=_answer_headers(seen, mask, violations, answer_size),
        answer=Payload(answer, answer_size, _media_type(seen.answer_headers)),
        violations=violations,
        fault=seen.fault,
    )


def _media_type(headers: list[Pair] | tuple[Pair, ...]) -> str:
    for name, value in headers:
        if name.lower() == b"content-type":
            return value.decode("latin-1")
    return ""


def _answer_headers(
    seen: Seen, mask: Mask, violations: tuple[Violation, ...], size: int
) -> tuple[tuple[str, str], ...]:
    """What tells of violations or of the length is written anew where need be."""
    changed = {}
    if violations:  # as it went out it may end within a secret
        changed[VIOLATIONS_HEADER] = header_of(violations)
    if size != seen.answer_size:
        changed["content-length"] = str(size)
    headers = mask.headers(seen.answer_headers)
    return tuple((name, changed.get(name, value)) for name, value in headers)
