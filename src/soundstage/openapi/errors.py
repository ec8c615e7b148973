"""Violations of a contract, and the errors that contracts raise.

ContractError
├── DocumentError                a document is unusable: file, JSON pointer, line
├── InvalidResponse              a response of ours violates the contract: a bug of ours
└── InvalidRequest               a request violates the contract: its violations
    ├── RouteNotFound            no operation has this path (or this method on it)
    ├── Unauthorized             missing or wrong credentials
    ├── UnsupportedMediaType     a media type that the operation does not accept
    └── BodyTooLarge             a body over the limit
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from soundstage.types import Json

MAX_HEADER_LENGTH = 4_000
"""Characters in ``Soundstage-Violations``: clients reject longer header lines."""

MAX_MESSAGE_LENGTH = 200

RESPONSE = "answer"
"""The location of violations in a response. The value is part of our HTTP API."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an exchange violates the contract.

    ``location`` is path, query, header, cookie, body or ``RESPONSE``; ``name`` the
    parameter or header; ``path`` the steps to the value inside it; ``rule`` the
    violated keyword of the schema, or rule of the request; ``constraint`` the value of
    that keyword (a bound, a list).

    >>> violation = Violation("query", "maximum", "101 is too many", "limit", (), 101)
    >>> str(violation)
    'query.limit: 101 is too many'
    >>> Violation("body", "type", "1 is not a string", path=("items", 3)).display_path
    'body.items[3]'
    """

    location: str
    rule: str
    message: str
    name: str = ""
    path: tuple[str | int, ...] = ()
    value: Json = None
    constraint: Json = None
    _ascii_json: str = field(default="", init=False, repr=False, compare=False)

    @property
    def pointer(self) -> str:
        """The JSON pointer (RFC 6901) of ``path``; empty for the whole value."""
        return format_pointer(self.path)

    @property
    def part(self) -> str:
        """The part of the message: ``query.limit``, ``body``."""
        return f"{self.location}.{self.name}" if self.name else self.location

    @property
    def display_path(self) -> str:
        """The path for people: ``query.limit``, ``body.items[3].tags``."""
        steps = (f"[{s}]" if isinstance(s, int) else f".{s}" for s in self.path)
        return self.part + "".join(steps) if self.path else self.part

    def to_json(self) -> dict[str, Json]:
        """Return the form for headers and journals; a long message is truncated."""
        result = {"in": self.location}
        if self.name:
            result["name"] = self.name
        if self.path:
            result["pointer"] = self.pointer
        if self.rule:
            result["rule"] = self.rule
        if self.message:
            result["message"] = self.short_message
        return result

    @property
    def short_message(self) -> str:
        """The message, truncated to ``MAX_MESSAGE_LENGTH``."""
        if len(self.message) <= MAX_MESSAGE_LENGTH:
            return self.message
        return f"{self.message[: MAX_MESSAGE_LENGTH - 1]}…"

    @property
    def ascii_json(self) -> str:
        """The JSON text of ``to_json`` for headers, in ASCII; cached."""
        if not self._ascii_json:
            # The class is frozen; a cache does not change its value.
            object.__setattr__(self, "_ascii_json", _encode_ascii(self.to_json()))
        return self._ascii_json

    def __str__(self) -> str:
        return f"{self.display_path}: {self.short_message}"


def format_pointer(path: Iterable[str | int]) -> str:
    """Format steps as a JSON pointer (RFC 6901).

    >>> format_pointer(("paths", "/runs", "get"))
    '/paths/~1runs/get'
    """
    return "".join(f"/{str(s).replace('~', '~0').replace('/', '~1')}" for s in path)


def format_header(violations: Sequence[Violation]) -> str:
    """Format violations as one header value: a JSON array in ASCII.

    Violations that do not fit into ``MAX_HEADER_LENGTH`` are counted in a last item:
    ``{"more": 3}``.
    """
    items: list[str] = []
    remaining = MAX_HEADER_LENGTH
    for count, violation in enumerate(violations):
        text = violation.ascii_json
        remaining -= len(text) + 1
        if remaining < 0:
            items.append(f'{{"more":{len(violations) - count}}}')
            break
        items.append(text)
    return f"[{','.join(items)}]"


def _encode_ascii(value: Json) -> str:
    try:
        text = orjson.dumps(value)
    except TypeError:  # a lone surrogate, which only an ASCII escape can express
        text = b"\xff"
    if text.isascii():
        return text.decode()
    return json.dumps(value, separators=(",", ":"))


class ContractError(Exception):
    """The base class of the errors that contracts raise."""


class DocumentError(ContractError):
    """A document is unusable, for a reason at ``file``, ``line`` and JSON ``pointer``.

    >>> str(DocumentError("is required", "/paths", "openapi.yaml", 3))
    'openapi.yaml:3: at /paths: is required'
    """

    def __init__(
        self, message: str, pointer: str = "", file: str = "", line: int | None = None
    ) -> None:
        place = f"{file}:{line}" if line else file
        parts = (place, pointer and f"at {pointer}", message)
        super().__init__(": ".join(part for part in parts if part))
        self.message, self.pointer, self.file, self.line = message, pointer, file, line


class _ViolationError(ContractError):
    def __init__(self, *violations: Violation) -> None:
        super().__init__(*violations)
        self.violations = violations

    def __str__(self) -> str:
        return "; ".join(map(str, self.violations))


class InvalidResponse(_ViolationError):
    """A response violates the contract."""


class InvalidRequest(_ViolationError):
    """A request violates the contract."""


class RouteNotFound(InvalidRequest):
    """No operation has this path, or none has this path with this method.

    ``allowed`` are the methods of the path, in the second case.
    """

    def __init__(self, path: str, allowed: tuple[str, ...] = ()) -> None:
        if allowed:
            message = f"{path} supports only {', '.join(allowed)}"
            super().__init__(Violation("path", "method", message))
        else:
            super().__init__(Violation("path", "route", f"no operation has {path}"))
        self.allowed = allowed


class Unauthorized(InvalidRequest):
    """Authentication failed; ``missing`` is true if credentials were not sent."""

    def __init__(self, violation: Violation, *, missing: bool) -> None:
        super().__init__(violation)
        self.missing = missing


class UnsupportedMediaType(InvalidRequest):
    """A body has a media type that the operation does not accept."""


class BodyTooLarge(InvalidRequest):
    """A body is larger than the server accepts."""
