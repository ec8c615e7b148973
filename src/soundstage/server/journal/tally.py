"""What has been seen of one operation: statuses, parameters, listed values."""

from collections import Counter
from collections.abc import Iterable, Iterator

from soundstage.contract.body import EVENTS, Content, essence
from soundstage.contract.listed import Value
from soundstage.contract.operation import Operation
from soundstage.contract.parameter import Parameter, query_of
from soundstage.contract.schema import Schema
from soundstage.contract.security import Headers, cookies_of
from soundstage.contract.violation import Unsupported
from soundstage.server.journal.entry import Seen
from soundstage.types import Json

BODY, ANSWER = "body", "answer."

MEMORY = 1_000
"""Exchanges that are known again: a client that polls costs next to nothing."""

Unseen = dict[str, dict[Value, bytes]]
"""By where they are looked for: values, each with bytes that it cannot be without."""


class Tally:
    """Counts of one operation.

    A parameter that was sent counts, whatever came of it; a value that was sent counts
    if the request kept the contract, one that was answered always does.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.statuses: Counter[int | None] = Counter()
        self.parameters = {p.location: p for p in operation.parameters}
        self.unsent = [*self.parameters]
        self.unseen = _listed(operation)
        self.values = tuple(self.unseen_values())
        self._headers = [*_header_names(operation)]
        self._known: set[int] = set()
        self._last: tuple[object, ...] = ()

    def unseen_values(self) -> dict[Value, None]:
        """Those of ``values`` that nobody has sent or answered."""
        return {value: None for values in self.unseen.values() for value in values}

    def add(self, other: "Tally") -> None:
        """Count what another has counted of the same operation."""
        self.statuses += other.statuses
        self.unsent = [at for at in self.unsent if at in other.unsent]
        for at, values in [*self.unseen.items()]:
            for value in values.keys() - other.unseen.get(at, {}).keys():
                self._see(at, value)

    def count(self, seen: Seen, bodies: tuple[Json, Json] | None = None) -> None:
        """Count one exchange; ``bodies`` are its values, where they were cut."""
        self.statuses[seen.status] += 1
        if self._is_known(seen):
            return
        self._count_parameters(seen)
        sent, answered = bodies or (None, None)
        content = self._content_sent(seen)
        if content:
            self._count_body(BODY, content, seen.body, sent)
        key = self.operation.documented(seen.status) if seen.status else None
        if key and ANSWER + key in self.unseen:
            kind = essence(_content_type(seen))
            if content := self.operation.answers[key].get(kind):
                self._count_body(ANSWER + key, content, seen.answer_body, answered)

    def _is_known(self, seen: Seen) -> bool:
        """Whether the like has been counted before."""
        headers = [b",".join(seen.headers.get(name, ())) for name in self._headers]
        request = (seen.status, seen.path, bool(seen.violations), seen.query, seen.body)
        said = (seen.answer_body, *request, *headers)
        if said == self._last:  # compared, it need not be hashed
            return True
        self._last = said
        key = hash(said)
        if key in self._known:
            return True
        if len(self._known) >= MEMORY:
            self._known.clear()
        self._known.add(key)
        return False

    def _count_parameters(self, seen: Seen) -> None:
        known, unsent, unseen = self.parameters, self.unsent, self.unseen
        wanted = {at: known[at] for at in known if at in unsent or at in unseen}
        for at in _sent(wanted, seen):
            if at in unsent:
                unsent.remove(at)
            parameter = known[at]
            if at in unseen and parameter.name in seen.parameters:
                value = seen.parameters[parameter.name]
                self._count_value(at, parameter.schema, value)

    def _content_sent(self, seen: Seen) -> Content | None:
        """How to read the body of a request that kept the contract."""
        body = self.operation.body
        if body is None or not seen.body or seen.violations or BODY not in self.unseen:
            return None
        types = seen.headers.get(b"content-type")
        try:
            return body.content(types[-1].decode("latin-1") if types else None)
        except Unsupported:
            return None

    def _count_body(self, at: str, content: Content, raw: bytes, value: Json) -> None:
        if value is None:
            is_json = not content.text and essence(content.media_type) != EVENTS
            plain = is_json and b"\\" not in raw  # strings stand there as they are
            if plain and not any(text in raw for text in self.unseen[at].values()):
                return  # nothing new: the body need not be read to know that
            try:
                value = content.read(raw)
            except ValueError:
                return
        self._count_value(at, content.schema, value)

    def _count_value(self, at: str, schema: Schema, value: Json) -> None:
        for found in schema.listed.of(value):
            self._see(at, Value(at + found.at, found.text))

    def _see(self, at: str, value: Value) -> None:
        unseen = self.unseen.get(at, {})
        if unseen.pop(value, None) is not None and not unseen:
            del self.unseen[at]


def _listed(operation: Operation) -> Unseen:
    """Every value that the contract lists for this operation."""
    result: Unseen = {}
    for at, schema in _schemas(operation):
        for value in schema.listed.values:
            simple = value.text[0] not in "[{"
            needle = value.text.encode() if simple else b""
            result.setdefault(at, {})[Value(at + value.at, value.text)] = needle
    return result


def _schemas(operation: Operation) -> Iterator[tuple[str, Schema]]:
    for parameter in operation.parameters:
        yield parameter.location, parameter.schema
    if operation.body:
        for content in operation.body.contents.values():
            yield BODY, content.schema
    for key, contents in operation.answers.items():
        for content in contents.values():
            yield ANSWER + key, content.schema


def _header_names(operation: Operation) -> Iterator[bytes]:
    """Headers that say something else each time they are something else."""
    for parameter in operation.parameters:
        if parameter.place == "header":
            yield parameter.name.lower().encode()
        elif parameter.place == "cookie":
            yield b"cookie"


def _content_type(seen: Seen) -> str:
    for name, value in seen.answer_headers:
        if name.lower() == b"content-type":
            return value.decode("latin-1")
    return ""


def _sent(wanted: dict[str, Parameter], seen: Seen) -> list[str]:
    queried = _queried(seen.query, wanted.values())
    return [at for at, p in wanted.items() if _is_sent(p, queried, seen.headers)]


def _is_sent(parameter: Parameter, queried: frozenset[str], headers: Headers) -> bool:
    match parameter.place:
        case "path":
            return True
        case "query" if parameter.claims:
            return any(map(parameter.claims, queried))
        case "query":
            return parameter.name in queried
        case "header":
            return parameter.name.lower().encode() in headers
        case _:
            return parameter.name in cookies_of(headers)


def _queried(query: bytes, wanted: Iterable[Parameter]) -> frozenset[str]:
    text = query.decode("latin-1")
    if "%" not in text and not any(p.claims or p.name in text for p in wanted):
        return frozenset()  # nothing new; this is most of what is ever asked
    try:
        return frozenset(name for name, _ in query_of(query))
    except UnicodeDecodeError:
        return frozenset()
