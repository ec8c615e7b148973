"""What breaks a contract, and the errors that say so.

ContractError
├── DocumentError    a document cannot be used: file, JSON pointer, line
├── Broken           an answer of ours broke it: a bug of ours
└── Refused          a request broke the contract; it carries the violations
    ├── Unrouted     no operation has this path (or this method on it)
    ├── Unauthorized missing or wrong credentials
    ├── Unsupported  a media type that the operation does not take
    └── TooLarge     a body over the limit
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from soundstage.types import Json

MAX_HEADER_LENGTH = 4_000
"""Characters in ``Soundstage-Violations``: clients give up on longer header lines."""

MAX_MESSAGE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an exchange breaks the contract.

    ``place`` is path, query, header, cookie, body or answer; ``name`` the parameter;
    ``path`` the steps to the value inside it; ``rule`` the keyword of the schema, or of
    the request, that is broken; ``limit`` what that keyword says (a bound, a list).
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
        """RFC 6901; empty for the whole value."""
        return format_pointer(self.path)

    @property
    def part(self) -> str:
        """``query.limit``, ``body``: the part of the request or answer."""
        return f"{self.location}.{self.name}" if self.name else self.location

    @property
    def display_path(self) -> str:
        """``query.limit``, ``body.items[3].tags``: as people write it."""
        steps = (f"[{s}]" if isinstance(s, int) else f".{s}" for s in self.path)
        return self.part + "".join(steps) if self.path else self.part

    def to_json(self) -> dict[str, Json]:
        """The form in headers and journals; a long value is cut."""
        said = {"in": self.location}
        if self.name:
            said["name"] = self.name
        if self.path:
            said["pointer"] = self.pointer
        if self.rule:
            said["rule"] = self.rule
        if self.message:
            said["message"] = self.short_message
        return said

    @property
    def short_message(self) -> str:
        """The message; a long one is cut."""
        text = self.message
        return (
            text
            if len(text) <= MAX_MESSAGE_LENGTH
            else f"{text[: MAX_MESSAGE_LENGTH - 1]}…"
        )

    @property
    def ascii_json(self) -> str:
        """The JSON of ``as_json``, for headers; worked out once."""
        if not self._ascii_json:
            object.__setattr__(self, "_ascii_json", _encode_ascii(self.to_json()))
        return self._ascii_json

    def __str__(self) -> str:
        return f"{self.display_path}: {self.short_message}"


def format_pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of these steps."""
    return "".join(f"/{str(s).replace('~', '~0').replace('/', '~1')}" for s in path)


def format_header(violations: Sequence[Violation]) -> str:
    """The violations as one header value: ASCII JSON, the last ones cut to fit."""
    shown: list[str] = []
    room = MAX_HEADER_LENGTH
    for count, violation in enumerate(violations):
        text = violation.ascii_json
        room -= len(text) + 1
        if room < 0:
            shown.append(f'{{"more":{len(violations) - count}}}')
            break
        shown.append(text)
    return f"[{','.join(shown)}]"


def _encode_ascii(value: Json) -> str:
    try:
        text = orjson.dumps(value)
    except TypeError:  # half a character, which only ASCII can say
        text = b"\xff"
    if text.isascii():
        return text.decode()
    return json.dumps(value, separators=(",", ":"))


class ContractError(Exception):
    """The root of what contracts raise."""


class DocumentError(ContractError):
    """A document cannot be used: ``file`` and ``pointer`` say where."""

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
    """An answer that breaks the contract."""


class InvalidRequest(_ViolationError):
    """A request that breaks the contract."""


class RouteNotFound(InvalidRequest):
    """No operation has this path; or it has, but not with this method.

    ``allowed`` are then the methods that it has.
    """

    def __init__(self, path: str, allowed: tuple[str, ...] = ()) -> None:
        if allowed:
            message = f"{path} takes {', '.join(allowed)} only"
            super().__init__(Violation("path", "method", message))
        else:
            super().__init__(Violation("path", "route", f"no operation has {path}"))
        self.allowed = allowed


class Unauthorized(InvalidRequest):
    """No requirement of the operation is satisfied; ``missing`` if none was tried."""

    def __init__(self, violation: Violation, *, missing: bool) -> None:
        super().__init__(violation)
        self.missing = missing


class UnsupportedMediaType(InvalidRequest):
    """A body in a media type that the operation does not take."""


class BodyTooLarge(InvalidRequest):
    """A body over the server's limit."""
