"""What the path, the query, the headers and the cookies of a request say."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from soundstage.openapi.errors import Violation
from soundstage.openapi.parameters import Parameter, parse_query
from soundstage.openapi.security import Headers, parse_cookies
from soundstage.types import Json

MAX_CACHED_REQUESTS = 256
"""Requests of one operation whose parameters are known again: clients poll."""

MAX_CACHED_LENGTH = 512
"""Bytes of values and of a query that are remembered."""

ParameterValues = dict[str, Json]


@dataclass(frozen=True, slots=True)
class ParameterParser:
    """Reads the parameters of one operation."""

    operation_id: str
    _by_location: Mapping[str, Mapping[str, Parameter]]
    _credential_names: frozenset[str]
    _header_names: tuple[bytes, ...]
    _object_parameters: tuple[Parameter, ...]
    _defaults: Mapping[str, Json]
    _needs_query: bool
    _cache: dict[Hashable, tuple[ParameterValues, Sequence[Violation]]] = field(
        default_factory=dict, compare=False
    )

    def parse(
        self, path: Mapping[str, str], query: bytes, headers: Headers
    ) -> tuple[ParameterValues, Sequence[Violation]]:
        """The values by name, with defaults, and all that is wrong with them.

        The same texts say the same again, so that most requests are read once.
        """
        named = [tuple(headers.get(name, ())) for name in self._header_names]
        sent = (query, *path.values(), *named)
        known = self._cache.get(sent)
        if known is not None:
            return dict(known[0]), known[1]
        values: ParameterValues = dict(self._defaults)
        wrong: list[Violation] = []
        self._parse_all(path, query, headers, values, wrong)
        # Lists and objects might be changed by whoever is given them.
        texts = (query, *path.values(), *chain.from_iterable(named))
        if sum(map(len, texts)) <= MAX_CACHED_LENGTH and not any(
            map(_is_container, values.values())
        ):
            if len(self._cache) >= MAX_CACHED_REQUESTS:
                self._cache.clear()
            self._cache[sent] = dict(values), wrong
        return values, wrong

    def _parse_all(
        self,
        path: Mapping[str, str],
        query: bytes,
        headers: Headers,
        values: ParameterValues,
        wrong: list[Violation],
    ) -> None:
        self._parse_location(self._group("path", path), "path", values, wrong)
        try:
            pairs = parse_query(query)
        except UnicodeDecodeError:
            wrong.append(Violation("query", "encoding", "the query is not UTF-8"))
        else:
            if pairs or self._needs_query:
                self._parse_location(
                    self._group_query(pairs, wrong), "query", values, wrong
                )
        if names := self._by_location["header"]:
            self._parse_location(
                _group_headers(names, headers), "header", values, wrong
            )
        if self._by_location["cookie"]:
            cookies = parse_cookies(headers)
            self._parse_location(
                self._group("cookie", cookies), "cookie", values, wrong
            )

    def _group(self, location: str, texts: Mapping[str, str]) -> dict[str, list[str]]:
        known = self._by_location[location]
        return {name: [text] for name, text in texts.items() if name in known}

    def _group_query(
        self, pairs: list[tuple[str, str]], wrong: list[Violation]
    ) -> dict[str, list[str]]:
        known = self._by_location["query"]
        texts: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in known and not known[name].matches_key:
                texts.setdefault(name, []).append(value)
            elif name in self._credential_names:
                continue
            elif owner := self._object_parameter_for(name):
                texts.setdefault(owner.name, []).append(f"{name}={value}")
            else:
                message = f"{self.operation_id} has no query parameter {name!r}"
                wrong.append(Violation("query", "unknown", message, name, (), value))
        return texts

    def _object_parameter_for(self, name: str) -> Parameter | None:
        """The object that a pair of the query is a part of."""
        for parameter in self._object_parameters:
            if parameter.matches_key and parameter.matches_key(name):
                return parameter
        return None

    def _parse_location(
        self,
        texts: Mapping[str, list[str]],
        location: str,
        values: ParameterValues,
        wrong: list[Violation],
    ) -> None:
        for name, parameter in self._by_location[location].items():
            sent = texts.get(name)
            if sent is None:
                if parameter.required:
                    message = f"the {location} parameter {name!r} is required"
                    wrong.append(Violation(location, "required", message, name))
                continue
            if len(sent) > 1 and not (parameter.is_array or parameter.matches_key):
                message = f"{name!r} is sent {len(sent)} times and is no list"
                wrong.append(Violation(location, "repeated", message, name, (), sent))
                continue
            try:
                value = parameter.parse(sent)
            except ValueError as error:
                wrong.append(Violation(location, "style", str(error), name, (), sent))
                continue
            if parameter.schema.is_valid(value):
                values[name] = value
            else:
                wrong += parameter.find_violations(value)


def compile_parameter_parser(
    operation_id: str, parameters: Sequence[Parameter], credential_names: frozenset[str]
) -> ParameterParser:
    """A reader of these parameters; ``keys`` in a query are credentials."""
    by_place: dict[str, dict[str, Parameter]] = {
        place: {} for place in ("path", "query", "header", "cookie")
    }
    for parameter in parameters:
        by_place[parameter.location][parameter.name] = parameter
    names = {name.lower().encode() for name in by_place["header"]}
    return ParameterParser(
        operation_id,
        by_place,
        credential_names,
        (*sorted(names), *([b"cookie"] if by_place["cookie"] else ())),
        tuple(p for p in parameters if p.matches_key),
        {p.name: p.default for p in parameters if p.default is not None},
        any(p.required for p in by_place["query"].values()),
    )


def _is_container(value: Json) -> bool:
    return isinstance(value, list | dict)


def _group_headers(
    known: Mapping[str, Parameter], headers: Headers
) -> dict[str, list[str]]:
    return {
        name: [value.decode("latin-1").strip() for value in values]
        for name in known
        if (values := headers.get(name.lower().encode()))
    }
