"""What was written is there, and what was deleted is not."""

import re
from urllib.parse import quote, urlsplit

from soundstage.testing.recorded import Recorded
from soundstage.testing.semantics.seen import Seen, json_of, plain_name
from soundstage.types import Document, Json

_DATE = re.compile(r"\d{4}-\d\d-\d\d")

_GONE = frozenset({404, 410})
_WRITES = frozenset({"POST", "PUT", "PATCH"})
_ACCEPTED = 202  # it will be done, some day


def writes_are_kept(seen: Seen) -> str | None:
    """What was written cannot be read, or reads differently.

    It is read where the document has a GET for it: at the same path, or below it by
    the id that the answer (or the request) has.
    """
    exchange = seen.exchange
    if not seen.ok or exchange.method not in _WRITES or exchange.status == _ACCEPTED:
        return None
    path = _home(seen)
    if path is None:
        return None
    found = seen.read_until(path, lambda found: _wrong(seen, found) is None)
    wrong = _wrong(seen, found)
    return f"it was written, and GET {path}: {wrong}" if wrong else None


def _wrong(seen: Seen, found: Recorded) -> str | None:
    if found.status in _GONE:
        return f"it answers {found.status}"
    there = json_of(found.body)
    if not 200 <= found.status < 300 or not isinstance(there, dict):  # noqa: PLR2004
        return None
    return _difference(_flat(seen.got), there, "answered") or _difference(
        _flat(seen.sent), there, "sent"
    )


def deletes_are_kept(seen: Seen) -> str | None:
    """What was deleted can still be read."""
    exchange = seen.exchange
    if not seen.ok or exchange.method != "DELETE" or exchange.status == _ACCEPTED:
        return None
    if "{" not in seen.operation.path or not _reads(seen, seen.operation.path):
        return None
    found = seen.read_until(seen.path, lambda found: found.status in _GONE)
    if 200 <= found.status < 300:  # noqa: PLR2004 - HTTP
        return f"it was deleted, and GET {seen.path} answers {found.status}"
    return None


def _home(seen: Seen) -> str | None:
    """Where what was written is to be read."""
    if location := seen.header("location"):
        path = urlsplit(location).path
        return path if seen.catalogue.of("GET", path) else None
    template = seen.operation.path
    if seen.exchange.method != "POST" and _reads(seen, template):
        return seen.path
    for other in seen.catalogue.operations.values():
        below, slash, variable = other.path.rpartition("/")
        if (other.method, below, variable[:1]) == ("get", template, "{"):
            name = plain_name(variable.strip("{}"))
            found = _identifier(seen.got, name) or _identifier(seen.sent, name)
            return f"{seen.path}{slash}{quote(found, safe='')}" if found else None
    return None


def _reads(seen: Seen, template: str) -> bool:
    return f"GET {template}" in seen.catalogue.operations


def _identifier(body: Json, name: str) -> str | None:
    """The id in a body, or in the only object that it holds."""
    flat = _flat(body)
    for fitting in (name, "id"):
        for key, value in flat.items():
            if plain_name(key) == fitting and isinstance(value, str | int):
                return str(value)
    return None


def _flat(body: Json) -> Document:
    if not isinstance(body, dict):
        return {}
    inner = [value for value in body.values() if isinstance(value, dict)]
    only: Document = inner[0] if len(inner) == len(body) == 1 else body
    return only


def _difference(one: Document, there: Document, how: str) -> str | None:
    for name, value in one.items():
        if name not in there or value == "" or not isinstance(value, str | int):
            continue  # an empty text may mean that there is none
        if isinstance(value, str) and _DATE.match(value):
            continue  # there are many ways to write a moment
        if there[name] != value:
            return f"{name} was {how} as {value!r} and is {there[name]!r}"
    return None
