"""What the path, the query, the headers and the cookies of a request say."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from soundstage.openapi.errors import Violation
from soundstage.openapi.parameters import Parameter, query_of
from soundstage.openapi.security import Headers, cookies_of
from soundstage.types import Json

REMEMBERED = 256
"""Requests of one operation whose parameters are known again: clients poll."""

SHORT = 512
"""Bytes of values and of a query that are remembered."""

Values = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the parameters of one operation."""

    operation: str
    _by_place: Mapping[str, Mapping[str, Parameter]]
    _keys: frozenset[str]
    _headers: tuple[bytes, ...]
    _objects: tuple[Parameter, ...]
    _defaults: Mapping[str, Json]
    _needs_query: bool
    _known: dict[Hashable, tuple[Values, Sequence[Violation]]] = field(
        default_factory=dict, compare=False
    )

    def read(
        self, path: Mapping[str, str], query: bytes, headers: Headers
    ) -> tuple[Values, Sequence[Violation]]:
        """The values by name, with defaults, and all that is wrong with them.

        The same texts say the same again, so that most requests are read once.
        """
        named = [tuple(headers.get(name, ())) for name in self._headers]
        sent = (query, *path.values(), *named)
        known = self._known.get(sent)
        if known is not None:
            return dict(known[0]), known[1]
        values: Values = dict(self._defaults)
        wrong: list[Violation] = []
        self._read_all(path, query, headers, values, wrong)
        # Lists and objects might be changed by whoever is given them.
        texts = (query, *path.values(), *chain.from_iterable(named))
        if sum(map(len, texts)) <= SHORT and not any(map(_is_large, values.values())):
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[sent] = dict(values), wrong
        return values, wrong

    def _read_all(
        self,
        path: Mapping[str, str],
        query: bytes,
        headers: Headers,
        values: Values,
        wrong: list[Violation],
    ) -> None:
        self._read(self._gathered("path", path), "path", values, wrong)
        try:
            pairs = query_of(query)
        except UnicodeDecodeError:
            wrong.append(Violation("query", "encoding", "the query is not UTF-8"))
        else:
            if pairs or self._needs_query:
                self._read(self._queried(pairs, wrong), "query", values, wrong)
        if names := self._by_place["header"]:
            self._read(_headers(names, headers), "header", values, wrong)
        if self._by_place["cookie"]:
            cookies = cookies_of(headers)
            self._read(self._gathered("cookie", cookies), "cookie", values, wrong)

    def _gathered(self, place: str, given: Mapping[str, str]) -> dict[str, list[str]]:
        known = self._by_place[place]
        return {name: [text] for name, text in given.items() if name in known}

    def _queried(
        self, pairs: list[tuple[str, str]], wrong: list[Violation]
    ) -> dict[str, list[str]]:
        known = self._by_place["query"]
        texts: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in known and not known[name].claims:
                texts.setdefault(name, []).append(value)
            elif name in self._keys:
                continue
            elif owner := self._owner(name):
                texts.setdefault(owner.name, []).append(f"{name}={value}")
            else:
                message = f"{self.operation} has no query parameter {name!r}"
                wrong.append(Violation("query", "unknown", message, name, (), value))
        return texts

    def _owner(self, name: str) -> Parameter | None:
        """The object that a pair of the query is a part of."""
        for parameter in self._objects:
            if parameter.claims and parameter.claims(name):
                return parameter
        return None

    def _read(
        self,
        texts: Mapping[str, list[str]],
        place: str,
        values: Values,
        wrong: list[Violation],
    ) -> None:
        for name, parameter in self._by_place[place].items():
            sent = texts.get(name)
            if sent is None:
                if parameter.required:
                    message = f"the {place} parameter {name!r} is required"
                    wrong.append(Violation(place, "required", message, name))
                continue
            if len(sent) > 1 and not (parameter.many or parameter.claims):
                message = f"{name!r} is sent {len(sent)} times and is no list"
                wrong.append(Violation(place, "repeated", message, name, (), sent))
                continue
            try:
                value = parameter.read(sent)
            except ValueError as error:
                wrong.append(Violation(place, "style", str(error), name, (), sent))
                continue
            if parameter.schema.is_valid(value):
                values[name] = value
            else:
                wrong += parameter.violations(value)


def compile_reader(
    operation: str, parameters: Sequence[Parameter], keys: frozenset[str]
) -> Reader:
    """A reader of these parameters; ``keys`` in a query are credentials."""
    by_place: dict[str, dict[str, Parameter]] = {
        place: {} for place in ("path", "query", "header", "cookie")
    }
    for parameter in parameters:
        by_place[parameter.place][parameter.name] = parameter
    names = {name.lower().encode() for name in by_place["header"]}
    return Reader(
        operation,
        by_place,
        keys,
        (*sorted(names), *([b"cookie"] if by_place["cookie"] else ())),
        tuple(p for p in parameters if p.claims),
        {p.name: p.default for p in parameters if p.default is not None},
        any(p.required for p in by_place["query"].values()),
    )


def _is_large(value: Json) -> bool:
    return isinstance(value, list | dict)


def _headers(known: Mapping[str, Parameter], headers: Headers) -> dict[str, list[str]]:
    return {
        name: [value.decode("latin-1").strip() for value in values]
        for name in known
        if (values := headers.get(name.lower().encode()))
    }
