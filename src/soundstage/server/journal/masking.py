"""Secrets, taken out of whatever is shown of an exchange.

A secret is the value of a header, a cookie or a query key that a security scheme of the
API names, or that carries secrets everywhere. Its name tells where it stands. A refusal
repeats what was sent: there it is looked for by its value too.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from soundstage.contract.contract import Contract
from soundstage.contract.parameter import unquoted
from soundstage.contract.violation import Violation
from soundstage.server.journal.cut import MASK, Cut
from soundstage.types import Document, Json

Pair = tuple[bytes, bytes]
"""A header's name and its value."""

EVERYWHERE = frozenset(
    "authorization cookie proxy-authorization set-cookie soundstage-token".split()
)

_TELLS_NO_VALUE = frozenset({"required", "repeated", "unknown"})
"""Rules whose messages name the parameter only."""

SHORTEST = 6
"""Characters of a value that is looked for; less is found where nobody meant it."""


@dataclass(frozen=True, slots=True)
class Mask:
    """What is secret at one API: names, in lower case, wherever they stand."""

    names: frozenset[str] = EVERYWHERE

    def headers(self, pairs: Iterable[Pair]) -> tuple[tuple[str, str], ...]:
        """Headers as they are shown."""
        return tuple((name, self._shown(name, text)) for name, text in _texts(pairs))

    def query(self, query: bytes) -> str:
        """A query string as it is shown."""
        return "&".join(map(self._pair, query.split(b"&")))

    def parameters(self, parameters: Mapping[str, Json]) -> Document:
        """Parameters as they are shown."""
        return {name: self._shown(name, value) for name, value in parameters.items()}

    def presented(self, headers: Iterable[Pair], query: bytes) -> tuple[str, ...]:
        """The values that are to be looked for in a refusal, the longest first."""
        found = {
            value
            for name, text in _texts(headers)
            if name in self.names
            for value in _values(text)
        }
        for part in query.split(b"&"):
            name, value = _split(part)
            if self._is_secret(name):
                found |= {value, part.partition(b"=")[2].decode("latin-1")}
        long_enough = (value for value in found if len(value) >= SHORTEST)
        return tuple(sorted(long_enough, key=len, reverse=True))

    def violation(self, violation: Violation, cut: Cut) -> Violation:
        """A violation as it is shown."""
        message, value = cut.text(violation.message), cut.json(violation.value)
        if violation.name and self._is_secret(violation.name):
            value = MASK
            if violation.rule not in _TELLS_NO_VALUE:
                place, name = violation.place, violation.name
                message = f"the {place} parameter {name!r} breaks {violation.rule!r}"
        return replace(violation, message=message, value=value)

    def _pair(self, part: bytes) -> str:
        name, equals, _ = part.decode("latin-1").partition("=")
        secret = equals and self._is_secret(_split(part)[0])
        return f"{name}={MASK}" if secret else part.decode("latin-1")

    def _shown(self, name: str, value: Json) -> Json:
        return MASK if self._is_secret(name) else value

    def _is_secret(self, name: str) -> bool:
        return name.partition("[")[0].lower() in self.names


def masks_of(contracts: Iterable[Contract]) -> dict[str | None, Mask]:
    """The mask of each API; under ``None`` that of requests that are for none."""
    masks: dict[str | None, Mask] = {c.name: Mask(_names(c)) for c in contracts}
    masks[None] = Mask(EVERYWHERE.union(*(mask.names for mask in masks.values())))
    return masks


def _names(contract: Contract) -> frozenset[str]:
    components = contract.document.get("components", {})
    schemes = components.get("securitySchemes", {}).values()
    return EVERYWHERE | {
        s["name"].lower() for s in schemes if s.get("type") == "apiKey"
    }


def _texts(pairs: Iterable[Pair]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        yield name.decode("latin-1").lower(), value.decode("latin-1")


def _values(text: str) -> Iterator[str]:
    """A header's value, and the secrets in it: after a scheme's name, of cookies."""
    yield text
    scheme, _, rest = text.partition(" ")
    yield rest.strip()
    if scheme.lower() == "basic":
        yield from _passwords(rest)
    for pair in text.split(";"):
        yield pair.partition("=")[2].strip()


def _passwords(encoded: str) -> Iterator[str]:
    try:
        plain = base64.b64decode(encoded).decode()
    except (binascii.Error, ValueError):
        return
    yield plain
    yield plain.partition(":")[2]


def _split(part: bytes) -> tuple[str, str]:
    """Name and value of a query's part, as nearly as they can be read."""
    name, _, value = part.replace(b"+", b" ").partition(b"=")
    return _readable(name), _readable(value)


def _readable(raw: bytes) -> str:
    try:
        return unquoted(raw)
    except UnicodeDecodeError:
        return raw.decode("latin-1")
